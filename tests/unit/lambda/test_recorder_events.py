"""The recorder: events of AWS about trainings, alarms, settings and scoring become records."""

import json
from datetime import timedelta

import pytest

from model_factory.functions.shared import chain

from .cloud import ACCOUNT, REGION, ROLE, message


def execution(recorder, definition, purpose="train"):
    """Run the pipeline for a purpose with this definition; the event of its end."""
    sagemaker, name = recorder.cloud.client("sagemaker"), f"{recorder.cloud.name}-{purpose}"
    sagemaker.create_pipeline(
        PipelineName=name, PipelineDefinition=json.dumps(definition), RoleArn=ROLE, ClientRequestToken="0" * 32
    )
    given = [{"Name": "Trigger", "Value": "manual"}, {"Name": "Reason", "Value": "new labels"}]
    arn = sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given)["PipelineExecutionArn"]
    run = recorder.cloud.state.executions[arn]
    while run.record["PipelineExecutionStatus"] == "Executing":
        run._stop.wait(0.05)
    event = recorder.cloud.event("training_ended")
    event["detail"] |= {
        "pipelineExecutionArn": arn,
        "currentPipelineExecutionStatus": run.record["PipelineExecutionStatus"],
    }
    return arn, event


FAILING = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "Trigger", "Type": "String"}, {"Name": "Reason", "Type": "String"}],
    "Steps": [{"Name": "Reject", "Type": "Fail", "Arguments": {"ErrorMessage": "auc 0.4 is less than 0.7"}}],
}


def test_failed_training_is_recorded_with_trigger_and_person(recorder):
    arn, event = execution(recorder, FAILING)
    (record,) = recorder.send(event)
    assert (record["kind"], record["subject"], record["by"]["source"]) == ("training", arn, "sagemaker")
    assert record["by"]["identity"].startswith("arn:aws:")
    facts = record["facts"]
    assert (facts["outcome"], facts["trigger"], facts["reason"]) == ("failed", "manual", "new labels")
    assert [(step["name"], step["status"]) for step in facts["steps"]] == [("Reject", "Failed")]
    assert "auc 0.4" in facts["failure_reason"]


@pytest.mark.parametrize("passed", [True, False])
def test_gate_is_recorded_from_evaluation(recorder, passed):
    arn, event = execution(recorder, FAILING)
    step = recorder.cloud.state.executions[arn].steps["Reject"]
    recorder.cloud.state.executions[arn].steps["Evaluate"] = step | {"StepName": "Evaluate", "StepStatus": "Succeeded"}
    key = f"{recorder.cloud.model}/executions/{arn.rpartition('/')[2]}/evaluation/evaluation.json"
    body = b'{"gate": {"passed": %d, "reason": "worse"}, "metrics": {"auc": {"value": NaN}}, "rows": 9}' % passed
    recorder.cloud.client("s3").put_object(Bucket=recorder.cloud.bucket, Key=key, Body=body)
    _, gate = recorder.send(event)
    assert (gate["kind"], gate["facts"]["passed"], gate["facts"]["gate"]["reason"]) == ("gate", passed, "worse")
    assert gate["facts"]["metrics"] == {"auc": {"value": "NaN"}}
    assert gate["facts"]["evaluation"]["sha256"] == chain.digest(body)


def test_execution_that_was_deleted_is_recorded_from_its_event(recorder):
    event = recorder.cloud.event("training_ended")
    (record,) = recorder.send(event)
    assert (record["facts"]["outcome"], record["facts"]["steps"], record["by"]["identity"]) == ("succeeded", [], None)


def test_refused_reading_of_execution_returns_the_message(recorder, dies):
    record = message(recorder.cloud.event("training_ended"), "_group")
    with dies("DescribePipelineExecution", False, "Rate exceeded", "ThrottlingException"):
        assert recorder.function(record) == [record["messageId"]]
    assert recorder.function.failure() == "ClientError"


def test_alarm_has_both_states_and_reason(recorder):
    (record,) = recorder.send(recorder.cloud.event("drift_alarm"))
    facts = record["facts"]
    assert (record["kind"], facts["purpose"], facts["previous_state"], facts["state"]) == (
        "alarm",
        "drift",
        "OK",
        "ALARM",
    )
    assert facts["reason"].startswith("Threshold Crossed")


def test_each_version_of_settings_is_recorded_once(recorder):
    parameter = f"/acme/prod/models/{recorder.cloud.model}"
    event = recorder.cloud.event("settings_changed")
    recorder.send(event)
    recorder.cloud.configure(capture_percent=7)
    records = recorder.send(event)
    assert [record["facts"]["version"] for record in records] == [1, 2]
    assert records[1]["facts"]["value"]["serving"]["capture_percent"] == 7
    assert records[1]["subject"] == f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{parameter}"


@pytest.mark.parametrize(("later", "recorded"), [(50, 1), (60, 1), (70, 0)])
def test_settings_written_long_before_an_event_are_not_recorded(recorder, later, recorded):
    parameter = recorder.cloud.client("ssm").get_parameter(Name=f"/acme/prod/models/{recorder.cloud.model}")[
        "Parameter"
    ]
    time = parameter["LastModifiedDate"] + timedelta(seconds=later)
    assert len(recorder.send(recorder.cloud.event("settings_changed") | {"time": time.isoformat()})) == recorded


def test_settings_that_are_no_json_are_recorded_as_text(recorder):
    name = f"/acme/prod/models/{recorder.cloud.model}"
    recorder.cloud.client("ssm").put_parameter(Name=name, Value="no JSON", Type="String", Overwrite=True)
    *_, record = recorder.send(recorder.cloud.event("settings_changed"))
    assert record["facts"]["value"] == "no JSON"


def test_training_without_evaluation_has_no_gate(recorder):
    arn, event = execution(recorder, FAILING)
    step = recorder.cloud.state.executions[arn].steps["Reject"]
    recorder.cloud.state.executions[arn].steps["Evaluate"] = step | {"StepName": "Evaluate", "StepStatus": "Succeeded"}
    assert [record["kind"] for record in recorder.send(event)] == ["training"]


def test_settings_that_were_deleted_since_their_event_are_no_record(recorder):
    recorder.cloud.client("ssm").delete_parameter(Name=f"/acme/prod/models/{recorder.cloud.model}")
    assert recorder.send(recorder.cloud.event("settings_changed")) == []


def test_refused_reading_of_settings_returns_the_message(recorder, dies):
    record = message(recorder.cloud.event("settings_changed"), "_group")
    with dies("GetParameterHistory", False, "not now"):
        assert recorder.function(record) == [record["messageId"]]
    assert recorder.function.failure() == "ClientError"


def test_deleted_settings_are_recorded(recorder):
    event = recorder.cloud.event("settings_changed")
    event["detail"]["operation"] = "Delete"
    (record,) = recorder.send(event)
    assert (record["kind"], record["facts"]["operation"]) == ("configuration", "Delete")


@pytest.mark.parametrize("name", ["acme-prod-eu", "other"])
def test_event_about_no_model_is_no_record(recorder, name):
    event = recorder.cloud.event("drift_alarm")
    event["detail"]["alarmName"] = f"{name}-alarm"
    assert recorder.send(event) == []


def test_event_of_other_account_is_refused(recorder):
    recorder.function.logged()
    assert recorder.send(recorder.cloud.event("drift_alarm") | {"account": "999999999999"}) == []
    assert any("another account" in line.get("reason", "") for line in recorder.function.logged())


def test_scoring_run_without_report_is_recorded(recorder):
    _, event = execution(recorder, FAILING, "score")
    (record,) = recorder.send(event)
    assert (record["kind"], record["version"], record["facts"]["objects"]) == ("scoring", None, 0)
    assert "auc 0.4" in record["facts"]["failure_reason"]
    assert record["facts"]["parameters"] == {"Trigger": "manual", "Reason": "new labels"}


@pytest.mark.parametrize(("reason", "told"), [("no file fits", "no file fits"), (None, "auc 0.4 is less than 0.7")])
def test_scoring_run_is_recorded_with_its_objects(recorder, reason, told):
    arn, event = execution(recorder, FAILING, "score")
    run = arn.rpartition("/")[2]
    scored = {"bucket": recorder.cloud.bucket, "key": "a.csv", "version_id": "v1", "rows": 9}
    report = {
        "version": 2,
        "rows": 9,
        "skipped": 1,
        "failed": {"b.csv": "no header"},
        "reason": reason,
        "objects": [scored],
    }
    s3, bucket = recorder.cloud.client("s3"), recorder.cloud.bucket
    body = json.dumps(report).encode()
    s3.put_object(Bucket=bucket, Key=f"{recorder.cloud.model}/scoring/{run}/report.json", Body=body)
    (record,) = recorder.send(event)
    facts = record["facts"]
    assert (record["kind"], record["version"], facts["objects"], facts["rows"]) == ("scoring", 2, 1, 9)
    assert (facts["skipped"], facts["failed"]) == (1, {"b.csv": "no header"})
    assert told in facts["failure_reason"]
    assert record["evidence"]["inputs"]["sha256"] == chain.digest(body)
    marker = chain.lineage_key(f"s3://{bucket}/a.csv", "v1", recorder.cloud.model, f"{chain.SCORED_BY}{run}", 2)
    assert s3.list_objects_v2(Bucket=bucket, Prefix=marker)["KeyCount"] == 1
