"""Alarms, trainings and notifications: ground truth that arrives late, and data that every training rejects."""

import json
import time
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from model_factory.ops.waiting import wait_for

from .conftest import Factory, records

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=10)
SETTLE_SECONDS = 3


@pytest.fixture(scope="module")
def factory(live):
    """The live version is trained on the first records only, before and after the tests of this module."""
    reset_data(live)
    yield live
    reset_data(live)


def reset_data(live: Factory) -> None:
    bucket = live.session.names.bucket("data")
    for kind in ("raw", "ground-truth"):
        for page in live.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"sales/{kind}/"):
            for entry in page.get("Contents", []):
                live.client("s3").delete_object(Bucket=bucket, Key=entry["Key"])
    live.upload_records(records(), "2026-11-01")
    retrain(live)


def retrain(factory: Factory, reason: str = "manual") -> int:
    """Train; returns the new live version."""
    before, started = factory.reader.live_version() or 0, datetime.now(UTC)
    finished = factory.retrain(reason)
    assert finished.status == "Succeeded", finished.reason
    return wait_for("the new version", lambda: factory.reader.newer_version(before, started))


def send_requests(factory: Factory, data: pd.DataFrame, name: str) -> str:
    """Send the records, fifty per request, each request with an inference id; returns their labels as CSV."""
    for start in range(0, len(data), 50):
        factory.predict(data[start : start + 50], f"{name}-{start // 50}")
    factory.control("flush")
    ids = [f"{name}-{row // 50},{row % 50},{label}" for row, label in enumerate(data["sold"])]
    return "\n".join(["inference_id,record,sold", *ids])


def run_monitor(factory: Factory, at: datetime) -> dict:
    """Run the monitor; returns its report latest.json."""
    before = factory.newest_execution(factory.names.monitor_pipeline)
    factory.run_schedule("monitor", at)
    finished = factory.wait_for_next_execution(factory.names.monitor_pipeline, before)
    assert finished.status == "Succeeded", finished.reason
    bucket = factory.session.names.bucket("artifacts")
    return json.loads(factory.client("s3").get_object(Bucket=bucket, Key="sales/monitor/latest.json")["Body"].read())


def matching(alerts: list[str], *words: str) -> list[str]:
    return [text for text in alerts if all(word in text for word in words)]


def test_late_labels_are_evaluated_and_low_quality_starts_training(factory, alerts):
    good = records(1000, seed=21)
    labels = send_requests(factory, good, "good")
    assert run_monitor(factory, NOON - timedelta(days=3))["quality"]["labelled"] == 0
    factory.upload_labels(labels, "good.csv")
    quality = run_monitor(factory, NOON - timedelta(days=2))["quality"]
    assert (quality["labelled"], quality["records"]) == (1000, 1000)
    assert factory.reader.metric("auc", NOON - timedelta(days=2)) == quality["metrics"]["auc"]["value"] > 0.8
    wait_for("the alarm's state OK", lambda: factory.alarm_state("model-quality") == "OK" or None, 180)

    wrong = records(3000, seed=22)
    labels = send_requests(factory, wrong.assign(sold=1 - wrong["sold"]), "wrong")
    factory.upload_labels(labels, "wrong.csv")
    factory.upload_records(records(500, seed=23), "2026-11-02")
    before, version, started = (
        factory.newest_execution(factory.names.training_pipeline),
        factory.reader.live_version(),
        datetime.now(UTC),
    )
    quality = run_monitor(factory, NOON - timedelta(days=1))["quality"]
    assert quality["metrics"]["auc"]["high"] < 0.7
    finished = factory.wait_for_next_execution(factory.names.training_pipeline, before)
    assert finished.status == "Succeeded", finished.reason
    wait_for("the new version", lambda: factory.reader.newer_version(version, started))
    assert factory.reader.live_package()["CustomerMetadataProperties"]["trigger"] == "quality"
    assert "QualityShortfall" in alerts(factory.names.alarm("model-quality"), 180)

    # No ground truth for the new version yet: the alarm stays in ALARM, without a notification or a training.
    before = factory.newest_execution(factory.names.training_pipeline)
    send_requests(factory, records(500, seed=24), "new")
    assert run_monitor(factory, NOON - timedelta(hours=20))["quality"]["worse"]
    assert factory.alarm_state("model-quality") == "ALARM"
    assert factory.newest_execution(factory.names.training_pipeline) == before


def test_lasting_drift_starts_one_training_and_one_notification(factory, alerts):
    training = factory.newest_execution(factory.names.training_pipeline)
    version = factory.reader.live_version()
    send_requests(factory, records(1000, seed=30), "quiet")
    run_monitor(factory, NOON)
    wait_for("the alarm's state OK", lambda: factory.alarm_state("drift") == "OK" or None, 180)

    for day in (1, 2, 3):
        factory.upload_records(records(500, seed=30 + day, shift=9).assign(colour="violet"), f"2026-12-0{day}")
        send_requests(factory, records(1000, seed=40 + day, shift=9), f"broken-{day}")
        assert "x" in run_monitor(factory, NOON + timedelta(days=day))["drifted"]
        if day == 1:
            finished = factory.wait_for_next_execution(factory.names.training_pipeline, training)
            assert "colour: 500 values are not one of" in finished.reason
            failed = factory.newest_execution(factory.names.training_pipeline)
            alerts("Step Prepare of", 180)
        time.sleep(SETTLE_SECONDS)
        assert factory.alarm_state("drift") == "ALARM"
        assert factory.newest_execution(factory.names.training_pipeline) == failed
        # The drift alarm and the failed training send one notification each, on the first day.
        received = alerts.all()
        assert len(matching(received, factory.names.alarm("drift"))) == 1
        assert len(matching(received, "Step Prepare of", "violet")) == 1
        assert len(received) == 2
    assert factory.reader.live_version() == version

    # The drift ends and starts again: no training is started, and an alert gives the reason.
    for day in (5, 7):
        send_requests(factory, records(1000, seed=50 + day), f"quiet-{day}")
        run_monitor(factory, NOON + timedelta(days=day - 1))
        wait_for("the alarm's state OK", lambda: factory.alarm_state("drift") == "OK" or None, 180)
        send_requests(factory, records(1000, seed=60 + day, shift=9), f"again-{day}")
        run_monitor(factory, NOON + timedelta(days=day))
        alerts("The drift alarm of sales started no training.", 180)
        time.sleep(SETTLE_SECONDS)
    assert factory.newest_execution(factory.names.training_pipeline) == failed
    reason = "the last training that drift or quality started failed"
    assert reason in factory.retrain_log()
    assert matching(
        alerts.all(), "The drift alarm of sales started no training.", reason, "model-factory retrain sales"
    )
    assert factory.alarm_state("retrain-not-started") == "ALARM"


def test_drift_reference_is_data_of_newest_version(factory):
    for day in (1, 2, 3):
        factory.upload_records(records(2000, seed=30 + day, shift=9), f"2026-12-0{day}")
    factory.delete_records("2026-11-01")
    factory.delete_records("2026-11-02")
    version = retrain(factory)
    send_requests(factory, records(1000, seed=70, shift=9), "new-reference")
    report = run_monitor(factory, NOON + timedelta(days=8))
    assert (report["version"], report["drifted"]) == (version, [])
    wait_for("the alarm's state OK", lambda: factory.alarm_state("drift") == "OK" or None, 180)
