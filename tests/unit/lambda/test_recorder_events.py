"""The recorder: events of AWS become records, with the identity that the service gives."""

import json
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from model_factory.functions.shared import chain

from .cloud import ACCOUNT, REGION, ROLE, message

BOB = f"arn:aws:sts::{ACCOUNT}:assumed-role/approver/bob"
UNKNOWN = "unknown: see UpdateModelPackage in CloudTrail"


class Recorder:
    """The function, with its chain of the test's model."""

    def __init__(self, cloud, function):
        self.cloud, self.function = cloud, function

    def send(self, event, **attributes):
        """Handle an event; the records of the model, oldest first."""
        assert self.function(message(event, "_group", **attributes)) == []
        return self.records()

    def records(self):
        s3 = self.cloud.client("s3")
        listed = s3.list_objects_v2(Bucket=self.cloud.bucket, Prefix=chain.chain_prefix(self.cloud.model))
        keys = [entry["Key"] for entry in listed.get("Contents", [])]
        return [json.loads(s3.get_object(Bucket=self.cloud.bucket, Key=key)["Body"].read()) for key in reversed(keys)]

    def register(self, status="PendingManualApproval"):
        """Register a version; its ARN."""
        sagemaker = self.cloud.client("sagemaker")
        if self.cloud.name not in self.cloud.state.groups:
            sagemaker.create_model_package_group(ModelPackageGroupName=self.cloud.name)
        package = sagemaker.create_model_package(
            ModelPackageGroupName=self.cloud.name,
            ModelApprovalStatus=status,
            CustomerMetadataProperties={"data_digest": "0a1b"},
        )
        return package["ModelPackageArn"]

    def event(self, arn, *updated, **detail):
        """SageMaker's event about a version, with the times that the registry has."""
        package = self.cloud.state.packages[arn]
        event = self.cloud.event("version_approved", id=uuid.uuid4().hex)
        event["detail"].pop("LastModifiedTime")
        names = ("CreationTime", "LastModifiedTime", "ModelApprovalStatus", "ApprovalDescription")
        kept = {name: package[name] for name in names if name in package}
        times = {name: f"{value:%Y-%m-%dT%H:%M:%SZ}" for name, value in kept.items() if name.endswith("Time")}
        fields = {"UpdatedModelPackageFields": list(updated)} if updated else {}
        event["detail"] |= {"ModelPackageArn": arn, **kept, **times, **fields, **detail}
        return event

    def update(self, arn, by=BOB, **fields):
        """Update a version as `by`; the event."""
        self.cloud.client("sagemaker").update_model_package(ModelPackageArn=arn, **fields)
        self.cloud.state.packages[arn]["LastModifiedBy"] = {"IamIdentity": {"Arn": by}} if by else {}
        return self.event(arn, *fields)


@pytest.fixture
def recorder(cloud, load, modules, monkeypatch):
    monkeypatch.setenv("RECORDS_BUCKET", cloud.bucket)
    monkeypatch.setenv("ARTIFACTS_BUCKET", cloud.bucket)
    function = load("recorder")
    registry = modules("recorder", "registry")["registry"]
    monkeypatch.setattr(registry, "ANNOUNCED_SECONDS", 0.0)
    return Recorder(cloud, function)


def test_registration_has_metadata_and_status_at_that_time(recorder):
    arn = recorder.register("Approved")
    event = recorder.event(arn)
    recorder.update(arn, ModelApprovalStatus="Rejected")
    recorder.send(event)
    (record,) = recorder.send(event)
    assert (record["kind"], record["version"], record["subject"]) == ("registration", 1, arn)
    assert record["facts"]["ModelApprovalStatus"] == "Approved"
    assert record["facts"]["CustomerMetadataProperties"] == {"data_digest": "0a1b"}


def test_evidence_is_collected_once_and_for_versions_alone(recorder, monkeypatch):
    completed = []
    monkeypatch.setattr(recorder.function.module, "complete", lambda draft, _: completed.append(draft.kind) or draft)
    event = recorder.event(recorder.register("Approved"))
    for each in (event, event, recorder.cloud.event("drift_alarm")):
        recorder.send(each)
    assert completed == ["registration"]


def test_arn_that_is_used_again_has_second_registration(recorder):
    arn = recorder.register()
    recorder.send(recorder.event(arn))
    event = recorder.event(arn)
    event["detail"] |= {"CreationTime": "2026-11-25T05:19:14Z", "LastModifiedTime": "2026-11-25T06:00:00Z"}
    records = recorder.send(event)
    assert [(record["kind"], record["subject"]) for record in records] == [("registration", arn)] * 2
    assert records[1]["time"] == "2026-11-25T05:19:14+00:00"


@pytest.mark.parametrize(
    ("status", "kind"), [("Approved", "approval"), ("Rejected", "rejection"), ("PendingManualApproval", "rejection")]
)
def test_decision_through_any_api_is_recorded_once(recorder, status, kind):
    event = recorder.update(recorder.register(), ModelApprovalStatus=status)
    recorder.send(event)
    (record,) = recorder.send(event | {"id": "sent again"})
    assert (record["kind"], record["by"], record["facts"]["decision"]) == (
        kind,
        {"identity": BOB, "source": "sagemaker", "claimed": None},
        status,
    )


def test_time_of_decision_is_that_of_the_change(recorder):
    arn = recorder.register()
    event = recorder.update(arn, ModelApprovalStatus="Approved")
    event["detail"] |= {"CreationTime": "2026-11-24T05:00:00Z", "LastModifiedTime": "2026-11-25T06:00:00Z"}
    (record,) = recorder.send(event)
    assert record["time"] == "2026-11-25T06:00:00+00:00"


def test_decision_by_nobody_known_is_not_automatic(recorder):
    (record,) = recorder.send(recorder.update(recorder.register(), by=None, ModelApprovalStatus="Approved"))
    assert record["by"]["identity"] == UNKNOWN


def announced(recorder, arn):
    """Approve as `model-factory approve` does; SageMaker's event, and the record that was sent."""
    time = recorder.cloud.state.packages[arn]["CreationTime"]
    record = {
        "kind": "approval",
        "id": uuid.uuid4().hex,
        "model": recorder.cloud.model,
        "time": time.isoformat(),
        "version": 1,
        "subject": arn,
        "by": "ada",
        "facts": {"decision": "Approved", "reason": "fine"},
        "evidence": {},
    }
    description = f"ada: fine [Approved, record {time:%Y%m%dT%H%M%SZ}]"
    return recorder.update(arn, ModelApprovalStatus="Approved", ApprovalDescription=description), record


def test_announced_approval_has_one_record(recorder):
    event, record = announced(recorder, recorder.register())
    recorder.send(record)
    assert [each["by"]["claimed"] for each in recorder.send(event)] == ["ada"]


def test_description_that_names_no_record_hides_nothing(recorder):
    event, _ = announced(recorder, recorder.register())
    (record,) = recorder.send(event)
    assert (record["kind"], record["by"]["identity"]) == ("approval", BOB)


def test_announced_record_is_awaited(recorder_modules, modules):
    registry, answers, pauses = modules("recorder", "registry")["registry"], iter([False, False, True]), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry.time, "sleep", pauses.append)
        assert registry._wait_for(lambda _: next(answers), None)
    assert pauses == [1.0, 1.0]


def test_decision_about_version_that_was_deleted_is_recorded(recorder):
    arn = recorder.register()
    event = recorder.update(arn, ModelApprovalStatus="Rejected")
    recorder.cloud.client("sagemaker").delete_model_package(ModelPackageName=arn)
    (record,) = recorder.send(event)
    assert (record["kind"], record["by"]["identity"]) == ("rejection", UNKNOWN)


def test_values_of_records_are_json(recorder_modules, modules):
    plain = modules("recorder", "plain")["plain"].plain
    noon = datetime(2026, 11, 24, 12, tzinfo=timezone(timedelta(hours=2)))
    assert plain({"time": noon, "value": float("nan"), "names": ("a", 1)}) == {
        "time": "2026-11-24T10:00:00+00:00",
        "value": "NaN",
        "names": ["a", 1],
    }
    assert plain({"path": Path("a")}) == {"path": "a"}


def test_update_of_metadata_is_no_decision(recorder):
    event = recorder.update(recorder.register(), CustomerMetadataProperties={"note": "slow"})
    assert recorder.send(event) == []


def test_event_that_session_of_role_sent_is_claim(recorder):
    event = recorder.update(recorder.register(), ModelApprovalStatus="Approved")
    (record,) = recorder.send(event, SenderId="AROA123:mallory")
    assert record["by"] == {"identity": "AROA123:mallory", "source": "sqs-sender", "claimed": f"event of AWS: {BOB}"}


def execution(recorder, definition):
    """Run the training pipeline with this definition; the event of its end."""
    sagemaker, name = recorder.cloud.client("sagemaker"), f"{recorder.cloud.name}-train"
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


def test_gate_is_recorded_from_evaluation(recorder):
    arn, event = execution(recorder, FAILING)
    step = recorder.cloud.state.executions[arn].steps["Reject"]
    recorder.cloud.state.executions[arn].steps["Evaluate"] = step | {"StepName": "Evaluate", "StepStatus": "Succeeded"}
    key = f"{recorder.cloud.model}/executions/{arn.rpartition('/')[2]}/evaluation/evaluation.json"
    body = b'{"gate": {"passed": 0, "reason": "worse"}, "metrics": {"auc": {"value": NaN}}, "rows": 9}'
    recorder.cloud.client("s3").put_object(Bucket=recorder.cloud.bucket, Key=key, Body=body)
    _, gate = recorder.send(event)
    assert (gate["kind"], gate["facts"]["passed"], gate["facts"]["gate"]["reason"]) == ("gate", False, "worse")
    assert gate["facts"]["metrics"] == {"auc": {"value": "NaN"}}
    assert gate["facts"]["evaluation"]["sha256"] == chain.digest(body)


def test_execution_that_was_deleted_is_recorded_from_its_event(recorder):
    event = recorder.cloud.event("training_ended")
    (record,) = recorder.send(event)
    assert (record["facts"]["outcome"], record["facts"]["steps"], record["by"]["identity"]) == ("succeeded", [], None)


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


def test_settings_that_were_deleted_since_their_event_are_no_record(recorder):
    recorder.cloud.client("ssm").delete_parameter(Name=f"/acme/prod/models/{recorder.cloud.model}")
    assert recorder.send(recorder.cloud.event("settings_changed")) == []


def test_refused_reading_of_settings_returns_the_message(recorder, dies):
    record = message(recorder.cloud.event("settings_changed"), "_group")
    with dies("GetParameterHistory", False, "not now"):
        assert recorder.function(record) == [record["messageId"]]


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
    _, event = execution(recorder, FAILING)
    event = json.loads(json.dumps(event).replace(f"{recorder.cloud.model}-train", f"{recorder.cloud.model}-score"))
    (record,) = recorder.send(event)
    assert (record["kind"], record["version"], record["facts"]["objects"]) == ("scoring", None, 0)


def test_scoring_run_is_recorded_with_its_objects(recorder):
    arn, event = execution(recorder, FAILING)
    run = arn.rpartition("/")[2]
    scored = {"bucket": recorder.cloud.bucket, "key": "a.csv", "version_id": "v1", "rows": 9}
    report = {"version": 2, "rows": 9, "skipped": 1, "failed": {}, "reason": None, "objects": [scored]}
    s3, bucket = recorder.cloud.client("s3"), recorder.cloud.bucket
    body = json.dumps(report).encode()
    s3.put_object(Bucket=bucket, Key=f"{recorder.cloud.model}/scoring/{run}/report.json", Body=body)
    event = json.loads(json.dumps(event).replace(f"{recorder.cloud.model}-train", f"{recorder.cloud.model}-score"))
    (record,) = recorder.send(event)
    assert (record["kind"], record["version"], record["facts"]["rows"]) == ("scoring", 2, 9)
    assert record["evidence"]["inputs"]["sha256"] == chain.digest(body)
    marker = chain.lineage_key(f"s3://{bucket}/a.csv", "v1", recorder.cloud.model, f"{chain.SCORED_BY}{run}", 2)
    assert s3.list_objects_v2(Bucket=bucket, Prefix=marker)["KeyCount"] == 1
