"""lambda/alerts: the alert in an event and the window of its cause, without AWS."""

import hashlib
import json
from types import SimpleNamespace

import pytest


@pytest.fixture
def alerts(modules):
    return SimpleNamespace(**modules("alerts", "sources", "texts"))


def test_unreadable_event_has_its_digest_as_key(alerts):
    body = json.dumps({"source": "aws.ec2"})
    found = alerts.sources.read_event(body, alerts.texts.Place("acme", "prod"))
    digest = hashlib.sha256(body.encode()).hexdigest()
    assert (found.id, found.time, found.key) == (digest[:32], "", f"environment/unreadable-event-{digest[:8]}")
    assert (found.model, found.cause) == ("", "unreadable-event")
    assert found.alert.why == f"KeyError: 'aws.ec2'; the message is {body}"


@pytest.mark.parametrize(
    ("model", "cause", "version", "detail", "key"),
    [
        ("churn", "drift", None, "", "churn/drift"),
        ("", "drift", 7, "", "environment/drift-v7"),
        ("m" * 101, "c" * 101, None, "", f"{'m' * 100}/{'c' * 100}"),
        ("../x", "a b", None, "", "___x/a_b"),
    ],
)
def test_window_is_that_of_model_cause_and_version(alerts, model, cause, version, detail, key):
    assert alerts.sources.window_key(alerts.sources.Alert(model, cause, "", "", version=version), detail) == key


def test_numbers_in_a_reason_make_no_other_window(alerts):
    keys = {
        reason: alerts.sources.window_key(alerts.sources.Alert("churn", "failed", "", ""), reason)
        for reason in ("job a1 failed", "job b22 failed", "job failed")
    }
    assert keys["job a1 failed"] == keys["job b22 failed"] != keys["job failed"]
    assert keys["job failed"] == f"churn/failed-{hashlib.sha256(b'job failed').hexdigest()[:8]}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("acme-prod-churn-drift", ("churn", "drift")),
        ("acme-prod-churn-eu-monitor-missed", ("churn-eu", "monitor-missed")),
        ("acme-prod-churn-training-failed", None),
        ("acme-dev-churn-drift", None),
        ("acme-prod-retrain-errors", None),
    ],
)
def test_alarm_of_a_model_is_known_by_its_name(alerts, name, expected):
    assert alerts.texts.alarm_of(name, alerts.texts.Place("acme", "prod")) == expected


@pytest.mark.parametrize(
    ("description", "what"),
    [("churn: Requests differ.", "Requests differ."), ("churn: INSUFFICIENT_DATA: Nothing came.", "Nothing came."),
     ("", "The alarm changed its state.")],
)  # fmt: skip
def test_alarm_is_told_in_the_words_of_its_description(alerts, description, what):
    place = alerts.texts.Place("acme", "prod")
    alert = alerts.texts.alarm("churn", "monitor-missed", description, place)
    assert (alert.what, alerts.texts.told_in("monitor-missed"), alerts.texts.told_in("drift")) == (
        what,
        "INSUFFICIENT_DATA",
        "ALARM",
    )
    assert (
        alert.command
        == "aws sagemaker list-pipeline-executions --pipeline-name acme-prod-churn-monitor --max-results 3"
    )
    assert alerts.texts.alarm("churn", "drift", description, place).done.startswith("With `retrain.on_drift`")
