"""From an alarm to a training and to people: late labels, a feed that no training can mend, and the end of both."""

import json
import time
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from model_factory.ops.waiting import wait_for

from .conftest import Factory, records

pytestmark = pytest.mark.e2e
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=10)
SETTLED_SECONDS = 3


@pytest.fixture(scope="module")
def fresh(live):
    """The live version is trained on the first records only, whatever other tests did before, and again after these."""
    begin_anew(live)
    yield live
    begin_anew(live)


def begin_anew(live: Factory) -> None:
    bucket = live.session.names.bucket("data")
    for kind in ("raw", "ground-truth"):
        for page in live.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"sales/{kind}/"):
            for entry in page.get("Contents", []):
                live.client("s3").delete_object(Bucket=bucket, Key=entry["Key"])
    live.land(records(), "2026-11-01")
    retrained(live)


def retrained(factory: Factory) -> int:
    """Train by hand; the version that is live then."""
    before, began = factory.reader.live_version() or 0, datetime.now(UTC)
    finished = factory.retrain("by hand")
    assert finished.status == "Succeeded", finished.reason
    return wait_for("the new version", lambda: factory.reader.newer_version(before, began))


def ask(factory: Factory, data: pd.DataFrame, name: str) -> str:
    """Send the records, fifty a request with an id of its own; their labels as a table."""
    for start in range(0, len(data), 50):
        factory.predict(data[start : start + 50], f"{name}-{start // 50}")
    factory.post("flush")
    ids = [f"{name}-{row // 50},{row % 50},{label}" for row, label in enumerate(data["sold"])]
    return "\n".join(["inference_id,record,sold", *ids])


def watched(factory: Factory, at: datetime) -> dict:
    """One monitor run; what it wrote to latest.json."""
    before = factory.newest(factory.names.monitor_pipeline)
    factory.tick("monitor", at)
    finished = factory.next_execution(factory.names.monitor_pipeline, before)
    assert finished.status == "Succeeded", finished.reason
    bucket = factory.session.names.bucket("artifacts")
    return json.loads(factory.client("s3").get_object(Bucket=bucket, Key="sales/monitor/latest.json")["Body"].read())


def about(alerts: list[str], *words: str) -> list[str]:
    return [text for text in alerts if all(word in text for word in words)]


def test_labels_that_come_later_are_measured_and_bad_ones_start_a_training(fresh, alerts):
    good = records(1000, seed=21)
    labels = ask(fresh, good, "good")
    assert watched(fresh, NOON - timedelta(days=3))["quality"]["labelled"] == 0
    fresh.label(labels, "good.csv")
    quality = watched(fresh, NOON - timedelta(days=2))["quality"]
    assert (quality["labelled"], quality["records"]) == (1000, 1000)
    assert fresh.reader.metric("auc", NOON - timedelta(days=2)) == quality["metrics"]["auc"]["value"] > 0.8
    wait_for("the alarm to know", lambda: fresh.alarm("model-quality") == "OK" or None, 60)

    wrong = records(3000, seed=22)
    labels = ask(fresh, wrong.assign(sold=1 - wrong["sold"]), "wrong")
    fresh.label(labels, "wrong.csv")
    fresh.land(records(500, seed=23), "2026-11-02")
    before, version, began = fresh.newest(fresh.names.training_pipeline), fresh.reader.live_version(), datetime.now(UTC)
    quality = watched(fresh, NOON - timedelta(days=1))["quality"]
    assert quality["metrics"]["auc"]["high"] < 0.7
    finished = fresh.next_execution(fresh.names.training_pipeline, before)
    assert finished.status == "Succeeded", finished.reason
    wait_for("the new version", lambda: fresh.reader.newer_version(version, began))
    assert fresh.reader.live_package()["CustomerMetadataProperties"]["trigger"] == "quality"
    assert "QualityShortfall" in alerts(fresh.names.alarm("model-quality"), 60)

    # No label has come for what the new version answered: nothing new is said, and nothing is asked for again.
    before = fresh.newest(fresh.names.training_pipeline)
    ask(fresh, records(500, seed=24), "new")
    assert watched(fresh, NOON - timedelta(hours=20))["quality"]["worse"]
    assert fresh.alarm("model-quality") == "ALARM"
    assert fresh.newest(fresh.names.training_pipeline) == before


def test_a_feed_that_no_training_mends_is_trained_on_once_and_told_once(fresh, alerts):
    training = fresh.newest(fresh.names.training_pipeline)
    version = fresh.reader.live_version()
    ask(fresh, records(1000, seed=30), "quiet")
    watched(fresh, NOON)
    wait_for("the alarm to know", lambda: fresh.alarm("drift") == "OK" or None, 60)

    for day in (1, 2, 3):
        fresh.land(records(500, seed=30 + day, shift=9).assign(colour="violet"), f"2026-12-0{day}")
        ask(fresh, records(1000, seed=40 + day, shift=9), f"broken-{day}")
        assert "x" in watched(fresh, NOON + timedelta(days=day))["drifted"]
        if day == 1:
            finished = fresh.next_execution(fresh.names.training_pipeline, training)
            assert "colour: 500 values are not one of" in finished.reason
            failed = fresh.newest(fresh.names.training_pipeline)
            alerts("Step Prepare of", 60)
        time.sleep(SETTLED_SECONDS)
        assert fresh.alarm("drift") == "ALARM"
        assert fresh.newest(fresh.names.training_pipeline) == failed
        # That it drifted, and that what this asked for failed: on the first day, and never again.
        told = alerts.so_far()
        assert len(about(told, fresh.names.alarm("drift"))) == 1
        assert len(about(told, "Step Prepare of", "violet")) == 1
        assert len(told) == 2
    assert fresh.reader.live_version() == version

    # The drift goes and comes back: asking for the same again is refused, and that is told once, too.
    for day in (5, 7):
        ask(fresh, records(1000, seed=50 + day), f"quiet-{day}")
        watched(fresh, NOON + timedelta(days=day - 1))
        wait_for("the alarm to know", lambda: fresh.alarm("drift") == "OK" or None, 60)
        ask(fresh, records(1000, seed=60 + day, shift=9), f"again-{day}")
        watched(fresh, NOON + timedelta(days=day))
        alerts(fresh.names.alarm("retrain-not-started"), 60)
        time.sleep(SETTLED_SECONDS)
    assert fresh.newest(fresh.names.training_pipeline) == failed
    assert "the last training that drift or quality started failed" in fresh.skipped_reasons()
    assert len(about(alerts.so_far(), fresh.names.alarm("retrain-not-started"))) == 1


def test_after_a_training_the_new_versions_own_data_is_the_reference(fresh):
    for day in (1, 2, 3):
        fresh.land(records(2000, seed=30 + day, shift=9), f"2026-12-0{day}")
    fresh.remove("2026-11-01")
    fresh.remove("2026-11-02")
    version = retrained(fresh)
    ask(fresh, records(1000, seed=70, shift=9), "mended")
    report = watched(fresh, NOON + timedelta(days=8))
    assert (report["version"], report["drifted"]) == (version, [])
    wait_for("the alarm to know", lambda: fresh.alarm("drift") == "OK" or None, 60)
