"""model-factory alerts test: what it says about every way, and its exit code."""

import json
from contextlib import contextmanager
from types import SimpleNamespace

import boto3
import pytest

BUS = "arn:aws:events:eu-west-1:999999999999:event-bus/ops"
REGION = "eu-west-1"


@pytest.fixture
def configured(project):
    def configured(text):
        path = project / "factory.yaml"
        path.write_text(path.read_text() + f"alerts: {text}\n")
        return project

    return configured


@pytest.fixture
def environment(aws, monkeypatch):
    """The topic of prod; whether the alert reaches it is up to the test."""
    from model_factory.ops.operations import alerts

    topic = boto3.client("sns", region_name=REGION).create_topic(Name="acme-prod-alerts")["TopicArn"]
    boto3.client("sqs", region_name=REGION).create_queue(QueueName="acme-prod-undelivered")
    sent = []

    @contextmanager
    def subscribed_queue(client, names):
        yield lambda text, seconds: text

    def put_alert(events, alert, *, factory, environment):
        sent.append((factory, environment, alert))

    monkeypatch.setattr(alerts, "subscribed_queue", subscribed_queue)
    monkeypatch.setattr(alerts, "put_alert", put_alert)
    monkeypatch.setattr(alerts, "_REFUSAL_SECONDS", 0.1)
    return SimpleNamespace(topic=topic, sent=sent)


def subscribe(environment, protocol, endpoint):
    boto3.client("sns", region_name=REGION).subscribe(TopicArn=environment.topic, Protocol=protocol, Endpoint=endpoint)


def test_confirmed_email_and_chat_are_sent(run, configured, environment):
    subscribe(environment, "email", "ada@example.com")
    subscribe(environment, "https", "https://global.sns-api.chatbot.amazonaws.com")
    folder = configured("{emails: [ada@example.com], slack: {workspace: T0123ABCD, channel: C0123ABCD}}")
    code, output, _ = run("alerts", "test", "--env", "prod", "--project", str(folder))
    assert code == 0, output
    ((factory, name, alert),) = environment.sent
    assert (factory, name, alert.model) == ("acme", "prod", "")
    assert f"topic: arrived: the alert {alert.cause} arrived" in output
    assert "email ada@example.com: not known: sent; look in the inbox" in output
    assert "slack C0123ABCD: not known: sent; look in the channel" in output


@pytest.mark.parametrize(
    ("subscription", "words"),
    [("PendingConfirmation", "has not confirmed: open the link of the e-mail"), (None, "is not subscribed; deploy")],
)
def test_email_that_cannot_have_arrived_fails(subscription, words):
    from model_factory.ops.operations import alerts

    way = alerts._email("ada@example.com", subscription)
    assert (way.arrived, words in way.text) == (False, True)


def test_missing_subscriptions_and_rule_fail(run, configured, environment):
    microsoft = "1a2b3c4d-1a2b-1a2b-1a2b-1a2b3c4d5e6f"
    teams = f"teams: {{tenant: {microsoft}, team: {microsoft}, channel: 19%3Aa%40b}}"
    code, output, _ = run("alerts", "test", "--project", str(configured(f"{{{teams}, event_bus: '{BUS}'}}")))
    assert code == 1
    assert "teams 19%3Aa%40b: did not arrive: the chat service is not subscribed to the topic; deploy" in output
    assert f"event bus {BUS}: did not arrive: the rule acme-prod-notifications does not send to it" in output


def test_refused_event_is_told_with_its_reason(run, configured, environment, monkeypatch):
    from model_factory.ops.operations import alerts

    events, sqs = boto3.client("events", region_name=REGION), boto3.client("sqs", region_name=REGION)
    events.put_rule(Name="acme-prod-notifications", EventPattern=json.dumps({"source": ["model-factory"]}))
    events.put_targets(Rule="acme-prod-notifications", Targets=[{"Id": "Bus", "Arn": BUS}])
    url = sqs.get_queue_url(QueueName="acme-prod-undelivered")["QueueUrl"]

    def refused(_, alert, **__):
        text = {"DataType": "String", "StringValue": "NO_PERMISSIONS"}
        sqs.send_message(QueueUrl=url, MessageBody=alert.cause, MessageAttributes={"ERROR_CODE": text})

    monkeypatch.setattr(alerts, "put_alert", refused)
    monkeypatch.setattr(alerts, "_REFUSAL_SECONDS", 5)
    code, output, _ = run("alerts", "test", "--project", str(configured(f"{{event_bus: '{BUS}'}}")))
    assert code == 1
    assert f"event bus {BUS}: did not arrive: refused: NO_PERMISSIONS; the bus's policy has to allow" in output
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_alert_that_does_not_reach_the_topic_fails(run, configured, environment, monkeypatch):
    from model_factory.ops.operations import alerts
    from model_factory.ops.project import UsageError

    @contextmanager
    def silent(client, names):
        def wait(text, seconds):
            raise UsageError("timed out")

        yield wait

    monkeypatch.setattr(alerts, "subscribed_queue", silent)
    code, output, _ = run("alerts", "test", "--project", str(configured("{emails: [ada@example.com]}")))
    assert code == 1
    assert "did not arrive within 60 s; look at the log group /aws/lambda/acme-prod-alerts" in output


def test_environment_that_is_not_deployed_is_refused(run, configured, aws):
    code, _, error = run("alerts", "test", "--project", str(configured("{emails: [ada@example.com]}")))
    assert code == 1
    assert "environment 'prod' has no topic 'acme-prod-alerts'; deploy it first" in error


def test_factory_without_alerts_is_refused(run, project):
    code, _, error = run("alerts", "test", "--project", str(project))
    assert code == 1
    assert "nobody is notified: factory.yaml has no `alerts`; give emails, slack, teams or event_bus" in error
