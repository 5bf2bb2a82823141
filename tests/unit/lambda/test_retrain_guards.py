"""lambda/retrain: the guards that skip a trigger, with their reasons."""

import re
from datetime import timedelta

import pytest

from .cloud import message
from .trainings import HOUR, alerts, skipped, started

FAILED = "the last training that drift or quality started failed; they start no more until a training succeeds"


@pytest.mark.parametrize("kind", ["schedule", "drift_alarm", "quality_alarm"])
def test_automatic_trigger_is_skipped_during_cooldown(retrain, training, cloud, kind):
    training.earlier(HOUR / 2)
    training.data()
    assert skipped(retrain, training, cloud.message(kind)).startswith("cooling down until 20")


def test_cooldown_reason_names_end_and_training(retrain, training, cloud):
    training.earlier(HOUR / 2, kind="drift")
    training.data()
    reason = skipped(retrain, training, cloud.message("drift_alarm"))
    assert re.fullmatch(r"cooling down until 20.* UTC after the training that drift started at 20.* UTC", reason)


@pytest.mark.parametrize("earlier", ["manual", "code", None])
def test_cooldown_ignores_trainings_of_people_and_code(retrain, training, cloud, earlier):
    training.earlier(HOUR / 2, kind=earlier)
    training.data()
    assert started(retrain, training, cloud.message("drift_alarm"))["Trigger"] == "drift"


def test_cooldown_counts_automatic_training_before_manual_one(retrain, training, cloud):
    training.earlier(HOUR / 2, kind="schedule")
    training.earlier(HOUR / 4, kind="manual")
    training.data()
    assert skipped(retrain, training, cloud.message("drift_alarm")).startswith("cooling down until 20")


@pytest.mark.parametrize("kind", ["schedule", "drift_alarm", "quality_alarm"])
def test_automatic_trigger_without_new_data_is_skipped(retrain, training, cloud, kind):
    training.data()
    # Started after the data was written: in an hour, because S3 has no objects of the past.
    training.earlier(-HOUR)
    cloud.settings["retrain"]["cooldown_seconds"] = -2 * HOUR.total_seconds()
    cloud.configure()
    assert skipped(retrain, training, cloud.message(kind)).startswith("no new data since the training of 20")


def test_new_data_after_cooldown_starts_training(retrain, training, cloud):
    training.earlier(2 * HOUR)
    training.data()
    assert started(retrain, training, cloud.message("schedule"))["Trigger"] == "schedule"


def test_manual_trigger_ignores_cooldown_and_old_data(retrain, training, cloud):
    training.data()
    training.earlier(timedelta(seconds=-60))
    assert started(retrain, training, cloud.message("manual"))["Trigger"] == "manual"


@pytest.mark.parametrize("kind", ["schedule", "drift_alarm", "manual"])
def test_no_data_skips_every_trigger(retrain, training, cloud, kind):
    training.data("")  # the folder itself, as the S3 console makes it
    assert skipped(retrain, training, cloud.message(kind)) == "there is no data yet"


@pytest.mark.parametrize("kind", ["drift", "quality"])
def test_alarm_is_skipped_when_switched_off_in_settings(retrain, training, cloud, kind):
    training.data()
    cloud.settings["retrain"][f"on_{kind}"] = False
    cloud.configure()
    assert skipped(retrain, training, cloud.message(f"{kind}_alarm")) == f"retrain.on_{kind} is off"


@pytest.mark.parametrize("kind", ["drift_alarm", "quality_alarm"])
@pytest.mark.parametrize("earlier", ["drift", "quality"])
def test_alarm_after_failed_training_is_skipped(retrain, training, cloud, earlier, kind):
    training.earlier(9 * HOUR, "Failed", earlier)
    training.earlier(8 * HOUR, "Failed", "schedule")
    training.data()
    assert skipped(retrain, training, cloud.message(kind)).startswith(FAILED)
    assert training.counted("RetrainNotStarted") == 1


@pytest.mark.parametrize(
    "after", [("Succeeded", "schedule"), ("Succeeded", "manual"), ("Succeeded", "drift")], ids=" by ".join
)
def test_alarm_after_succeeded_training_starts_training(retrain, training, cloud, after):
    training.earlier(9 * HOUR, "Failed", "drift")
    training.earlier(8 * HOUR, *after)
    training.data()
    assert started(retrain, training, cloud.message("drift_alarm"))["Trigger"] == "drift"


@pytest.mark.parametrize("kind", ["schedule", "manual"])
def test_schedule_and_manual_start_after_failed_drift_training(retrain, training, cloud, kind):
    training.earlier(9 * HOUR, "Failed", "drift")
    training.data()
    assert started(retrain, training, cloud.message(kind))["Trigger"] == kind


def test_max_failures_setting_allows_more_failures(retrain, training, cloud):
    cloud.settings["retrain"]["max_failures"] = 2
    cloud.configure()
    training.earlier(9 * HOUR, "Failed", "drift")
    training.data()
    assert started(retrain, training, cloud.message("drift_alarm"))["Trigger"] == "drift"


@pytest.mark.parametrize(
    ("kind", "status", "count"),
    [
        ("drift_alarm", "Succeeded", 1),
        ("quality_alarm", "Succeeded", 1),
        ("schedule", "Succeeded", 0),
    ],
)
def test_skipped_alarm_counts_and_alerts_with_reason(retrain, training, cloud, kind, status, count):
    training.earlier(HOUR / 2, status)
    training.data()
    reason = skipped(retrain, training, cloud.message(kind))
    assert training.counted("RetrainNotStarted") == count
    sent = alerts(retrain)
    assert [each["cause"] for each in sent] == ["retrain-not-started"] * count
    for alert in sent:
        assert alert["what"] == f"The {kind.removesuffix('_alarm')} alarm of {cloud.model} started no training."
        assert alert["why"].startswith(f"{reason}. The request was: Threshold Crossed")
        assert (alert["model"], alert["environment"]) == (cloud.model, "prod")
        assert alert["command"] == f"model-factory retrain {cloud.model} --env prod"


def test_manual_request_without_data_alerts(retrain, training, cloud):
    skipped(retrain, training, cloud.message("manual"))
    (alert,) = alerts(retrain)
    assert alert["what"] == f"A request (manual) for a training of {cloud.model} started no training."
    assert alert["why"].startswith("there is no data yet")


@pytest.mark.parametrize("trigger", ["schedule", "manual", "code"])
def test_promoted_model_skips_every_trigger(cloud, retrain, training, trigger):
    training.data()
    cloud.settings["promoted_from"] = "staging"
    cloud.configure()
    body = {"model": cloud.model, "trigger": trigger, "reason": "now", "id": "1"}
    assert retrain(message(body, cloud.model)) == []
    assert training.executions() == []
    reasons = [line["reason"] for line in retrain.logged() if line["message"] == "training skipped"]
    assert reasons == ["promote is `model`: versions come from staging, and none is trained here"]
