"""The publisher: events at an HTTP endpoint."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from .cloud import message


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


def test_events_are_sent_with_key(factory, receiver):
    factory.publish(factory.register())
    ((authorization, sent),) = receiver.got
    assert authorization == "Bearer secret"
    assert [sent] == list(factory.events().values())


@pytest.mark.parametrize("status", [302, 429, 503])
def test_endpoint_that_fails_gets_the_same_event_again(factory, receiver, status):
    receiver.status, registered = status, factory.register()
    assert len(factory.function(message(registered, "_records"))) == 1
    receiver.status = 201
    factory.publish(registered)
    assert receiver.got[0] == receiver.got[1]
    assert len(factory.cards()) == 1


def test_event_that_endpoint_refuses_is_given_up_at_once(factory, receiver):
    receiver.status = 400
    factory.function.logged()
    factory.publish(factory.register())
    assert any("answers with 400" in line.get("reason", "") for line in factory.function.logged())


def test_refused_event_keeps_none_from_the_bucket(factory, receiver):
    receiver.status, trained = 401, factory.train()
    factory.publish(trained)
    assert len(receiver.got) == 1
    assert len(factory.events()) == 8
    receiver.status = 201
    factory.publish(trained)
    assert ("-train", "COMPLETE") in factory.events()


def test_replaced_key_is_used_for_the_next_message(factory, receiver):
    factory.publish(factory.register())
    name = f"/openlineage/{factory.model}"
    factory.cloud.client("ssm").put_parameter(Name=name, Value="new", Type="SecureString", Overwrite=True)
    factory.publish(factory.register(3))
    assert [authorization for authorization, _ in receiver.got] == ["Bearer secret", "Bearer new"]
