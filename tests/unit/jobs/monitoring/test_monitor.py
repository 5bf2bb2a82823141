"""The monitor job as a whole: captured requests and labels in S3, report, metrics and state out."""

import json
from datetime import timedelta

import boto3
import numpy as np
import pandas as pd
import pytest

from jobs.failures import JobFailure
from jobs.monitoring import monitor

from ..conftest import BUCKET
from .watching import NOW, Watch, line, made, requests


def scores_of(rows: pd.DataFrame) -> np.ndarray:
    """What a fair model answers: the better, the larger x."""
    return (1 / (1 + np.exp(-2 * (rows["x"] + (rows["colour"] == "red") - 0.5)))).to_numpy().round(6)


def labels_of(rows: pd.DataFrame, name: str) -> str:
    """Labels of requests of one record, as a table."""
    ids = [f"{name}-{number}" for number in range(len(rows))]
    return pd.DataFrame({"inference_id": ids, "sold": rows["sold"].to_numpy()}).to_csv(index=False)


@pytest.fixture
def watch(s3, ml, project, records, monkeypatch):
    monkeypatch.setenv("REPORTS_URI", f"s3://{BUCKET}/sales/monitor")
    for name, value in {"ENDPOINT_NAME": "sales", "FACTORY_ENVIRONMENT": "test", "MODEL_NAME": "sales"}.items():
        monkeypatch.setenv(name, value)
    project(gate={"metric": "auc", "minimum": 0.8})
    trained = records(2000, seed=9)
    return Watch(s3, boto3.client("cloudwatch"), ml, monkeypatch, made(trained, scores_of(trained)))


def test_captured_csv_and_json_of_several_records_are_one_window(watch, records):
    rows = records(600, seed=1)
    scores = scores_of(rows)
    watch.capture(requests(rows[:400], scores[:400], "csv", size=50), "a")
    watch.capture(requests(rows[400:], scores[400:], "json", size=20, kind="application/json"), "b")
    report = watch.run()
    assert (report["rows"], report["bad_lines"], report["drifted"]) == (600, 0, [])
    assert {(f["name"], f["drifted"]) for f in report["features"]} == {("x", False), ("colour", False)}
    assert watch.published["RowsObserved"] == 600
    assert (watch.published["DriftedFeatures"], watch.published["DataViolations"]) == (0, 0)
    assert watch.output("statistics.json")["dataset"]["item_count"] == 600


def test_a_shifted_window_has_its_columns_in_report_violations_and_metrics(watch, records):
    rows = records(600, seed=1).assign(x=lambda table: table["x"] + 2)
    watch.capture(requests(rows, scores_of(rows), "csv", size=50))
    report = watch.run()
    assert {"x", "score"} <= set(report["drifted"])
    violated = {each["feature_name"] for each in watch.output("constraint_violations.json")["violations"]}
    assert {"x", "score"} <= violated
    assert watch.published["DriftedFeatures"] == len(report["drifted"])


def test_what_was_analysed_is_not_analysed_again(watch, records):
    rows = records(300, seed=1)
    first = watch.capture(requests(rows, scores_of(rows), "a", size=50), "a")
    assert watch.run()["objects"] == [first]
    second = watch.capture(requests(rows[:50], scores_of(rows[:50]), "b", size=50), "b")
    report = watch.run()
    assert (report["objects"], report["rows"]) == ([second], 50)
    assert watch.run()["rows"] == 0
    assert "DriftedFeatures" not in watch.published
    assert watch.published["RowsObserved"] == 0


def test_bad_lines_are_counted_kept_aside_and_not_fatal(watch, records):
    rows = records(600, seed=1)
    every = requests(rows, scores_of(rows), "a", size=10)
    good, others = every[:30], every[30:]
    bad = ["{", line("b", "1.0,red,9\n", "0.5\n"), line("c", "1.0,red\n2.0,blue\n", "0.5\n")]
    key = watch.capture([*good[:2], bad[0], *good[2:], bad[1]], "a")
    other = watch.capture([*others, bad[2]], "b")
    report = watch.run()
    assert (report["rows"], report["bad_lines"]) == (600, 3)
    assert report["bad_by_object"] == {key: 2, other: 1}
    assert watch.published["DataViolations"] == 3
    kept = [
        json.loads(text) for text in (watch.ml / "processing/output/report/quarantine.jsonl").read_text().splitlines()
    ]
    assert [(each["object"], each["line"]) for each in kept] == [(key, "3"), (key, "32"), (other, "31")]
    assert [each["text"] for each in kept] == bad
    assert "2 rows were answered with 1 scores" in kept[2]["error"]


def test_too_many_bad_lines_fail_the_job_with_the_objects_and_the_next_run_goes_on(watch, records):
    rows = records(300, seed=1)
    good = requests(rows, scores_of(rows), "a", size=10)
    watch.capture(good, "good")
    key = watch.capture(["{"] * 5, "broken")
    with pytest.raises(
        JobFailure, match=r"5 of 35 captured requests \(14\.3%\) cannot be read.*broken\.jsonl \(5\)"
    ) as told:
        watch.run()
    assert f"{key}, line 1:" in str(told.value)
    assert watch.output("report.json")["rows"] == 300
    assert watch.published["DataViolations"] == 5
    watch.capture(good[:10], "later")
    assert watch.run()["rows"] == 100


@pytest.mark.parametrize("text", ["2026-11-24T05:00:00", "2026-11-24T05:00:00Z", "2026-11-24T06:00:00+01:00"])
def test_a_scheduled_time_without_a_zone_is_utc(text):
    assert monitor.scheduled_time(text).isoformat() in ("2026-11-24T05:00:00+00:00", "2026-11-24T06:00:00+01:00")
    assert monitor.scheduled_time(text).timestamp() == 1795496400


def test_a_scheduled_time_that_is_none_is_told(watch):
    watch.patch.setenv("SCHEDULED_TIME", "yesterday")
    with pytest.raises(JobFailure, match="ScheduledTime must be a time such as 2026-11-24T05:00:00Z, not 'yesterday'"):
        monitor.run()


def test_without_an_endpoint_there_is_nothing_to_watch(watch):
    watch.found = None
    assert watch.run()["reason"] == "there is no endpoint yet"
    assert watch.published == {"RowsObserved": 0}


def test_a_day_on_which_hardly_anything_came_is_a_violation_also_across_versions(watch, records):
    rows = records(220, seed=1)
    lines = requests(rows, scores_of(rows), "a", size=220)
    for back in range(9, 1, -1):
        watch.capture(lines, f"day{back}")
        watch.found = made(rows, scores_of(rows), version=20 - back)  # trained every night
        watch.run(NOW - timedelta(days=back))
        assert watch.published["DataViolations"] == 0
    report = watch.run(NOW)
    assert [text for _, text in report["violations"]] == [
        f"0 rows on {NOW - timedelta(days=1):%Y-%m-%d}; most days have about 220"
    ]
    assert watch.published["DataViolations"] == 1
    (found,) = watch.output("constraint_violations.json")["violations"]
    assert found["constraint_check_type"] == "volume_check"


def test_labels_that_come_days_later_judge_what_was_answered(watch, records):
    rows = records(1000, seed=1)
    watch.capture(requests(rows, scores_of(rows), "a"))
    assert watch.run()["quality"]["reason"] == "no labels have come"
    watch.labels(labels_of(rows[:100], "a"), "first.csv")
    quality = watch.run(NOW + timedelta(days=2))["quality"]
    assert quality["reason"].startswith(
        "not enough labels yet: 100 of 1000 records have one (10.0%); at least 200 and 5.0%"
    )
    assert watch.published["LabelledRecords"] == 100
    assert "auc" not in watch.published
    watch.labels(labels_of(rows[:800], "a"), "second.csv")
    quality = watch.run(NOW + timedelta(days=3))["quality"]
    assert (quality["labelled"], quality["coverage"], quality["versions"]) == (800, 0.8, [3])
    assert (quality["labels"], quality["duplicates"], quality["without_record"]) == (900, 100, 0)
    auc = quality["metrics"]["auc"]
    assert 0.8 < auc["low"] < auc["value"] < auc["high"] < 1
    assert quality["worse"] is False
    published = watch.published
    assert published["auc"] == auc["value"]
    assert (published["QualityLow"], published["QualityHigh"]) == (auc["low"], auc["high"])
    assert published["QualityShortfall"] == pytest.approx(0.8 - auc["high"])
    written = watch.output("model_quality_statistics.json")["binary_classification_metrics"]["auc"]
    assert written == {"value": auc["value"], "standard_deviation": auc["standard_deviation"]}
    assert watch.output("model_quality_constraint_violations.json") == {"violations": []}
    page = (watch.ml / "processing/output/report/report.html").read_text()
    assert "Quality from labels" in page
    assert f"{auc['low']:.4f} to {auc['high']:.4f}" in page
    # Nothing new was said since, so nothing is published, and the alarm stays as it is.
    again = watch.run(NOW + timedelta(days=3, hours=1))["quality"]
    assert again == quality
    assert "QualityShortfall" not in watch.published


def test_answers_that_are_worse_than_the_gate_allows_raise_the_metric_of_the_alarm(watch, records):
    rows = records(1000, seed=1)
    noise = np.random.default_rng(0).random(1000).round(6)
    watch.capture(requests(rows, noise, "a"))
    watch.labels(labels_of(rows, "a"))
    quality = watch.run()["quality"]
    assert quality["worse"]
    assert "even the better end misses what is asked for, at least 0.8" in quality["reason"]
    assert watch.published["QualityShortfall"] == pytest.approx(0.8 - quality["metrics"]["auc"]["high"])
    (violation,) = watch.output("model_quality_constraint_violations.json")["violations"]
    assert (violation["metric_name"], violation["constraint_check_type"]) == ("auc", "LessThanThreshold")
    assert violation["description"].endswith("was LessThanThreshold '0.8'")


def test_labels_that_were_there_before_their_requests_are_joined_when_these_come(watch, records):
    rows = records(500, seed=1)
    watch.labels(labels_of(rows, "a"))
    watch.capture(requests(rows[:10], scores_of(rows[:10]), "other"), "other")
    assert watch.run()["quality"]["without_record"] == 500
    watch.capture(requests(rows, scores_of(rows), "a"), "a")
    assert watch.run()["quality"]["labelled"] == 500


def test_labels_that_cannot_be_used_are_a_violation_until_they_are_mended(watch, records):
    rows = records(500, seed=1)
    watch.capture(requests(rows, scores_of(rows), "a"))
    key = watch.labels(labels_of(rows.assign(sold="maybe"), "a"))
    report = watch.run()
    ((column, text),) = report["violations"]
    assert column == "ground truth"
    assert text == f"500 of 500 labels cannot be used: {key} (500); the first: {key}: sold 'maybe' is not one of 0, 1"
    assert watch.published["DataViolations"] == 1
    watch.run()
    assert watch.published["DataViolations"] == 1
    watch.labels(labels_of(rows, "a"))
    report = watch.run()
    assert report["violations"] == []
    assert report["quality"]["judged"]


def test_an_answer_before_the_live_version_was_deployed_is_the_former_versions(watch, records):
    rows = records(1000, seed=1)
    watch.capture(requests(rows[:500], scores_of(rows[:500]), "a"), "a")
    watch.run()
    watch.found = made(rows, scores_of(rows), version=4, deployed=NOW + timedelta(hours=1))
    late = requests(rows[500:600], scores_of(rows[500:600]), "b")
    soon = f"{NOW + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    new = [
        json.dumps(each | {"eventMetadata": each["eventMetadata"] | {"inferenceTime": soon}})
        for each in map(json.loads, requests(rows[600:], scores_of(rows[600:]), "c"))
    ]
    watch.capture([*late, *new], "b")
    watch.labels(labels_of(rows[:500], "a"), "a.csv")
    quality = watch.run()["quality"]
    # A model that is trained every night is replaced when its labels come: the one before is judged.
    assert (quality["versions"], quality["records"], quality["labelled"]) == ([3], 600, 500)
    watch.labels(labels_of(rows[600:], "c"), "c.csv")
    quality = watch.run()["quality"]
    assert (quality["versions"], quality["records"], quality["labelled"]) == ([4], 400, 400)
