"""The publisher: events at an HTTP endpoint."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from .cloud import message
from .trainings import alerts


class Receiver:
    """An HTTP endpoint that answers with a status, and what it got."""

    def __init__(self):
        self.status, self.got = 201, []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.headers["Authorization"], json.loads(body)))
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/api/v1/lineage"


@pytest.fixture
def receiver(factory, monkeypatch):
    started = Receiver()
    name = f"/openlineage/{factory.model}"
    factory.cloud.client("ssm").put_parameter(Name=name, Value="secret", Type="SecureString")
    monkeypatch.setenv("OPENLINEAGE_URL", started.url)
    monkeypatch.setenv("OPENLINEAGE_KEY_PARAMETER", name)
    yield started
    started.server.shutdown()


def resend(factory):
    """Deliver the model's event to the endpoint once more."""
    ((_, content),) = factory.events().items()
    key = f"_openlineage/{factory.model}/{content['run']['runId']}/{content['eventType']}.json"
    body = {"detail-type": "Model Factory OpenLineage Event Written", "model": factory.model, "key": key}
    assert factory.function(message(body, f"{factory.model}/openlineage")) == []


def test_events_are_sent_with_key(factory, receiver):
    factory.publish(factory.register())
    ((authorization, sent),) = receiver.got
    assert authorization == "Bearer secret"
    assert [sent] == list(factory.events().values())


@pytest.mark.parametrize("status", [302, 429, 503])
def test_endpoint_that_fails_gets_the_same_event_again(factory, receiver, status):
    receiver.status, registered = status, factory.register()
    assert factory.deliver(registered) == [f"{factory.model}/openlineage"]
    assert len(factory.cards()) == 1
    receiver.status = 201
    resend(factory)
    assert receiver.got[0] == receiver.got[1]


def test_endpoint_that_is_down_holds_neither_bucket_nor_cards(factory, monkeypatch):
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:9/api/v1/lineage")
    returned = factory.deliver(factory.train()) + factory.deliver(factory.register())
    assert set(returned) == {f"{factory.model}/openlineage"}
    assert ("-train", "OTHER") in factory.events()
    assert len(factory.cards()) == 1
    assert factory.lineage[1]


def test_records_wait_in_the_group_of_their_model(factory):
    record = message(factory.register(), "_records")
    assert factory.function(record) == []
    (sent,) = factory._queued()
    assert (sent.group_id, sent.body) == (factory.model, record["body"])
    assert factory.events() == {}


def test_endpoint_that_is_down_is_one_alert_with_its_reason(factory, monkeypatch):
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:9/api/v1/lineage")
    dead = factory.cloud.client("sqs").create_queue(
        QueueName=f"{factory.cloud.name}-dead.fifo", Attributes={"FifoQueue": "true"}
    )
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", dead["QueueUrl"])
    assert factory.deliver(factory.register(), attempt=5) == []
    (alert,) = alerts(factory.function)
    assert (alert["model"], alert["version"], alert["cause"]) == ("", None, "openlineage-endpoint")
    assert alert["why"].startswith("http://127.0.0.1:9/api/v1/lineage cannot be reached: ")


def test_event_that_endpoint_refuses_is_given_up_at_once(factory, receiver):
    receiver.status = 400
    factory.function.logged()
    factory.publish(factory.register())
    assert any("answers with 400" in line.get("reason", "") for line in factory.function.logged())


def test_refused_event_keeps_none_from_the_bucket(factory, receiver):
    receiver.status, trained = 401, factory.train()
    factory.publish(trained)
    assert len(factory.events()) == 8
    receiver.status = 201
    factory.publish(trained)
    assert ("-train", "COMPLETE") in factory.events()


def test_replaced_key_is_used_for_the_next_message(factory, receiver):
    factory.publish(factory.register())
    name = f"/openlineage/{factory.model}"
    factory.cloud.client("ssm").put_parameter(Name=name, Value="new", Type="SecureString", Overwrite=True)
    factory.publish(factory.deploy())
    assert [authorization for authorization, _ in receiver.got] == ["Bearer secret", "Bearer new", "Bearer new"]


def test_start_of_training_is_sent_by_its_own_message(factory, receiver):
    started = factory.cloud.event("training_started")
    started["detail"]["pipelineExecutionArn"] = factory.execution
    factory.publish(started)
    (run,) = {event["run"]["runId"] for event in factory.events().values()}

    def queued():
        bodies = [request["MessageBody"] for name, request in factory.function.calls if name == "SendMessage"]
        return [json.loads(body)["key"] for body in bodies if body.endswith('START.json"}')]

    assert queued() == [f"_openlineage/{factory.model}/{run}/START.json"]
    trained = factory.train()
    factory.publish(trained)
    jobs = queued()[1:]
    assert len(jobs) == 3, "the starts of the jobs have no message of their own"
    assert not any(run in key for key in jobs)
    factory.publish(trained)
    assert queued()[4:] == jobs, "again with the message that is repeated: it may have failed in between"
