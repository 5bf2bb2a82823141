"""lambda/retrain: the guards that skip a trigger, with their reasons."""

from datetime import timedelta

import pytest

from .cloud import message
from .trainings import HOUR, skipped, started

FAILED = "the last training that drift or quality started failed; they start no more until a training succeeds"


@pytest.mark.parametrize("status", ["Executing", "Stopping"])
@pytest.mark.parametrize("kind", ["schedule", "drift_alarm", "manual"])
def test_running_training_skips_every_trigger(retrain, training, cloud, kind, status):
    training.data()
    training.earlier(5 * HOUR, status)
    assert skipped(retrain, training, cloud.message(kind)).startswith("a training is in flight since 20")


@pytest.mark.parametrize("kind", ["schedule", "drift_alarm", "quality_alarm"])
def test_automatic_trigger_is_skipped_during_cooldown(retrain, training, cloud, kind):
    training.earlier(HOUR / 2)
    training.data()
    assert skipped(retrain, training, cloud.message(kind)).startswith("cooling down for another 1")


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
        ("drift_alarm", "Executing", 0),
    ],
)
def test_skipped_alarm_counts_unless_training_is_running(retrain, training, cloud, kind, status, count):
    training.earlier(HOUR / 2, status)
    training.data()
    skipped(retrain, training, cloud.message(kind))
    assert training.counted("RetrainNotStarted") == count


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
