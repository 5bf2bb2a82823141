"""FIFO queues: order of a group through retries, and repeated messages; batches of event source mappings."""

from types import SimpleNamespace

import pytest
from moto.sqs import models
from moto.sqs.models import SQSBackend

from local_aws import pollers, queues


@pytest.fixture
def clock(monkeypatch):
    """Seconds that a test moves on."""
    passed = SimpleNamespace(seconds=1_800_000_000.0)
    monkeypatch.setattr(models, "unix_time_millis", lambda: passed.seconds * 1000)
    monkeypatch.setattr(models, "unix_time", lambda: passed.seconds)
    return passed


class Fifo:
    """A FIFO queue with a visibility timeout of 30 seconds."""

    def __init__(self, **attributes):
        self._backend = SQSBackend("us-east-1", "123456789012")
        self._backend.create_queue("q.fifo", FifoQueue="true", **attributes)

    def send(self, body, group="a", **more):
        self._backend.send_message("q.fifo", body, group_id=group, **more)

    def receive(self, count=10):
        return self._backend.receive_message("q.fifo", count, 0, 30)

    def bodies(self, count=10):
        return [message.body for message in self.receive(count)]

    def delete(self, message):
        self._backend.delete_message("q.fifo", message.receipt_handle)

    def retry(self, message, seconds=1):
        self._backend.change_message_visibility("q.fifo", message.receipt_handle, seconds)


@pytest.fixture
def fifo(clock, monkeypatch):
    queues.install(SimpleNamespace(replace=monkeypatch.setattr, when_imported=lambda *_: None))
    return Fifo(ContentBasedDeduplication="true")


def test_group_is_blocked_while_message_is_in_flight(fifo):
    for body, group in (("1", "a"), ("2", "a"), ("3", "b")):
        fifo.send(body, group)
    assert fifo.bodies(1) == ["1"]
    assert fifo.bodies() == ["3"]


def test_failed_batch_is_received_again_in_order(fifo, clock):
    for body in "123":
        fifo.send(body)
    for message in fifo.receive():
        fifo.retry(message)
    fifo.send("4")
    assert fifo.bodies() == []
    clock.seconds += 2
    assert fifo.bodies() == ["1", "2", "3", "4"]


def test_later_message_waits_for_retried_one(fifo, clock):
    fifo.send("1")
    fifo.send("2")
    first, second = fifo.receive()
    fifo.retry(first, 20)
    fifo.retry(second, 1)
    clock.seconds += 5
    assert fifo.bodies() == []
    clock.seconds += 20
    assert fifo.bodies() == ["1", "2"]


def test_repeat_within_five_minutes_of_deleted_message_is_dropped(fifo, clock):
    fifo.send("1")
    fifo.delete(*fifo.receive())
    clock.seconds += 299
    fifo.send("1")
    assert fifo.bodies() == []
    clock.seconds += 2
    fifo.send("1")
    assert fifo.bodies() == ["1"]


def test_deduplication_id_replaces_content(fifo):
    fifo.send("1", deduplication_id="x")
    fifo.send("2", deduplication_id="x")
    fifo.send("1", deduplication_id="y")
    assert fifo.bodies() == ["1", "1"]


@pytest.mark.parametrize(("scope", "received"), [("queue", ["1"]), ("messageGroup", ["1", "1"])])
def test_scope_of_deduplication(clock, fifo, scope, received):
    scoped = Fifo(ContentBasedDeduplication="true", DeduplicationScope=scope, FifoThroughputLimit="perQueue")
    scoped.send("1", "a")
    for message in scoped.receive():
        scoped.delete(message)
    scoped.send("1", "b")
    assert ["1", *scoped.bodies()] == received


def test_message_without_deduplication_is_refused(clock, fifo):
    with pytest.raises(models.InvalidParameterValue, match="should either have ContentBasedDeduplication enabled"):
        Fifo().send("1")


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        ({"result": None}, set()),
        ({"result": {"batchItemFailures": []}}, set()),
        ({"result": {"batchItemFailures": None}}, set()),
        ({"result": {"batchItemFailures": [{"itemIdentifier": "2"}]}}, {"2"}),
        ({"result": {"batchItemFailures": [{"itemIdentifier": ""}]}}, {"1", "2"}),
        ({"result": {"batchItemFailures": [{"identifier": "2"}]}}, {"1", "2"}),
        ({"result": {"batchItemFailures": [{"itemIdentifier": "9"}]}}, {"1", "2"}),
        ({"error": {"errorMessage": "it broke"}}, {"1", "2"}),
    ],
)
def test_failures_of_batch_return_to_queue(answer, failed):
    assert pollers._failed(answer, ["1", "2"], reports_failures=True) == failed


def test_reported_failures_need_the_mapping_to_expect_them():
    answer = {"result": {"batchItemFailures": [{"itemIdentifier": "2"}]}}
    assert pollers._failed(answer, ["1", "2"], reports_failures=False) == set()


def test_policy_stays_when_another_attribute_is_set(fifo):
    policy = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]}'
    fifo._backend.set_queue_attributes("q.fifo", {"Policy": policy})
    fifo._backend.set_queue_attributes("q.fifo", {"DelaySeconds": "0"})
    queue = fifo._backend.get_queue("q.fifo")
    assert (queue.policy, queue.delay_seconds) == (policy, 0)
