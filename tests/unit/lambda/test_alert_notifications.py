"""lambda/alerts: which events are told, in which words, and how often."""

import io
import json
import uuid
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError

from .cloud import REGION, event, message

TOPIC_NAME = "acme-prod-alerts"
STEP = {
    "source": "aws.sagemaker",
    "time": "2026-11-24T03:05:00Z",
    "detail": {
        "stepName": "Prepare",
        "currentStepStatus": "Failed",
        "pipelineExecutionArn": "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/acme-prod-churn-train/execution/4r8",
        "failureReason": "ClientError: column age is missing in job 4r83jejmhorv",
    },
}
OWN = {
    "source": "model-factory",
    "time": "2026-11-24T03:05:00Z",
    "detail": {
        "factory": "acme",
        "environment": "prod",
        "model": "churn",
        "version": 7,
        "cause": "deployment-rolled-back",
        "what": "Version 7 was rolled back.",
        "why": "The alarm acme-prod-churn-endpoint-errors went off.",
        "done": "The endpoint serves version 6 as before.",
        "command": "model-factory rollback churn --env prod",
    },
}
DELIVERY = {
    "source": "aws.codepipeline",
    "time": "2026-11-24T03:05:00Z",
    "detail": {
        "pipeline": "acme-delivery",
        "stage": "prod",
        "action": "Smoke",
        "execution-id": "e-1",
        "state": "FAILED",
        "execution-result": {"external-execution-summary": "exit status 1"},
    },
}

MONITOR_STEP = STEP | {
    "detail": {
        "stepName": "Monitor",
        "currentStepStatus": "Failed",
        "pipelineExecutionArn": "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/acme-prod-churn-monitor/execution/5s9",
        "failureReason": "there is no endpoint",
    }
}
WAITING = DELIVERY | {
    "detail": {
        "pipeline": "acme-delivery",
        "stage": "prod",
        "action": "Approve",
        "execution-id": "e-2",
        "state": "STARTED",
    }
}


def sent(body, **changes):
    """An event with an id of its own, as EventBridge sends it to the queue."""
    return message(body | {"id": str(uuid.uuid4())} | changes, "alerts")


def alarm(state, purpose="drift"):
    found = event("drift_alarm")
    found["detail"]["alarmName"] = f"acme-prod-churn-{purpose}"
    found["detail"]["state"]["value"] = state
    return found


class Topic:
    """The topic's messages, each with its subject, as a queue and as chat receive them."""

    def __init__(self, monkeypatch, function):
        self.published, self.events = [], []
        notifications = function.module.handle.__globals__["notifier"].__class__.notify.__globals__
        real, self.fails = notifications["client"], []

        def publish(**request):
            if self.fails:
                raise self.fails.pop()
            self.published.append(request)

        def put_events(Entries):
            self.events.extend(json.loads(entry["Detail"]) for entry in Entries)
            return {"FailedEntryCount": 0, "Entries": [{}]}

        fakes = {"sns": SimpleNamespace(publish=publish), "events": SimpleNamespace(put_events=put_events)}
        monkeypatch.setitem(notifications, "client", lambda service: fakes.get(service) or real(service))

    @property
    def texts(self):
        return [json.loads(each["Message"])["email"] for each in self.published]


@pytest.fixture
def alerts(local, load, monkeypatch):
    bucket = f"windows-{uuid.uuid4().hex[:8]}"
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    monkeypatch.setenv("ALERTS_TOPIC", f"arn:aws:sns:{REGION}:123456789012:{TOPIC_NAME}")
    monkeypatch.setenv("WINDOWS_URI", f"s3://{bucket}/_alerts/")
    monkeypatch.setenv("WINDOW_SECONDS", "3600")
    function = load("alerts")
    windows = function.module.Windows.from_environment()
    monkeypatch.setattr(function.module, "windows", windows)
    function.uri, function.Windows = windows.uri, function.module.Windows
    return function


@pytest.fixture
def topic(alerts, monkeypatch):
    return Topic(monkeypatch, alerts)


@pytest.mark.parametrize(
    ("body", "subject", "words"),
    [
        (OWN, "[acme prod] churn version 7: Version 7 was rolled back.",
         ["Model:       churn, version 7", "Environment: prod of acme", "Why:         The alarm", "Done:        The endpoint",
          "Next:        model-factory rollback churn --env prod", "Cause:       deployment-rolled-back"]),
        (STEP, "[acme prod] churn: Step Prepare of acme-prod-churn-train failed (execution 4r8).",
         ["Why:         ClientError: column age is missing", "Next:        model-factory retrain churn --env prod"]),
        (alarm("ALARM"), "[acme prod] churn: What the endpoint sees has moved away from what the live version was trained on.",
         ["Alarm acme-prod-churn-drift on DriftedFeatures: Threshold Crossed", "Cause:       drift"]),
        (alarm("INSUFFICIENT_DATA", "monitor-missed"), "[acme prod] churn: What the endpoint sees has moved away from",
         ["Next:        aws sagemaker list-pipeline-executions --pipeline-name acme-prod-churn-monitor --max-results 3"]),
        (DELIVERY, "[acme prod] acme-delivery stopped in prod at Smoke (execution e-1).",
         ["Why:         exit status 1", "Next:        model-factory deliveries"]),
        (MONITOR_STEP, "[acme prod] churn: Step Monitor of acme-prod-churn-monitor failed (execution 5s9).",
         ["Why:         there is no endpoint", "Done:        The endpoint answers as before",
          "Next:        model-factory status --env prod", "Cause:       monitor-step-failed"]),
        (WAITING, "[acme prod] acme-delivery waits for an approval: Approve (execution e-2).",
         ["Why:         The stage prod begins with an approval.", "Next:        model-factory approve --delivery --env prod",
          "Cause:       delivery-waiting"]),
    ],
    ids=["own", "step", "alarm", "missed", "delivery", "monitor", "waiting"],
)  # fmt: skip
def test_every_source_has_the_same_form(alerts, topic, body, subject, words):
    assert alerts(sent(body)) == []
    (published,) = topic.published
    assert published["Subject"].startswith(subject)
    assert all(word in topic.texts[0] for word in words), topic.texts[0]
    assert published["TopicArn"].endswith(TOPIC_NAME)
    chat = json.loads(json.loads(published["Message"])["https"])
    assert (chat["version"], chat["source"], chat["content"]["textType"]) == ("1.0", "custom", "client-markdown")
    assert topic.events[0]["what"] in chat["metadata"]["summary"]


@pytest.mark.parametrize("body", [alarm("OK"), alarm("ALARM", "training-failed"), alarm("ALARM", "monitor-missed")])
def test_events_that_need_nobody_are_not_told(alerts, topic, body):
    assert alerts(sent(body)) == []
    assert topic.published == []


@pytest.mark.parametrize("body", ["no JSON", "[]", {"source": "aws.ec2"}, {"source": "model-factory", "detail": {}}])
def test_unreadable_event_is_told(alerts, topic, body):
    assert alerts(message(body, "alerts")) == []
    assert "An event on the alerts queue cannot be read." in topic.texts[0]


def test_unreadable_event_is_shown_to_a_thousand_characters(alerts, topic):
    alerts(message("no JSON " + "x" * 2000, "alerts"))
    (why,) = [line for line in topic.texts[0].splitlines() if line.startswith("Why:")]
    assert why.endswith("the message is no JSON " + "x" * 992)


def test_subject_is_ascii_below_100_characters(alerts, topic):
    long = OWN | {"detail": OWN["detail"] | {"what": "Précision ≤ 0.7\nof " + "x" * 200}}
    alerts(sent(long))
    subject = topic.published[0]["Subject"]
    assert subject.isascii()
    assert len(subject) == 99
    assert "\n" not in subject


def test_chat_text_mentions_nobody(alerts, topic):
    alerts(sent(OWN | {"detail": OWN["detail"] | {"why": "<!channel> & <https://example.com|click>"}}))
    chat = json.loads(json.loads(topic.published[0]["Message"])["https"])
    assert "&lt;!channel&gt; &amp; &lt;https" in chat["content"]["description"]


def test_same_cause_is_told_once_within_window(alerts, topic):
    other = OWN | {"detail": OWN["detail"] | {"version": 8}}
    assert alerts(sent(OWN), sent(OWN), sent(OWN), sent(other)) == []
    assert [text.splitlines()[0] for text in topic.texts] == [
        "Model:       churn, version 7",
        "Model:       churn, version 8",
    ]
    assert [line["message"] for line in alerts.logged()][1:3] == ["told before within the window"] * 2


def test_suppressed_message_that_is_delivered_again_counts_once(alerts, topic):
    alerts(sent(OWN))
    others = [sent(OWN) for _ in range(11)]
    assert alerts(*others) == []
    alerts(*others[1:])  # the ids of the newest ten are kept
    alerts(sent(OWN))
    assert alerts.logged()[-1]["suppressed"] == 12
    assert len(topic.published) == 1
    alerts(others[0], others[0])
    assert alerts.logged()[-1]["suppressed"] == 13


def test_log_of_event_names_model_and_cause(alerts, topic):
    alerts(sent(OWN))
    line = alerts.logged()[-1]
    assert (line["message"], line["model"], line["cause"]) == ("told", "churn", "deployment-rolled-back")
    assert line["suppressed_before"] == 0


def test_after_window_number_of_suppressed_alerts_is_told(alerts, topic, monkeypatch):
    alerts(sent(OWN), sent(OWN), sent(OWN))
    elapsed = alerts.Windows(alerts.uri, alerts.module.windows.length * 0)
    monkeypatch.setattr(alerts.module, "windows", elapsed)
    alerts(sent(OWN))
    assert "Not sent:    2 with the same cause since 2" in topic.texts[1]
    alerts(sent(OWN))
    assert "Not sent:" not in topic.texts[2]


def test_alarm_that_was_ok_is_told_again(alerts, topic):
    assert alerts(sent(alarm("ALARM")), sent(alarm("ALARM")), sent(alarm("OK")), sent(alarm("ALARM"))) == []
    assert len(topic.published) == 2
    assert "Not sent:    1 with the same cause" in topic.texts[1]


def test_failures_with_other_reasons_are_told(alerts, topic):
    again = STEP["detail"] | {"failureReason": "ClientError: column age is missing in job 9zz83jej01"}
    other = STEP["detail"] | {"failureReason": "ClientError: column income is missing in job 9zz83jej01"}
    alerts(sent(STEP), sent(STEP | {"detail": again}), sent(STEP | {"detail": other}))
    assert len(topic.published) == 2


def test_failed_publication_is_repeated_with_its_message(alerts, topic):
    record = sent(OWN)
    topic.fails.append(ClientError({"Error": {"Code": "Throttling"}}, "Publish"))
    assert alerts(record) == [record["messageId"]]
    assert alerts(record) == []
    assert alerts(sent(OWN)) == []
    assert len(topic.published) == 1


def test_conflicting_write_of_window_returns_message(alerts, topic, monkeypatch):
    alerts(sent(OWN))
    s3 = boto3.client("s3")
    bucket, _, prefix = alerts.uri.removeprefix("s3://").partition("/")
    key = f"{prefix}churn/deployment-rolled-back-v7.json"
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    windows = alerts.Windows.claim.__globals__
    real = windows["client"]

    class Racing:
        def get_object(self, **request):
            answer = real("s3").get_object(**request)
            text = answer["Body"].read()
            s3.put_object(Bucket=bucket, Key=key, Body=body + b" ")
            return answer | {"Body": io.BytesIO(text)}

        def put_object(self, **request):
            return real("s3").put_object(**request)

    monkeypatch.setitem(windows, "client", lambda _: Racing())
    record = sent(OWN)
    assert alerts(record) == [record["messageId"]]
    assert len(topic.published) == 1
