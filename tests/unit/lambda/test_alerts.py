"""Alerts on EventBridge's default bus: the event, and refusals of it."""

import json
import uuid

import boto3
import pytest

ALERT = {
    "model": "churn",
    "cause": "deployment-rolled-back",
    "what": "Version 7 was rolled back.",
    "why": "The alarm endpoint-errors went off.",
    "done": "The endpoint serves version 6 as before.",
    "command": "model-factory status churn --env prod",
    "version": 7,
}


@pytest.fixture
def alerts(load, modules):
    load("retrain")
    return modules("retrain", "shared.alerts")["shared.alerts"]


@pytest.fixture
def bus(local):
    """A queue with the alerts of the default bus; a function that returns the oldest event."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    name = f"alerts-{uuid.uuid4().hex}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = events.put_rule(Name=name, EventPattern=json.dumps({"source": ["model-factory"]}))["RuleArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    yield lambda: json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)


def test_alert_is_event_on_default_bus(alerts, bus):
    alerts.send_alert(alerts.Alert(**ALERT))
    event = bus()
    assert (event["source"], event["detail-type"]) == ("model-factory", "Model Factory Alert")
    assert event["detail"] == {"factory": "acme", "environment": "prod", **ALERT}


def test_texts_of_alert_are_bounded(alerts, bus):
    alerts.send_alert(alerts.Alert("", "cause", "what", "y" * 1_000_000))
    assert bus()["detail"] == {
        "factory": "acme", "environment": "prod", "model": "", "cause": "cause", "what": "what", "why": "y" * 4000,
        "done": "", "command": "", "version": None,
    }  # fmt: skip


def test_refused_entry_raises_with_code_of_eventbridge(alerts):
    class Events:
        def put_events(self, Entries):
            return {
                "FailedEntryCount": 1,
                "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}],
            }

    with pytest.raises(alerts.AlertError, match="deployment-rolled-back: ThrottlingException: Rate exceeded"):
        alerts.put_alert(Events(), alerts.Alert(**ALERT), factory="acme", environment="prod")
