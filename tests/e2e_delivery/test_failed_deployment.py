"""A stack that cannot be deployed: the delivery stops there, and the environment goes back as a whole."""

import json

import pytest

pytestmark = pytest.mark.e2e


def hyperparameter(live, model: str) -> str:
    """C, as the training pipeline that is deployed in dev hands it over."""
    session = live.session("dev")
    name = session.names.model(model).training_pipeline
    definition = json.loads(session.client("sagemaker").describe_pipeline(PipelineName=name)["PipelineDefinition"])
    (train,) = [step for step in definition["Steps"] if step["Type"] == "Training"]
    return json.dumps(train["Arguments"]["HyperParameters"])


def test_the_pipeline_says_which_stack_and_cloudformations_reason(live, taken):
    (failure,) = live.deliveries.failures(taken["pipelineExecutionId"])
    said, _, reason = failure.partition(" (AWS::Scheduler::Schedule): ")
    assert said.startswith(
        "dev: acme-dev-sales.Deploy: Stack acme-dev-sales is UPDATE_ROLLBACK_COMPLETE. RetrainSchedule"
    )
    assert reason == 'Resource handler returned message: "Schedule acme-dev-sales-retrain already exists."'
    assert failure.removeprefix("dev: acme-dev-sales.Deploy: ") in taken["statusSummary"]


def test_nothing_trains_and_environments_after_it_are_untouched(live, taken, before):
    actions = {action["actionName"]: action for action in live.deliveries.actions(taken["pipelineExecutionId"])}
    assert actions["acme-dev-offers.Deploy"]["status"] == "Succeeded"
    assert not {name for name in actions if name.startswith(("Retrain", "Smoke", "acme-staging", "acme-prod"))}
    for model in ("sales", "offers"):
        assert live.versions(model) == before[model]


def test_an_alert_arrives_with_cloudformations_reason(taken, alerts):
    said = alerts("stopped in dev at acme-dev-sales.Deploy")
    assert "Schedule acme-dev-sales-retrain already exists." in said
    assert taken["pipelineExecutionId"] in said


def test_the_stack_and_then_the_whole_stage_go_back(live, taken):
    rollback = live.rolled_back(taken)
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
    assert schedule["Target"]["Arn"].endswith(":by-hand")
    stack = session.client("cloudformation").describe_stacks(StackName="acme-dev-sales")["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
