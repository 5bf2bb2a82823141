"""The recorder: registrations of versions and decisions about them, with the identity that the service gives."""

import uuid
from types import SimpleNamespace

import pytest

from .cloud import message
from .recorded_events import BOB, UNKNOWN


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


def test_record_that_never_comes_is_awaited_for_ten_seconds(recorder_modules, modules, monkeypatch):
    registry, clock = modules("recorder", "registry")["registry"], [0.0]
    fake = SimpleNamespace(monotonic=lambda: clock[0], sleep=lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    monkeypatch.setattr(registry, "time", fake)
    assert not registry._wait_for(lambda _: False, None)
    assert clock == [10.0]


def test_decision_about_version_that_was_deleted_is_recorded(recorder):
    arn = recorder.register()
    event = recorder.update(arn, ModelApprovalStatus="Rejected")
    recorder.cloud.client("sagemaker").delete_model_package(ModelPackageName=arn)
    (record,) = recorder.send(event)
    assert (record["kind"], record["by"]["identity"]) == ("rejection", UNKNOWN)


def test_refused_reading_of_version_returns_the_message(recorder, dies):
    record = message(recorder.event(recorder.register()), "_group")
    with dies("DescribeModelPackage", False, "Rate exceeded", "ThrottlingException"):
        assert recorder.function(record) == [record["messageId"]]
    assert recorder.function.failure() == "ClientError"


def test_update_of_metadata_is_no_decision(recorder):
    event = recorder.update(recorder.register(), CustomerMetadataProperties={"note": "slow"})
    assert recorder.send(event) == []


def test_event_that_session_of_role_sent_is_claim(recorder):
    event = recorder.update(recorder.register(), ModelApprovalStatus="Approved")
    (record,) = recorder.send(event, SenderId="AROA123:mallory")
    assert record["by"] == {"identity": "AROA123:mallory", "source": "sqs-sender", "claimed": f"event of AWS: {BOB}"}
