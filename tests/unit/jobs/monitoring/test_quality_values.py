"""Model quality on values that are written down: what is judged, compared and reported."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from jobs.drift.quality import Finding
from jobs.monitoring import model_quality, quality_report
from jobs.monitoring.context import Context
from jobs.monitoring.label_join import LabelJoin
from jobs.monitoring.model_quality import Quality
from jobs.monitoring.predictions import LARGEST_KEY, Predictions, StoredPredictions

from .live_traffic import NOW

AUC = {"value": 0.8, "low": 0.7, "high": 0.9, "standard_deviation": 0.05}
QUALITY = Quality(labelled=300, records=400, labels=500, metric="auc", metrics={"auc": AUC})


def predicted(*versions: int) -> Predictions:
    count = len(versions)
    return Predictions(
        np.arange(count, dtype="uint64"), np.array(versions), np.zeros(count, "int64"), np.zeros((count, 1))
    )


@pytest.mark.parametrize(
    ("limit", "metric", "shortfall", "worse"),
    [(0.9, "auc", 0.0, False), (0.95, "auc", 0.05, True), (0.5, "auc", -0.4, False), (0.65, "rmse", 0.05, True),
     (0.7, "rmse", 0.0, False), (0.75, "rmse", -0.05, False)],
)  # fmt: skip
def test_version_is_worse_when_the_whole_interval_misses_the_limit(limit, metric, shortfall, worse):
    found = model_quality._compare(replace(QUALITY, metric=metric, metrics={metric: AUC}), limit)
    assert (found.judged, found.limit, found.worse) == (True, limit, worse)
    assert found.shortfall == pytest.approx(shortfall)
    bound = "at most" if metric == "rmse" else "at least"
    verdict = "the whole interval misses the limit" if worse else "within the limit"
    assert found.reason == (
        f"{metric} 0.8000 (0.7000 to 0.9000) on 300 labelled records (75.0%): {verdict}, {bound} {limit:.4g}"
    )


@pytest.mark.parametrize(
    ("gate", "margin", "at_gate", "limit"),
    [
        ({"metric": "auc", "minimum": 0.7, "maximum": None}, None, 0.9, 0.7),
        ({"metric": "auc", "minimum": 0.7, "maximum": None}, 0.1, 0.9, 0.8),
        ({"metric": "auc", "minimum": 0.7, "maximum": None}, 0.3, 0.9, 0.7),
        ({"metric": "auc", "minimum": 0.7, "maximum": None}, 0.1, None, 0.7),
        ({"metric": "rmse", "minimum": None, "maximum": 5.0}, 1.0, 3.0, 4.0),
        ({"metric": "rmse", "minimum": None, "maximum": 5.0}, 3.0, 3.0, 5.0),
    ],
)
def test_limit_is_the_stricter_of_gate_and_margin(gate, margin, at_gate, limit):
    evaluation = {"metrics": {gate["metric"]: {"value": at_gate}}} if at_gate else {}
    assert model_quality.limit_of(gate, margin, evaluation) == pytest.approx(limit)


@pytest.mark.parametrize(
    ("labelled", "minimum", "judged"),
    [
        ({7: 2, 6: 3, 5: 1}, 2, [7]),
        ({7: 2, 6: 3, 5: 1}, 3, [7, 6]),
        ({7: 2, 6: 3, 5: 1}, 9, [7, 6, 5]),
        ({7: 0, 6: 3, 5: 1}, 3, [6]),
        ({7: 0, 6: 0}, 3, [7]),
        ({8: 9, 7: 1, 0: 5, -1: 5}, 3, [7]),
        ({8: 9}, 3, []),
    ],
)
def test_versions_are_judged_back_until_they_have_enough_labels(labelled, minimum, judged):
    """The live version is 7; two of each have no label."""
    versions = [version for version, count in labelled.items() for _ in range(count + 2)]
    truth = [label for count in labelled.values() for label in [np.nan, np.nan, *[1.0] * count]]
    assert model_quality._versions_to_judge(predicted(*versions), np.array(truth), minimum, 7) == judged


@pytest.mark.parametrize(("labelled", "coverage", "is_judged"), [(40, 0.5, True), (41, 0.5, False), (40, 0.51, False)])
def test_quality_is_judged_from_the_minimum_of_labels_on(settings, labelled, coverage, is_judged):
    """Forty of eighty records of the version have a label."""
    quality = {"minimum_labels": labelled, "minimum_coverage": coverage}
    context = Context(settings(monitoring={"quality": quality}), NOW, "", "")
    truth = np.array([*[0.0, 1.0] * 20, *[np.nan] * 40])
    live = SimpleNamespace(version=3, evaluation={})
    found = model_quality._measure(Quality(), predicted(*[3] * 80), truth, context, live)
    assert (found.judged, found.labelled, found.records, found.versions) == (is_judged, 40, 80, [3])


def test_bad_labels_are_a_violation_above_the_allowed_share():
    assert Quality(labels=9).findings(0.0) == []
    names = {f"{name}.csv": count for name, count in zip("abcdefg", (1, 5, 2, 7, 4, 3, 6), strict=True)}
    quality = Quality(labels=280, unreadable=names, first_error="a.csv: no")
    text = (
        "28 of 280 labels cannot be used: d.csv (7), g.csv (6), b.csv (5), e.csv (4), f.csv (3); the first: a.csv: no"
    )
    assert quality.findings(0.1) == [Finding("ground_truth", "ground truth", text, False)]
    assert quality.findings(0.0999) == [Finding("ground_truth", "ground truth", text, True)]


def test_quality_is_read_back_from_the_report():
    summary = quality_report.summary(QUALITY, {"metrics": {"auc": {"value": 0.85}}})
    assert (summary["coverage"], summary["worse"], summary["at_gate"]) == (0.75, False, {"auc": 0.85})
    assert Quality.from_report({"quality": summary}) == QUALITY
    assert Quality.from_report(None) is None
    assert Quality.from_report({}) is None
    assert (Quality().coverage, Quality().worse, Quality(shortfall=1.0).worse) == (0.0, False, False)
    assert quality_report.summary(Quality(), {})["at_gate"] == {}


def test_metrics_are_published_once_there_are_labels_and_a_judgement():
    assert quality_report.metrics_of(Quality()) == {}
    counts = {"LabelledRecords": 300.0, "LabelCoverage": 0.75}
    assert quality_report.metrics_of(QUALITY) == counts
    judged = replace(QUALITY, judged=True, shortfall=-0.2)
    bounds = {"QualityLow": 0.7, "QualityHigh": 0.9, "QualityShortfall": -0.2}
    assert quality_report.metrics_of(judged) == counts | {"auc": 0.8} | bounds


def test_quality_is_written_as_model_monitor_does():
    assert quality_report.statistics("regression", QUALITY) == {
        "version": 0.0, "dataset": {"item_count": 300},
        "regression_metrics": {"auc": {"value": 0.8, "standard_deviation": 0.05}},
    }  # fmt: skip
    assert quality_report.violations(QUALITY) == {"violations": []}
    worse = replace(QUALITY, judged=True, shortfall=0.1, limit=0.95)
    assert quality_report.violations(worse)["violations"] == [
        {
            "constraint_check_type": "LessThanThreshold",
            "description": "Metric auc with 0.8 +/- 0.05 was LessThanThreshold '0.95'",
            "metric_name": "auc",
        }
    ]


@pytest.fixture
def judging(settings, monkeypatch):
    """Judges without files: `files` are those of labels; the judgement, and the time since which they are read."""
    asked = []

    def run(files, last=None, has_new_records=False, **live):
        monkeypatch.setattr(model_quality.ground_truth, "new_files", lambda uri, since: asked.append(since) or files)
        monkeypatch.setattr(
            model_quality.predictions, "read", lambda *_: StoredPredictions(Predictions.empty(), LARGEST_KEY)
        )
        monkeypatch.setattr(model_quality.ground_truth.LabelReader, "read", lambda *_: iter(()))
        context = Context(settings(monitoring={"quality": {"window": "7d"}}), NOW, "s3://b/m", "s3://b/r")
        given = {"version": 3, "classes": [0, 1], "width": 1, "evaluation": {}} | live
        return model_quality.judge(context, SimpleNamespace(**given), last, has_new_records)

    return run, asked


FILE = {"Key": "a.csv", "LastModified": NOW, "ETag": "1"}


def test_same_labels_are_measured_once(judging):
    run, asked = judging
    first = run([FILE])
    assert (first.is_new, asked) == (True, [NOW - timedelta(days=8)])
    assert first.quality.reason.startswith("not enough labels yet: 0 of 0 records")
    again = run([FILE], first.quality, has_new_records=True)
    assert (again.is_new, again.quality) == (False, first.quality)
    for other in ({"ETag": "2"}, {"Key": "b.csv"}, {"LastModified": NOW + timedelta(seconds=1)}):
        assert run([FILE | other], first.quality).is_new, other


def test_labels_that_wait_for_records_are_measured_with_new_records(judging):
    run, _ = judging
    waiting = replace(run([FILE]).quality, without_record=5)
    assert not run([FILE], waiting, has_new_records=False).is_new
    assert run([FILE], waiting, has_new_records=True).is_new


def test_run_without_labels_or_classes_has_its_reason(judging):
    run, _ = judging
    none = run([])
    assert (none.is_new, none.quality.reason, none.quality.judged) == (False, "there are no labels yet", False)
    unknown = run([FILE], classes=None)
    assert unknown.is_new
    assert unknown.quality.reason == "version 3 was registered without its classes; the next one can be judged"


def test_labels_are_joined_with_the_records_of_the_sample():
    stored = Predictions(np.array([3, 5, 9], "uint64"), np.ones(3), np.ones(3), np.zeros((3, 1)))
    join = LabelJoin(StoredPredictions(stored, 10))
    join.add_all([(np.array([5, 4, 99], "uint64"), np.array([1.0, 1.0, 1.0]))])
    assert (join.duplicates, join.without_record) == (0, 1), "99 is outside of the sample"
    join.add(np.array([5, 3, 3, 10], "uint64"), np.array([0.0, 1.0, 0.0, 1.0]))
    assert (join.duplicates, join.without_record) == (2, 2)
    assert join.truth[:2].tolist() == [0.0, 0.0]
    assert np.isnan(join.truth[2])
