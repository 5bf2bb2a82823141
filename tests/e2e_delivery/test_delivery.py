"""Pushes, delivered: what goes through, what stops where, and what stays as it was."""

import json

import pytest

pytestmark = pytest.mark.e2e


def test_a_changed_hyperparameter_stops_before_prod_and_goes_live_when_approved(live):
    assert live.before_approval["sales"] == {"dev": 1, "staging": 1, "prod": None}
    assert live.versions() == {"dev": 1, "staging": 1, "prod": 1}
    facts = live.reader("prod").live_package()["CustomerMetadataProperties"]
    assert facts["trigger"] == "code"


def test_the_approval_shows_a_report_of_what_changes(live):
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


def test_who_approved_is_written_down_with_the_version(live):
    session = live.session("prod")
    bucket = session.names.bucket("records")
    (entry,) = session.client("s3").list_objects_v2(Bucket=bucket, Prefix="sales/approvals/")["Contents"]
    record = json.loads(session.client("s3").get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
    assert record["decision"] == "Approved"
    assert record["by"].startswith("arn:aws:sts::999999999999:assumed-role/")
    assert record["reason"] == "the report is convincing"
    assert record["delivery"] == live.execution["pipelineExecutionId"]


def test_a_push_of_documentation_starts_nothing(live):
    before = len(live.deliveries.executions())
    (live.workspace.root / "docs").mkdir(exist_ok=True)
    (live.workspace.root / "docs" / "how-to.md").write_text("# How to\n")
    live.workspace.push("Documentation")
    assert len(live.deliveries.executions()) == before


def test_a_model_that_fails_its_gate_stops_in_dev_and_the_rest_is_untouched(live):
    before = live.versions()
    trainings = {name: live.trainings(name) for name in ("staging", "prod")}
    live.workspace.change("models/sales/model.yaml", "minimum: 0.7", "minimum: 0.99")
    execution, approval = live.push("Ask for more than the data can give")
    assert (execution["status"], approval) == ("Failed", None)
    (failure,) = live.deliveries.failures(execution["pipelineExecutionId"])
    assert failure.startswith("dev: Retrain-dev: training in dev failed: model sales: ")
    assert "below the minimum" in failure
    assert live.versions() == before
    assert {name: live.trainings(name) for name in ("staging", "prod")} == trainings


def test_the_stage_that_failed_rolled_back_to_what_it_last_did_well(live):
    rollback = next(e for e in live.deliveries.executions() if e.get("executionType") == "ROLLBACK")
    assert rollback["trigger"]["triggerType"] == "AutomatedRollback"
    target = live.execution["pipelineExecutionId"]
    assert rollback["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == target


def test_a_push_that_breaks_synth_stops_at_the_build(live):
    before, trainings = live.versions(), live.trainings("dev")
    live.workspace.change("models/sales/model.yaml", "minimum: 0.99", "minimun: 0.7")
    execution, _ = live.push("A slip of the finger")
    assert execution["status"] == "Failed"
    (failure,) = live.deliveries.failures(execution["pipelineExecutionId"])
    assert failure.startswith("Build: Build: Build terminated with state: FAILED. Phase: BUILD")
    assert "cdk synth" in failure
    assert "unknown key 'gate.minimun'; did you mean 'minimum'?" in live.failures(execution)
    assert live.versions() == before
    assert live.trainings("dev") == trainings
