"""The order of an approval's two calls: the record, then the status; and what is left when either fails."""

import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from model_factory.functions.shared.approvals import set_approval
from model_factory.functions.shared.records import RecorderQueue

ADA = "arn:aws:sts::123456789012:assumed-role/approver/ada"


def denied(operation, code="AccessDeniedException", status=400):
    error = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(error, operation)


class Registry:
    """SQS and SageMaker with one version; `fails` are errors by operation, `calls` what was called."""

    def __init__(self, **fails):
        self.records, self.fails, self.calls = [], fails, []
        self.package = {
            "ModelPackageArn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/acme-prod-churn/7",
            "ModelPackageVersion": 7,
            "ModelApprovalStatus": "PendingManualApproval",
        }

    def client(self, service):
        return SimpleNamespace(update_model_package=self.update_model_package)

    def send_message(self, *, MessageBody, MessageGroupId, MessageDeduplicationId, QueueUrl):
        self._called("send_message")
        assert MessageGroupId == "churn"
        self.records.append(json.loads(MessageBody))

    def update_model_package(self, *, ModelPackageArn, **fields):
        self._called("update_model_package")
        self.package |= fields

    def decide(self, decision="Approved", reason="looks right", **more):
        queue = RecorderQueue(self, "recorder.fifo")
        return set_approval(self, queue, "churn", dict(self.package), decision, by=ADA, reason=reason, **more)

    def _called(self, operation):
        self.calls.append(operation)
        if error := self.fails.get(operation):
            raise error


def test_record_is_sent_before_status_is_set():
    registry = Registry()
    identifier = registry.decide()
    assert registry.calls == ["send_message", "update_model_package"]
    (sent,) = registry.records
    assert (sent["id"], sent["kind"], sent["by"]) == (identifier, "approval", ADA)
    assert sent["facts"] == {"decision": "Approved", "reason": "looks right"}
    assert registry.package["ModelApprovalStatus"] == "Approved"


def test_status_stays_when_record_cannot_be_sent():
    registry = Registry(send_message=denied("SendMessage", "AccessDenied", 403))
    with pytest.raises(ClientError, match="SendMessage"):
        registry.decide()
    assert registry.package["ModelApprovalStatus"] == "PendingManualApproval"


def test_refused_status_leaves_record_that_says_so():
    registry = Registry(update_model_package=denied("UpdateModelPackage"))
    with pytest.raises(ClientError, match="UpdateModelPackage"):
        registry.decide()
    announced, refused = registry.records
    assert refused["facts"]["refused"] == announced["id"] != refused["id"]
    assert "AccessDeniedException" in refused["facts"]["error"]


def test_internal_error_of_status_is_no_correction():
    registry = Registry(update_model_package=denied("UpdateModelPackage", "InternalFailure", 500))
    with pytest.raises(ClientError):
        registry.decide()
    assert len(registry.records) == 1


def test_decisions_of_same_second_have_two_records():
    registry = Registry()
    first, second = registry.decide(), registry.decide("Rejected")
    assert first != second
    assert [each["kind"] for each in registry.records] == ["approval", "rejection"]


def test_description_is_one_line_within_limit():
    registry = Registry()
    registry.decide(reason="first\nsecond " + "x" * 2000, delivery="5f0c")
    description = registry.package["ApprovalDescription"]
    assert description.startswith(f"{ADA}: first second x")
    assert description.endswith("Z]")
    assert "(delivery 5f0c) [Approved, record 20" in description
    assert len(description) == 1024
