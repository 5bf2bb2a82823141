"""The monitor job as a whole: captured requests and labels in S3, report, metrics and state out."""

import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from jobs import s3 as storage
from jobs.failures import JobFailure
from jobs.monitoring import live_version, monitor
from jobs.monitoring.context import scheduled_time
from jobs.monitoring.live_version import Challenger

from ..conftest import BUCKET
from .live_traffic import NOW, Monitored, line, live_version_of, requests


def scores_of(rows: pd.DataFrame) -> np.ndarray:
    """What a fair model answers: the better, the larger x."""
    return (1 / (1 + np.exp(-2 * (rows["x"] + (rows["colour"] == "red") - 0.5)))).to_numpy().round(6)


def labels_of(rows: pd.DataFrame, name: str) -> str:
    """Labels of requests of one record, as a table."""
    ids = [f"{name}-{number}" for number in range(len(rows))]
    return pd.DataFrame({"inference_id": ids, "sold": rows["sold"].to_numpy()}).to_csv(index=False)


@pytest.fixture
def monitored(s3, ml, project, records, monkeypatch):
    monkeypatch.setenv("REPORTS_URI", f"s3://{BUCKET}/sales/monitor")
    for name, value in {"ENDPOINT_NAME": "sales", "FACTORY_ENVIRONMENT": "test", "MODEL_NAME": "sales"}.items():
        monkeypatch.setenv(name, value)
    project(gate={"metric": "auc", "minimum": 0.8})
    trained = records(2000, seed=9)
    return Monitored(s3, storage.client("cloudwatch"), ml, monkeypatch, live_version_of(trained, scores_of(trained)))


def test_csv_and_json_requests_are_one_window(monitored, records, capsys):
    rows = records(600, seed=1)
    scores = scores_of(rows)
    monitored.capture(requests(rows[:400], scores[:400], "csv", size=50), "a")
    monitored.capture(requests(rows[400:], scores[400:], "json", size=20, kind="application/json"), "b")
    report = monitored.run()
    assert (report["rows"], report["bad_lines"], report["drifted"]) == (600, 0, [])
    assert capsys.readouterr().out.splitlines() == [
        "monitor   600 rows against version 3: no column drifted", "quality   there are no labels yet",
    ]  # fmt: skip
    assert {(f["name"], f["drifted"]) for f in report["features"]} == {("x", False), ("colour", False)}
    assert monitored.published["RowsObserved"] == 600
    assert (monitored.published["DriftedFeatures"], monitored.published["DataViolations"]) == (0, 0)
    assert monitored.output("statistics.json")["dataset"]["item_count"] == 600


def test_copies_for_challenger_are_compared_and_no_requests(monitored, records, project, capsys):
    project(gate={"metric": "auc", "minimum": 0.8}, serving={"challenger": {"mode": "shadow"}})
    monitored.live = replace(monitored.live, challenger=Challenger(4, "shadow", [0, 1]))
    rows = records(600, seed=1)
    monitored.capture(requests(rows, scores_of(rows), "r"), "a")
    monitored.capture(requests(rows, 1 - scores_of(rows), "r"), "b", "Shadow")
    monitored.labels(labels_of(rows, "r"))
    report = monitored.run()
    assert (report["rows"], report["quality"]["labelled"], report["drifted"]) == (600, 600, [])
    assert (report["trial"]["result"], report["trial"]["labelled"]) == ("worse", 600)
    told = f"trial     version 4 against version 3: {report['trial']['reason']}"
    assert capsys.readouterr().out.splitlines()[-1] == told


def test_drifted_columns_are_in_report_violations_and_metrics(monitored, records):
    rows = records(600, seed=1).assign(x=lambda table: table["x"] + 2)
    monitored.capture(requests(rows, scores_of(rows), "csv", size=50))
    report = monitored.run()
    assert {"x", "score"} <= set(report["drifted"])
    violated = {each["feature_name"] for each in monitored.output("constraint_violations.json")["violations"]}
    assert {"x", "score"} <= violated
    assert monitored.published["DriftedFeatures"] == len(report["drifted"])


def test_objects_are_analysed_once(monitored, records):
    rows = records(300, seed=1)
    first = monitored.capture(requests(rows, scores_of(rows), "a", size=50), "a")
    assert monitored.run()["objects"] == [first]
    second = monitored.capture(requests(rows[:50], scores_of(rows[:50]), "b", size=50), "b")
    report = monitored.run()
    assert (report["objects"], report["rows"]) == ([second], 50)
    assert monitored.run()["rows"] == 0
    assert "DriftedFeatures" not in monitored.published
    assert monitored.published["RowsObserved"] == 0


def test_bad_lines_are_quarantined_and_not_fatal(monitored, records):
    rows = records(600, seed=1)
    all_lines = requests(rows, scores_of(rows), "a", size=10)
    good, others = all_lines[:30], all_lines[30:]
    bad = ["{", line("b", "1.0,red,9\n", "0.5\n"), line("c", "1.0,red\n2.0,blue\n", "0.5\n")]
    key = monitored.capture([*good[:2], bad[0], *good[2:], bad[1]], "a")
    other = monitored.capture([*others, bad[2]], "b")
    report = monitored.run()
    assert (report["rows"], report["bad_lines"]) == (600, 3)
    assert report["bad_by_object"] == {key: 2, other: 1}
    assert monitored.published["DataViolations"] == 3
    kept = [
        json.loads(text)
        for text in (monitored.ml / "processing/output/report/quarantine.jsonl").read_text().splitlines()
    ]
    assert [(each["object"], each["line"]) for each in kept] == [(key, "3"), (key, "32"), (other, "31")]
    assert [each["text"] for each in kept] == bad
    assert "2 rows were answered with 1 scores" in kept[2]["error"]


def test_too_many_bad_lines_fail_only_one_run(monitored, records):
    rows = records(300, seed=1)
    good = requests(rows, scores_of(rows), "a", size=10)
    monitored.capture(good, "good")
    key = monitored.capture(["{"] * 5, "broken")
    with pytest.raises(
        JobFailure, match=r"5 of 35 captured requests \(14\.3%\) cannot be read.*broken\.jsonl \(5\)"
    ) as failed:
        monitored.run()
    assert f"{key}, line 1:" in str(failed.value)
    assert monitored.output("report.json")["rows"] == 300
    assert monitored.published["DataViolations"] == 5
    monitored.capture(good[:10], "later")
    assert monitored.run()["rows"] == 100


@pytest.mark.parametrize("text", ["2026-11-24T05:00:00", "2026-11-24T05:00:00Z", "2026-11-24T06:00:00+01:00"])
def test_scheduled_time_without_timezone_is_utc(text):
    assert scheduled_time(text).isoformat() in ("2026-11-24T05:00:00+00:00", "2026-11-24T06:00:00+01:00")
    assert scheduled_time(text).timestamp() == 1795496400


def test_invalid_scheduled_time_fails_the_job(monitored):
    monitored.patch.setenv("SCHEDULED_TIME", "yesterday")
    with pytest.raises(JobFailure, match="ScheduledTime must be a time such as 2026-11-24T05:00:00Z, not 'yesterday'"):
        monitor.run()


def test_missing_endpoint_publishes_zero_rows(monitored, capsys):
    monitored.live = None
    assert monitored.run()["reason"] == "there is no endpoint yet"
    assert monitored.published == {"RowsObserved": 0}
    assert capsys.readouterr().out == "monitor   there is no endpoint yet; there is nothing to monitor\n"


def test_missing_endpoint_of_approved_version_fails_job(monitored):
    monitored.live, monitored.approved = None, 3
    with pytest.raises(
        JobFailure, match=r"no endpoint sales, although version 3 is approved.*redeploy sales --env test"
    ):
        monitored.run()
    assert monitored.cloudwatch.list_metrics(Namespace="ModelFactory")["Metrics"] == []


def test_failed_endpoint_fails_job_with_reason(s3, monkeypatch):
    described = {"EndpointStatus": "Failed", "FailureReason": "no capacity"}
    monkeypatch.setattr("jobs.s3.client", lambda *_: SimpleNamespace(describe_endpoint=lambda **_: described))
    with pytest.raises(JobFailure, match="the endpoint sales has failed: no capacity"):
        live_version.find("sales")


def test_empty_day_is_a_violation_across_versions(monitored, records):
    rows = records(220, seed=1)
    lines = requests(rows, scores_of(rows), "a", size=220)
    for back in range(9, 1, -1):
        monitored.capture(lines, f"day{back}")
        monitored.live = live_version_of(rows, scores_of(rows), version=20 - back)  # trained every night
        monitored.run(NOW - timedelta(days=back))
        assert monitored.published["DataViolations"] == 0
    report = monitored.run(NOW)
    assert [text for _, text in report["violations"]] == [
        f"0 rows on {NOW - timedelta(days=1):%Y-%m-%d}; most days have about 220"
    ]
    assert monitored.published["DataViolations"] == 1
    (found,) = monitored.output("constraint_violations.json")["violations"]
    assert found["constraint_check_type"] == "volume_check"


def test_late_labels_measure_stored_predictions(monitored, records):
    rows = records(1000, seed=1)
    monitored.capture(requests(rows, scores_of(rows), "a"))
    assert monitored.run()["quality"]["reason"] == "there are no labels yet"
    monitored.labels(labels_of(rows[:100], "a"), "first.csv")
    quality = monitored.run(NOW + timedelta(days=2))["quality"]
    assert quality["reason"].startswith(
        "not enough labels yet: 100 of 1000 records have one (10.0%); at least 200 and 5.0%"
    )
    assert monitored.published["LabelledRecords"] == 100
    assert "auc" not in monitored.published
    monitored.labels(labels_of(rows[:800], "a"), "second.csv")
    quality = monitored.run(NOW + timedelta(days=3))["quality"]
    assert (quality["labelled"], quality["coverage"], quality["versions"]) == (800, 0.8, [3])
    assert (quality["labels"], quality["duplicates"], quality["without_record"]) == (900, 100, 0)
    auc = quality["metrics"]["auc"]
    assert 0.8 < auc["low"] < auc["value"] < auc["high"] < 1
    assert quality["worse"] is False
    published = monitored.published
    assert published["auc"] == auc["value"]
    assert (published["QualityLow"], published["QualityHigh"]) == (auc["low"], auc["high"])
    assert published["QualityShortfall"] == pytest.approx(0.8 - auc["high"])
    written = monitored.output("model_quality_statistics.json")["binary_classification_metrics"]["auc"]
    assert written == {"value": auc["value"], "standard_deviation": auc["standard_deviation"]}
    assert monitored.output("model_quality_constraint_violations.json") == {"violations": []}
    page = (monitored.ml / "processing/output/report/report.html").read_text()
    assert "Quality from labels" in page
    assert f"{auc['low']:.4f} to {auc['high']:.4f}" in page
    # Nothing new was said since, so nothing is published, and the alarm stays as it is.
    again = monitored.run(NOW + timedelta(days=3, hours=1))["quality"]
    assert again == quality
    assert "QualityShortfall" not in monitored.published


def test_quality_below_the_gate_publishes_a_shortfall(monitored, records):
    rows = records(1000, seed=1)
    noise = np.random.default_rng(0).random(1000).round(6)
    monitored.capture(requests(rows, noise, "a"))
    monitored.labels(labels_of(rows, "a"))
    quality = monitored.run()["quality"]
    assert quality["worse"]
    assert "the whole interval misses the limit, at least 0.8" in quality["reason"]
    assert monitored.published["QualityShortfall"] == pytest.approx(0.8 - quality["metrics"]["auc"]["high"])
    (violation,) = monitored.output("model_quality_constraint_violations.json")["violations"]
    assert (violation["metric_name"], violation["constraint_check_type"]) == ("auc", "LessThanThreshold")
    assert violation["description"].endswith("was LessThanThreshold '0.8'")


def test_labels_before_their_requests_are_joined_later(monitored, records):
    rows = records(500, seed=1)
    monitored.labels(labels_of(rows, "a"))
    monitored.capture(requests(rows[:10], scores_of(rows[:10]), "other"), "other")
    assert monitored.run()["quality"]["without_record"] == 500
    monitored.capture(requests(rows, scores_of(rows), "a"), "a")
    assert monitored.run()["quality"]["labelled"] == 500


def test_unusable_labels_are_a_violation_until_replaced(monitored, records):
    rows = records(500, seed=1)
    monitored.capture(requests(rows, scores_of(rows), "a"))
    key = monitored.labels(labels_of(rows.assign(sold="maybe"), "a"))
    report = monitored.run()
    ((column, text),) = report["violations"]
    assert column == "ground truth"
    assert text == f"500 of 500 labels cannot be used: {key} (500); the first: {key}: sold 'maybe' is not one of 0, 1"
    assert monitored.published["DataViolations"] == 1
    monitored.run()
    assert monitored.published["DataViolations"] == 1
    monitored.labels(labels_of(rows, "a"))
    report = monitored.run()
    assert report["violations"] == []
    assert report["quality"]["judged"]


def test_requests_before_deployment_belong_to_the_version_before(monitored, records):
    rows = records(1000, seed=1)
    monitored.capture(requests(rows[:500], scores_of(rows[:500]), "a"), "a")
    monitored.run()
    monitored.live = live_version_of(rows, scores_of(rows), version=4, deployed=NOW + timedelta(hours=1))
    late = requests(rows[500:600], scores_of(rows[500:600]), "b")
    soon = f"{NOW + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    new = [
        json.dumps(each | {"eventMetadata": each["eventMetadata"] | {"inferenceTime": soon}})
        for each in map(json.loads, requests(rows[600:], scores_of(rows[600:]), "c"))
    ]
    monitored.capture([*late, *new], "b")
    monitored.labels(labels_of(rows[:500], "a"), "a.csv")
    quality = monitored.run()["quality"]
    # A model that is trained every night is replaced when its labels come: the one before is judged.
    assert (quality["versions"], quality["records"], quality["labelled"]) == ([3], 600, 500)
    monitored.labels(labels_of(rows[600:], "c"), "c.csv")
    quality = monitored.run()["quality"]
    assert (quality["versions"], quality["records"], quality["labelled"]) == ([4], 400, 400)
