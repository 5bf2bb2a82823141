"""Model quality: which predictions are judged, by which metrics, and against which limit."""

import json

import numpy as np
import pytest

from jobs import metrics
from jobs.monitoring import quality_report
from jobs.monitoring.predictions import ScoredRequest

from .label_files import as_table, labels_and_scores, singles


def test_multiclass_quality_uses_all_scores(predicted, put, judged):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 500)
    scores = rng.dirichlet([1, 1, 1], 500) * 0.5 + np.eye(3)[truth] * 0.5
    predicted(singles(scores), width=3)
    put(as_table(np.array(["blue", "green", "red"])[truth]).to_csv(index=False), "labels.csv")
    quality = judged("multiclass_classification", ["blue", "green", "red"])
    wanted = metrics.values("multiclass_classification", truth, scores)
    assert {name: each["value"] for name, each in quality.metrics.items()} == pytest.approx(wanted)


def test_regression_is_judged_by_its_errors(predicted, put, judged):
    rng = np.random.default_rng(0)
    scores = rng.normal(100, 10, 400)
    truth = (scores + rng.normal(0, 5, 400)).round(3)
    predicted(singles(scores))
    put(as_table(truth).to_csv(index=False), "labels.csv")
    quality = judged("regression", None, gate={"metric": "rmse", "maximum": 4.0})
    assert quality.metrics["rmse"]["low"] < 5 < quality.metrics["rmse"]["high"]
    assert quality.worse
    assert quality.shortfall == pytest.approx(quality.metrics["rmse"]["low"] - 4.0)
    (violation,) = quality_report.violations(quality)["violations"]
    assert violation["constraint_check_type"] == "GreaterThanThreshold"


def test_labels_of_one_class_give_no_auc(predicted, put, judged):
    _, scores = labels_and_scores()
    predicted(singles(scores))
    put(as_table(np.ones(400, int)).to_csv(index=False), "labels.csv")
    quality = judged()
    assert not quality.judged
    assert quality.reason == "auc cannot be measured: all 400 labels are the same"
    assert "auc" not in quality_report.metrics_of(quality)
    json.dumps(quality.metrics, allow_nan=False)


def test_low_label_coverage_is_not_judged(predicted, put, judged):
    truth, scores = labels_and_scores(2000)
    predicted(singles(scores))
    put(as_table(truth[:300]).to_csv(index=False), "labels.csv")
    assert judged().judged
    few = judged(monitoring={"quality": {"minimum_coverage": 0.2}})
    assert not few.judged
    assert few.reason == (
        "not enough labels yet: 300 of 2000 records have one (15.0%); at least 200 and 20.0% are needed"
    )


def test_predictions_before_the_window_are_not_judged(predicted, put, judged):
    truth, scores = labels_and_scores()
    predicted(singles(scores))
    put(as_table(truth).to_csv(index=False), "labels.csv")
    assert judged(later=6, monitoring={"quality": {"window": "7d"}}).labelled == 400
    assert judged(later=8, monitoring={"quality": {"window": "7d"}}).records == 0


def test_first_prediction_of_a_repeated_id_counts(predicted, put, judged):
    truth, scores = labels_and_scores()
    predicted(singles(scores), name="a")
    later = [ScoredRequest(each.id, each.seconds + 60, 1 - each.scores) for each in singles(scores)]
    predicted(later, name="b")
    put(as_table(truth).to_csv(index=False), "labels.csv")
    quality = judged()
    assert quality.records == 400
    assert quality.metrics["auc"]["value"] > 0.7


def test_margin_compares_with_the_value_at_the_gate(predicted, put, judged):
    truth, scores = labels_and_scores(2000)
    predicted(singles(scores))
    put(as_table(truth).to_csv(index=False), "labels.csv")
    at_gate = {"metrics": {"auc": {"value": 0.99}}}
    gate = {"metric": "auc", "minimum": 0.7}
    assert not judged(evaluation=at_gate, gate=gate).worse
    strict = judged(evaluation=at_gate, gate=gate, monitoring={"quality": {"margin": 0.02}})
    assert strict.worse
    assert strict.limit == pytest.approx(0.97)


def test_version_without_classes_is_not_judged(predicted, put, judged):
    predicted(singles([0.5] * 300))
    put(as_table(np.ones(300, int)).to_csv(index=False), "labels.csv")
    assert judged(classes=None).reason == "version 3 was registered without its classes; the next one can be judged"
