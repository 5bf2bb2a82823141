"""lambda/shared: what is sent to queues, and decisions about versions, without AWS."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from model_factory.functions.shared import approvals, records, triggers

from .cloud import refused

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Sqs:
    """Keeps what is sent."""

    def __init__(self, error=None):
        self.sent, self.error = [], error

    def get_queue_url(self, QueueName):
        return {"QueueUrl": f"https://sqs/{QueueName}"}

    def send_message(self, **request):
        if self.error:
            raise self.error
        self.sent.append(request)


def test_trigger_is_a_message_in_the_group_of_the_model():
    sqs = Sqs()
    identifiers = [
        triggers.send_trigger(sqs, "acme-prod-retrain.fifo", "churn", "manual", "r" * 801),
        triggers.send_trigger(sqs, "acme-prod-deploy.fifo", "churn", "manual", "now", version=3, by="ada"),
    ]
    first, second = ({**request, "MessageBody": json.loads(request["MessageBody"])} for request in sqs.sent)
    assert first == {
        "QueueUrl": "https://sqs/acme-prod-retrain.fifo",
        "MessageGroupId": "churn",
        "MessageBody": {"model": "churn", "trigger": "manual", "reason": "r" * 800, "id": identifiers[0]},
    }
    assert second["MessageBody"] == {
        "model": "churn", "trigger": "manual", "reason": "now", "id": identifiers[1], "version": 3, "by": "ada",
    }  # fmt: skip


def test_record_is_sent_once_in_the_group_of_its_model():
    sqs = Sqs()
    queue = records.RecorderQueue.of(SimpleNamespace(client=lambda service: {"sqs": sqs}[service]), "acme-prod")
    first = records.Record("gate", "1", "churn", NOON, 2, facts={"passed": True})
    assert records.send_record(first, queue) == "1"
    records.send_record(first, queue)
    records.send_record(records.Record("gate", "1", "", NOON), queue)
    one, again, environment = sqs.sent
    assert one["QueueUrl"] == "https://sqs/acme-prod-recorder.fifo"
    assert json.loads(one["MessageBody"]) == {
        "kind": "gate", "id": "1", "model": "churn", "time": NOON.isoformat(), "version": 2, "subject": None, "by": None,
        "facts": {"passed": True}, "evidence": {},
    }  # fmt: skip
    assert (one["MessageGroupId"], environment["MessageGroupId"]) == ("churn", "_environment")
    assert one["MessageDeduplicationId"] == again["MessageDeduplicationId"] != environment["MessageDeduplicationId"]


@pytest.mark.parametrize(("status", "is_sent"), [(399, False), (400, True), (499, True), (500, False)])
def test_refusal_is_sent_where_aws_has_refused(status, is_sent):
    sqs = Sqs()
    record = records.Record("approval", "1", "churn", NOON, facts={"decision": "Approved"})
    records.send_refusal(record, "it was not set", refused("No", status), records.RecorderQueue(sqs, "url"))
    assert bool(sqs.sent) is is_sent
    if is_sent:
        body = json.loads(sqs.sent[0]["MessageBody"])
        assert (body["id"], body["kind"], body["time"] > NOON.isoformat()) == ("1#refused", "approval", True)
        assert (body["facts"]["refused"], body["facts"]["what"]) == ("1", "it was not set")
        assert "because" in body["facts"]["error"]


class Registry:
    """Keeps the update of a version, or refuses it."""

    def __init__(self, error=None):
        self.error, self.updates = error, []

    def client(self, service):
        assert service == "sagemaker"
        return self

    def update_model_package(self, **request):
        if self.error:
            raise self.error
        self.updates.append(request)


PACKAGE = {"ModelPackageVersion": 3, "ModelPackageArn": "arn/3"}


@pytest.mark.parametrize("delivery", [None, "e1"])
def test_decision_is_recorded_before_the_status_is_set(delivery):
    registry, sqs = Registry(), Sqs()
    queue, reason = records.RecorderQueue(sqs, "url"), "fine\n" + "x" * 2000
    identifier = approvals.set_approval(
        registry, queue, "churn", PACKAGE, "Approved", by="ada", reason=reason, delivery=delivery
    )
    (update,), body = registry.updates, json.loads(sqs.sent[0]["MessageBody"])
    assert (body["id"], body["kind"], body["version"], body["subject"]) == (identifier, "approval", 3, "arn/3")
    facts = {"decision": "Approved", "reason": reason} | ({"delivery": "e1"} if delivery else {})
    assert (body["by"], body["facts"]) == ("ada", facts)
    assert (update["ModelPackageArn"], update["ModelApprovalStatus"]) == ("arn/3", "Approved")
    described = update["ApprovalDescription"]
    assert len(described) == 1024
    assert described.startswith("ada: fine xxx")
    assert (" (delivery e1) [Approved, record 2" in described) is bool(delivery)
    time = datetime.fromisoformat(body["time"]).replace(microsecond=0)
    event = approvals.StatusEvent("Approved", time, ("ModelApprovalStatus", "ApprovalDescription"), described)
    assert approvals.announced_at(described, event) == time


def test_refused_decision_has_a_second_record():
    sqs = Sqs()
    with pytest.raises(ClientError, match="AccessDenied"):
        approvals.set_approval(
            Registry(refused("AccessDenied")), records.RecorderQueue(sqs, "url"), "churn", PACKAGE, "Rejected",
            by="ada", reason="slow",
        )  # fmt: skip
    first, second = (json.loads(request["MessageBody"]) for request in sqs.sent)
    assert (first["kind"], second["facts"]["refused"]) == ("rejection", first["id"])
    assert second["facts"]["what"] == "the approval status was not set"


@pytest.mark.parametrize(
    ("description", "status", "apart", "is_announced"),
    [
        ("ada: fine [Approved, record 20261124T120000Z]", "Approved", 600, True),
        ("ada: fine [Approved, record 20261124T120000Z]", "Approved", 601, False),
        ("ada: fine [Approved, record 20261124T120000Z]", "Rejected", 0, False),
        ("ada: fine [Approved, record 20261124T120000Z] ", "Approved", 0, False),
        ("ada: fine", "Approved", 0, False),
    ],
)
def test_description_announces_the_record_of_its_decision(description, status, apart, is_announced):
    for sign in (1, -1):
        event = approvals.StatusEvent(status, NOON + timedelta(seconds=sign * apart), ("ModelApprovalStatus",))
        assert approvals.announced_at(description, event) == (NOON if is_announced else None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-11-24T12:00:00Z", NOON),
        ("2026-11-24T12:00:00", None),
        ("soon", None),
        (NOON.timestamp() * 1000, NOON),
        (0, None),
        (32_503_680_000_000, None),
        (32_503_679_999_000, datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ([], None),
    ],
)
def test_times_of_status_events_are_iso_or_milliseconds(given, expected):
    found = approvals.status_event("Approved", given, ["ModelApprovalStatus", 1], 5)
    assert (found.updated, found.description, found.decided) == (("ModelApprovalStatus",), None, True)
    if expected:
        assert found.time == expected
    else:
        assert abs(found.time - datetime.now(UTC)) < timedelta(minutes=1)
    assert approvals.status_event("Approved", given, None, "fine").updated == ()


def test_description_counts_where_the_event_has_changed_it():
    both = ("ModelApprovalStatus", "ApprovalDescription")
    described = {"ApprovalDescription": "of the version"}
    of = approvals.description_of
    assert of(described, approvals.StatusEvent("Approved", NOON, both)) == "of the version"
    assert of(described, approvals.StatusEvent("Approved", NOON, both, "of the event")) == "of the event"
    assert of(described, approvals.StatusEvent("Approved", NOON, both[:1], "of the event")) == ""
    assert of({}, approvals.StatusEvent("Approved", NOON, both)) == ""


def test_who_decided_is_who_modified_the_version():
    by = {"LastModifiedBy": {"IamIdentity": {"Arn": "arn:ada"}}, "ModelApprovalStatus": "Approved"}
    event = approvals.StatusEvent("Approved", NOON)
    for later, expected in ((0, "arn:ada"), (1, "arn:ada"), (2, None)):
        assert approvals.decided_by(by | {"LastModifiedTime": NOON + timedelta(seconds=later)}, event) == expected
    assert approvals.decided_by(by, event) is None
    assert approvals.status_set_by(by | {"LastModifiedTime": NOON}) == "arn:ada"
    assert approvals.status_set_by(by | {"ModelApprovalStatus": "PendingManualApproval"}) is None
    assert approvals.status_set_by({"ModelApprovalStatus": "Approved"}) == approvals.POLICY
    assert approvals.status_set_by({"ModelApprovalStatus": "Approved", "ApprovalDescription": "x"}) == approvals.UNKNOWN
    assert approvals.who({"UserProfileArn": "arn:studio", "IamIdentity": {"Arn": "arn:role"}}) == "arn:studio"
    assert approvals.who(None) is None
