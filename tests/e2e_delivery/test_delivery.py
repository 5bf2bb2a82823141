"""Deliveries that succeed, fail at the gate or at synth, or are not started."""

import pytest

from model_factory.ops.records.chain import records as chain_records
from model_factory.ops.waiting import wait_for

pytestmark = pytest.mark.e2e


def test_changed_hyperparameter_is_live_in_prod_after_approval(live):
    everywhere = {one["name"]: 1 for one in live.environments}
    assert live.before_approval["sales"] == everywhere | {"prod": None}
    assert live.versions() == everywhere
    metadata = live.reader("prod").live_package()["CustomerMetadataProperties"]
    assert metadata["trigger"] == "code"


def test_approval_links_to_report_of_changes(live):
    actions = live.deliveries.actions(live.execution["pipelineExecutionId"])
    report = next(action for action in actions if action["actionName"] == "Report-prod")
    approval = next(action for action in actions if action["actionName"] == "Approve-prod")
    assert (
        approval["input"]["resolvedConfiguration"]["ExternalEntityLink"] == report["output"]["outputVariables"]["url"]
    )
    bucket, _, key = report["output"]["outputVariables"]["report"].removeprefix("s3://").partition("/")
    page = live.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    assert "Say how strongly to regularize" in page
    assert "v1 (auc 0." in page
    assert "AWS::SageMaker::Pipeline" in page


def test_approval_record_has_principal_and_reason(live):
    session = live.session("prod")
    bucket = session.names.bucket("records")

    def find():
        return list(chain_records(session, bucket, "sales", kinds=["approval"])) or None

    (entry,) = wait_for("the record of the approval", find)
    facts = entry.record["facts"]
    assert facts["decision"] == "Approved"
    assert entry.record["by"]["claimed"].startswith("arn:aws:sts::999999999999:assumed-role/")
    assert facts["reason"] == "the report is convincing"
    assert facts["delivery"] == live.execution["pipelineExecutionId"]


def test_push_of_documentation_starts_no_delivery(live):
    before = len(live.deliveries.executions())
    (live.workspace.root / "docs").mkdir(exist_ok=True)
    (live.workspace.root / "docs" / "how-to.md").write_text("# How to\n")
    live.workspace.push("Documentation")
    assert len(live.deliveries.executions()) == before


@pytest.mark.slow
def test_model_that_fails_gate_stops_delivery_in_dev(live):
    before = live.versions()
    trainings = {name: live.trainings(name) for name in ("staging", "prod")}
    live.workspace.change("models/sales/model.yaml", "minimum: 0.7", "minimum: 0.99")
    execution, approval = live.push("Raise the minimum above what the model reaches")
    assert (execution["status"], approval) == ("Failed", None)
    (failure,) = live.deliveries.failures(execution["pipelineExecutionId"])
    assert failure.startswith("dev: Retrain-dev: training in dev failed: model sales: ")
    assert "below the minimum" in failure
    assert live.versions() == before
    assert {name: live.trainings(name) for name in ("staging", "prod")} == trainings


@pytest.mark.slow
def test_failed_stage_rolls_back_to_last_successful_execution(live):
    rollback = next(e for e in live.deliveries.executions() if e.get("executionType") == "ROLLBACK")
    assert rollback["trigger"]["triggerType"] == "AutomatedRollback"
    target = live.execution["pipelineExecutionId"]
    assert rollback["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == target


@pytest.mark.slow
def test_synth_error_stops_delivery_at_build_with_reason(live, alerts):
    before, trainings = live.versions(), live.trainings("dev")
    live.workspace.change("models/sales/model.yaml", "minimum: 0.99", "minimun: 0.7")
    execution, _ = live.push("A misspelled key")
    assert execution["status"] == "Failed"
    (failure,) = live.deliveries.failures(execution["pipelineExecutionId"])
    assert failure.startswith("Build: Build: Build terminated with state: FAILED. Phase: BUILD")
    assert "cdk synth" in failure
    reason = "unknown key 'gate.minimun'; did you mean 'minimum'?"
    assert reason in failure
    message = alerts("acme-delivery stopped in Build at Build")
    assert reason in message
    assert execution["pipelineExecutionId"] in message
    assert live.versions() == before
    assert live.trainings("dev") == trainings
