"""Messages that fail: delayed, and given up at the last attempt with an alert and the reason."""

import json
import sys

import pytest
from botocore.exceptions import ClientError

from .cloud import message
from .trainings import alerts


@pytest.fixture
def denied(retrain, monkeypatch):
    """StartPipelineExecution is denied; the calls to SQS, and the function's own ones."""
    sent = []

    def deny(*_):
        error = {"Code": "AccessDeniedException", "Message": "no identity-based policy allows it"}
        raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}, "StartPipelineExecution")

    class Sqs:
        def change_message_visibility(self, **parameters):
            sent.append(("delay", parameters["VisibilityTimeout"]))

        def send_message(self, **parameters):
            sent.append(("dead letter", parameters))

    clients = sys.modules["shared.queue"].client
    monkeypatch.setattr(sys.modules["aws"], "start_training", deny)
    monkeypatch.setattr(
        sys.modules["shared.queue"], "client", lambda service: Sqs() if service == "sqs" else clients(service)
    )
    return sent


def attempt(cloud, number):
    return message(cloud.event("manual"), cloud.model, ApproximateReceiveCount=str(number))


@pytest.mark.parametrize(("number", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 240)])
def test_failed_message_returns_after_growing_delay(retrain, training, cloud, denied, number, seconds):
    training.data()
    record = attempt(cloud, number)
    assert retrain(record) == [record["messageId"]]
    assert denied == [("delay", seconds)]
    assert alerts(retrain) == []


def test_last_attempt_alerts_true_error_and_moves_message(retrain, training, cloud, denied):
    training.data()
    record = attempt(cloud, 5)
    assert retrain(record) == []
    ((kind, sent),) = denied
    assert kind == "dead letter"
    assert (sent["MessageBody"], sent["MessageGroupId"]) == (record["body"], cloud.model)
    assert sent["MessageDeduplicationId"] == record["messageId"]
    (alert,) = alerts(retrain)
    assert (alert["cause"], alert["model"]) == ("message-failed", cloud.model)
    assert alert["what"] == "A message of the queue acme-prod-retrain.fifo failed 5 times."
    assert "AccessDeniedException" in alert["why"]
    assert "no identity-based policy allows it" in alert["why"]
    assert sent["MessageAttributes"]["Reason"]["StringValue"] == alert["why"]
    assert "acme-prod-retrain-dead-letters.fifo" in alert["command"]


def test_refused_message_moves_at_first_attempt(retrain, cloud, denied):
    assert retrain(message("{", cloud.model)) == []
    assert [kind for kind, _ in denied] == ["dead letter"]
    (alert,) = alerts(retrain)
    assert (alert["cause"], alert["model"]) == ("message-refused", cloud.model)


def test_message_stays_when_alert_fails(retrain, cloud, denied, monkeypatch):
    """The exception counts as an error of the function, which has an alarm."""

    def fails(_):
        raise RuntimeError("PutEvents is denied")

    monkeypatch.setattr(sys.modules["shared.queue"], "send_alert", fails)
    with pytest.raises(RuntimeError, match="PutEvents is denied"):
        retrain(message("{", cloud.model))
    assert denied == []


@pytest.mark.parametrize(("length", "has_reason"), [(999_999, True), (1_000_000, False), (1024 * 1024, False)])
def test_large_body_moves_without_attribute(retrain, cloud, denied, length, has_reason):
    """A body of 1 MiB leaves no room for attributes."""
    body = json.dumps("x" * (length - 2))
    assert retrain(message(body, cloud.model)) == []
    ((_, sent),) = denied
    assert ("MessageAttributes" in sent) is has_reason


@pytest.mark.parametrize(("group", "model"), [("churn/openlineage", "churn"), ("_records", "")])
def test_alert_names_the_model_of_the_message_group(retrain, denied, group, model):
    assert retrain(message("{", group)) == []
    (alert,) = alerts(retrain)
    assert alert["model"] == model
    assert denied[0][1]["MessageGroupId"] == group


def test_delay_that_fails_leaves_visibility_timeout(retrain, training, cloud, denied, monkeypatch):
    training.data()

    def fails(_):
        raise RuntimeError("no route to SQS")

    monkeypatch.setattr(sys.modules["shared.queue"], "client", fails)
    record = attempt(cloud, 1)
    assert retrain(record) == [record["messageId"]]
