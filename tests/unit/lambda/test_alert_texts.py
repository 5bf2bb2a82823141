"""lambda/alerts: the texts of a notification from its facts, and alerts whose events say little. Without AWS."""

from types import SimpleNamespace

import pytest

FACTS = {
    "id": "1",
    "time": "2026-11-24T03:05:00Z",
    "factory": "acme",
    "environment": "prod",
    "model": "churn",
    "version": 7,
    "cause": "drift",
    "what": "It drifted.",
    "why": "psi < 0.3",
    "done": "Nothing.",
    "command": "model-factory status",
    "not_told": "2 with the same cause",
}
EVENT = SimpleNamespace(id="1", key="churn/drift-v7")


@pytest.fixture
def alerts(modules, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ModelFactory")
    return SimpleNamespace(**modules("alerts", "sources", "texts", "notifications"))


def test_notification_has_every_fact(alerts):
    assert alerts.notifications.subject(FACTS) == "[acme prod] churn version 7: It drifted."
    assert alerts.notifications.email_text(FACTS).splitlines() == [
        "Model:       churn, version 7",
        "Environment: prod of acme",
        "What:        It drifted.",
        "Why:         psi < 0.3",
        "Done:        Nothing.",
        "Next:        model-factory status",
        "Not sent:    2 with the same cause",
        "Time:        2026-11-24T03:05:00Z",
        "Cause:       drift",
    ]
    chat = alerts.notifications.chat_notification(FACTS, EVENT)
    assert chat["content"] == {
        "textType": "client-markdown",
        "title": "[acme prod] churn version 7: It drifted.",
        "description": "*What:* It drifted.\n*Why:* psi &lt; 0.3\n*Done:* Nothing.\n*Not sent:* 2 with the same cause",
        "nextSteps": ["`model-factory status`"],
        "keywords": ["prod", "churn", "drift"],
    }
    assert chat["metadata"] == {"threadId": "churn/drift-v7", "summary": "It drifted.", "eventType": "drift"}


def test_notification_without_model_and_command_leaves_both_out(alerts):
    few = FACTS | {"model": "", "version": None, "done": "", "command": "", "not_told": ""}
    assert alerts.notifications.subject(few) == "[acme prod] It drifted."
    lines = alerts.notifications.email_text(few).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["Environment", "What", "Why", "Done", "Time", "Cause"]
    assert "Done:        Nothing was done automatically." in lines
    content = alerts.notifications.chat_notification(few, EVENT)["content"]
    assert "nextSteps" not in content
    assert content["description"] == "*What:* It drifted.\n*Why:* psi &lt; 0.3"
    assert content["keywords"] == ["prod", "drift"]


@pytest.mark.parametrize("length", [99, 100])
def test_subject_of_99_characters_is_the_longest(alerts, length):
    start = "[acme prod] churn version 7: "
    found = alerts.notifications.subject(FACTS | {"what": "x" * (length - len(start))})
    assert found == start + ("x" * 70 if length == 99 else "x" * 67 + "...")


@pytest.mark.parametrize(
    ("suppressed", "since", "expected"),
    [
        (2, "2026-11-24 03:05", "2 with the same cause since 2026-11-24 03:05 UTC"),
        (0, "2026-11-24 03:05", ""),
        (2, "", ""),
    ],
)
def test_number_that_was_not_told_needs_an_earlier_notification(alerts, suppressed, since, expected):
    notifier = alerts.notifications.Notifier(alerts.texts.Place("acme", "prod"), "topic")
    event = SimpleNamespace(alert=alerts.sources.Alert("churn", "drift", "what", "why"), id="1", time="t")
    time = alerts.notifications.datetime.fromisoformat(since) if since else None
    assert notifier._facts(event, suppressed, time)["not_told"] == expected


def read(alerts, source, **detail):
    given = {"id": "1", "time": "t", "source": source, "detail": detail}
    place = alerts.texts.Place("acme", "prod")
    return alerts.sources._READERS[source](given, place)


def test_step_and_action_without_reason_say_so(alerts):
    arn = "arn:aws:sagemaker:eu-west-1:1:pipeline/acme-prod-churn-train/execution/4r8"
    step = read(alerts, "aws.sagemaker", stepName="Train", pipelineExecutionArn=arn)
    assert (step.model, step.cause, step.alert.why) == ("churn", "training-step-failed", "SageMaker gives no reason.")
    assert step.alert.what == "Step Train of acme-prod-churn-train failed (execution 4r8)."
    action = {"pipeline": "acme-delivery", "stage": "prod", "action": "Smoke", "execution-id": "e"}
    for result in (None, {}):
        failed = read(alerts, "aws.codepipeline", state="FAILED", **action, **{"execution-result": result})
        assert (failed.cause, failed.alert.why) == ("delivery-failed", "CodePipeline gives no reason.")
        assert failed.key.startswith("environment/delivery-failed-")
    waiting = [read(alerts, "aws.codepipeline", state="STARTED", **action | {"execution-id": each}) for each in "ab"]
    assert waiting[0].cause == "delivery-waiting"
    assert waiting[0].key != waiting[1].key, "each delivery that waits is told"


def test_own_alert_without_version_and_command_is_read(alerts):
    found = read(alerts, "model-factory", model="churn", cause="drift", what="w", why="y", done=None)
    assert (found.alert.version, found.alert.done, found.alert.command, found.key) == (None, "", "", "churn/drift")


@pytest.mark.parametrize(
    ("purpose", "state", "expected"),
    [
        ("drift", "ALARM", "Event"),
        ("drift", "OK", "Ended"),
        ("drift", "INSUFFICIENT_DATA", "NoneType"),
        ("monitor-missed", "INSUFFICIENT_DATA", "Event"),
        ("monitor-missed", "ALARM", "NoneType"),
        ("monitor-missed", "OK", "Ended"),
        ("training-failed", "ALARM", "NoneType"),
    ],
)
def test_alarm_is_told_in_its_state_and_ends_with_ok(alerts, purpose, state, expected):
    metric = {"metricStat": {"metric": {"name": "Rows"}}}
    found = read(
        alerts,
        "aws.cloudwatch",
        alarmName=f"acme-prod-churn-{purpose}",
        state={"value": state, "reason": "too many"},
        configuration={"metrics": [metric]},
    )
    assert type(found).__name__ == expected
    if found:
        assert (found.model, found.cause, found.key) == ("churn", purpose, f"churn/{purpose}")
    if expected == "Event":
        assert found.alert.why == f"Alarm acme-prod-churn-{purpose} on Rows: too many"
        assert found.alert.what == "The alarm changed its state."


@pytest.mark.parametrize(("kind", "cause"), [("monitor", "monitor-step-failed"), ("train", "training-step-failed")])
def test_failed_step_is_of_the_training_or_the_monitor(alerts, kind, cause):
    place = alerts.texts.Place("acme", "prod")
    alert = alerts.texts.failed_step(f"acme-prod-churn-eu-{kind}", "S", "arn/e", "why", place)
    assert (alert.model, alert.cause, alert.why) == ("churn-eu", cause, "why")
