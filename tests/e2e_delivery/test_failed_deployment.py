"""A stack that fails to deploy: the delivery stops, and the stage is rolled back."""

import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def hyperparameter(live, model: str) -> str:
    """Hyperparameters in the definition of the training pipeline in dev, as JSON."""
    session = live.session("dev")
    name = session.names.model(model).training_pipeline
    definition = json.loads(session.client("sagemaker").describe_pipeline(PipelineName=name)["PipelineDefinition"])
    (train,) = [step for step in definition["Steps"] if step["Type"] == "Training"]
    return json.dumps(train["Arguments"]["HyperParameters"])


def test_failure_names_stack_and_reason_of_cloudformation(live, conflict):
    (failure,) = live.deliveries.failures(conflict["pipelineExecutionId"])
    message, _, reason = failure.partition(" (AWS::Scheduler::Schedule): ")
    assert message.startswith(
        "dev: acme-dev-sales.Deploy: Stack acme-dev-sales is UPDATE_ROLLBACK_COMPLETE. RetrainSchedule"
    )
    assert reason == 'Resource handler returned message: "Schedule acme-dev-sales-retrain already exists."'
    assert failure.removeprefix("dev: acme-dev-sales.Deploy: ") in conflict["statusSummary"]


def test_no_training_starts_and_later_environments_do_not_change(live, conflict, before):
    actions = {action["actionName"]: action for action in live.deliveries.actions(conflict["pipelineExecutionId"])}
    assert actions["acme-dev-offers.Deploy"]["status"] == "Succeeded"
    assert not {name for name in actions if name.startswith(("Retrain", "Smoke", "acme-staging", "acme-prod"))}
    for model in ("sales", "offers"):
        assert live.versions(model) == before[model]


def test_notification_has_reason_of_cloudformation(conflict, alerts):
    message = alerts("stopped in dev at acme-dev-sales.Deploy")
    assert "Schedule acme-dev-sales-retrain already exists." in message
    assert conflict["pipelineExecutionId"] in message


def test_stack_and_then_stage_are_rolled_back(live, conflict):
    rollback = live.rolled_back(conflict)
    assert rollback["status"] == "Succeeded", live.failures(rollback)
    assert rollback["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == live.execution["pipelineExecutionId"]
    deployed = {a["actionName"]: a for a in live.deliveries.actions(rollback["pipelineExecutionId"])}
    assert deployed["acme-dev-offers.Deploy"]["output"]["executionResult"]["externalExecutionSummary"] == (
        "UPDATE_COMPLETE"
    )
    assert '"C": "1.0"' in hyperparameter(live, "offers")
    assert '"C": "1.0"' in hyperparameter(live, "sales")
    session = live.session("dev")
    schedule = session.client("scheduler").get_schedule(Name="acme-dev-sales-retrain")
    assert schedule["Target"]["Arn"].endswith(":existing")
    stack = session.client("cloudformation").describe_stacks(StackName="acme-dev-sales")["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
