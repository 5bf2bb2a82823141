"""The order of an approval's two calls: the record, then the status; and what is left when either fails."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from model_factory.functions.shared.approvals import UNKNOWN, StatusEvent, record_decision, set_approval

RECORDS = "s3://records/churn/"
ADA = "arn:aws:sts::123456789012:assumed-role/approver/ada"
BOB = "arn:aws:sts::123456789012:assumed-role/approver/bob"


def denied(operation, code="AccessDeniedException", status=400):
    error = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(error, operation)


class Registry:
    """S3 and SageMaker with one version; `fails` are errors by operation, `calls` what was called."""

    def __init__(self, **fails):
        self.objects, self.fails, self.calls = {}, fails, []
        self.package = {
            "ModelPackageArn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/acme-prod-churn/7",
            "ModelPackageVersion": 7,
            "ModelApprovalStatus": "PendingManualApproval",
        }
        self.events = []

    def client(self, service):
        return SimpleNamespace(put_object=self.put_object, update_model_package=self.update_model_package)

    def put_object(self, *, Key, Body, IfNoneMatch, **_):
        self._called("put_object")
        if Key in self.objects:
            raise denied("PutObject", "PreconditionFailed", 412)
        self.objects[Key] = json.loads(Body)

    def update_model_package(self, *, ModelPackageArn, by=ADA, **fields):
        self._called("update_model_package")
        self.package |= fields | {
            "LastModifiedTime": datetime.now(UTC),
            "LastModifiedBy": {"IamIdentity": {"Arn": by}},
        }
        self.events.append(
            StatusEvent(self.package["ModelApprovalStatus"], self.package["LastModifiedTime"], tuple(fields))
        )

    def decide(self, decision="Approved", reason="looks right", **more):
        return set_approval(self, RECORDS, dict(self.package), decision, by=ADA, reason=reason, **more)

    def receive(self, event):
        """SageMaker's event reaches the function."""
        return record_decision(self, RECORDS, self.package, event)

    def _called(self, operation):
        self.calls.append(operation)
        if error := self.fails.get(operation):
            raise error


def test_record_is_written_before_status_is_set():
    registry = Registry()
    uri = registry.decide()
    assert registry.calls == ["put_object", "update_model_package"]
    saved = registry.objects[uri.removeprefix("s3://records/")]
    assert (saved["decision"], saved["by"], saved["reason"]) == ("Approved", ADA, "looks right")
    assert registry.package["ModelApprovalStatus"] == "Approved"


def test_status_stays_when_record_cannot_be_written():
    registry = Registry(put_object=denied("PutObject", "AccessDenied", 403))
    with pytest.raises(ClientError, match="PutObject"):
        registry.decide()
    assert registry.package["ModelApprovalStatus"] == "PendingManualApproval"


def test_refused_status_leaves_record_that_says_so():
    registry = Registry(update_model_package=denied("UpdateModelPackage"))
    with pytest.raises(ClientError, match="UpdateModelPackage"):
        registry.decide()
    decided, correction = sorted(registry.objects)[::-1]
    assert correction == decided.removesuffix(".json") + "-not-set.json"
    assert registry.objects[correction]["record"] == f"s3://records/{decided}"
    assert "AccessDeniedException" in registry.objects[correction]["error"]


def test_internal_error_of_status_is_no_correction():
    registry = Registry(update_model_package=denied("UpdateModelPackage", "InternalFailure", 500))
    with pytest.raises(ClientError):
        registry.decide()
    assert len(registry.objects) == 1


def test_decisions_of_same_second_have_two_records():
    registry = Registry()
    first, second = registry.decide(), registry.decide("Rejected")
    assert first != second
    assert [each["decision"] for each in registry.objects.values()] == ["Approved", "Rejected"]


def test_description_is_one_line_within_limit():
    registry = Registry()
    registry.decide(reason="first\nsecond " + "x" * 2000, delivery="5f0c")
    description = registry.package["ApprovalDescription"]
    assert description.startswith(f"{ADA}: first second x")
    assert description.endswith("Z]")
    assert "(delivery 5f0c) [Approved, record 20" in description
    assert len(description) == 1024


def test_event_of_recorded_decision_writes_nothing():
    registry = Registry()
    registry.decide()
    assert [registry.receive(event) for event in registry.events * 2] == [None, None]
    assert len(registry.objects) == 1


@pytest.mark.parametrize("status", ["Approved", "Rejected", "PendingManualApproval"])
def test_decision_in_console_is_recorded_once_with_its_identity(status):
    registry = Registry()
    registry.update_model_package(ModelPackageArn="", by=BOB, ModelApprovalStatus=status)
    first, second = registry.receive(registry.events[0]), registry.receive(registry.events[0])
    saved = registry.objects[first.removeprefix("s3://records/")]
    assert (saved["decision"], saved["by"], saved["reason"], second) == (status, BOB, "", None)
    assert first.endswith(f"-v7-{status}.json")


def test_description_of_earlier_decision_does_not_hide_new_one():
    registry = Registry()
    registry.decide()
    registry.update_model_package(ModelPackageArn="", by=BOB, ModelApprovalStatus="Rejected")
    registry.update_model_package(ModelPackageArn="", by=BOB, ModelApprovalStatus="Approved")
    uri = registry.receive(registry.events[-1])
    assert registry.objects[uri.removeprefix("s3://records/")]["by"] == BOB


def test_copied_old_description_does_not_hide_new_decision():
    registry = Registry()
    registry.decide()
    text, later = registry.package["ApprovalDescription"], datetime.now(UTC) + timedelta(days=1)
    event = StatusEvent("Approved", later, ("ModelApprovalStatus", "ApprovalDescription"), text)
    assert registry.receive(event)


def test_decision_that_was_changed_since_names_nobody_else():
    registry = Registry()
    registry.update_model_package(ModelPackageArn="", by=ADA, ModelApprovalStatus="Approved")
    event = registry.events[0]
    registry.package["LastModifiedTime"] += timedelta(seconds=5)
    registry.package["LastModifiedBy"] = {"IamIdentity": {"Arn": BOB}}
    uri = registry.receive(event)
    assert registry.objects[uri.removeprefix("s3://records/")]["by"] == UNKNOWN


@pytest.mark.parametrize("updated", [(), ("CustomerMetadataProperties",)])
def test_registration_and_metadata_are_no_decisions(updated):
    registry = Registry()
    assert registry.receive(StatusEvent("Approved", datetime.now(UTC), updated)) is None
