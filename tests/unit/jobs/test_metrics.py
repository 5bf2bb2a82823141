"""Metrics of weighted rows against scikit-learn's, and the coverage of the intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from jobs import metrics
from model_factory.config import METRICS

REPLICATES = 4


@st.composite
def weighted(draw: st.DrawFn, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores on a coarse grid (so with ties), and weights with zeros, also for all rows of a class."""
    rows = draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = rng.integers(0, draw(st.integers(1, classes)), rows)
    scores = rng.integers(0, draw(st.sampled_from([1, 2, 5, 1000])) + 1, (rows, classes)) + 0.0
    weights = rng.poisson(draw(st.sampled_from([0.2, 1.0])), (REPLICATES, rows)).astype("float64")
    weights[:, 0] += 1  # a replicate of nothing has no measures
    return truth, scores, weights


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(weighted(2))
@pytest.mark.filterwarnings("ignore")
def test_binary_metrics_equal_scikit_learns(rows):
    truth, scores, weights = rows
    scores = scores[:, 1] / max(1.0, scores[:, 1].max())
    found = metrics.measures("binary_classification", truth, scores)(weights)
    chosen, likely = scores >= 0.5, np.clip(scores, 1e-15, 1 - 1e-15)
    for index, w in enumerate(weights):
        expected = {
            "auc": sk.roc_auc_score(truth, scores, sample_weight=w) if _two(truth, w) else np.nan,
            "accuracy": sk.accuracy_score(truth, chosen, sample_weight=w),
            "f1": sk.f1_score(truth, chosen, sample_weight=w, zero_division=0.0),
            "precision": sk.precision_score(truth, chosen, sample_weight=w, zero_division=0.0),
            "recall": sk.recall_score(truth, chosen, sample_weight=w, zero_division=0.0),
            "average_precision": sk.average_precision_score(truth, scores, sample_weight=w),
            "log_loss": sk.log_loss(truth, likely, sample_weight=w, labels=[0, 1]),
            "brier": np.average((scores - truth) ** 2, weights=w),
        }
        for name, value in expected.items():
            assert found[name][index] == pytest.approx(value, abs=1e-12, nan_ok=True), name


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(weighted(4))
@pytest.mark.filterwarnings("ignore")
def test_multiclass_metrics_equal_scikit_learns(rows):
    truth, scores, weights = rows
    scores = (scores + 1) / (scores + 1).sum(axis=1, keepdims=True)
    found = metrics.measures("multiclass_classification", truth, scores)(weights)
    chosen = scores.argmax(axis=1)
    for index, w in enumerate(weights):
        expected = {
            "accuracy": sk.accuracy_score(truth, chosen, sample_weight=w),
            "f1_macro": sk.f1_score(truth, chosen, average="macro", sample_weight=w, zero_division=0.0),
            "log_loss": sk.log_loss(truth, scores, sample_weight=w, labels=range(4)),
        }
        for name, value in expected.items():
            assert found[name][index] == pytest.approx(value, abs=1e-12), name


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(weighted(3), st.sampled_from([0.0, 1e6]))
@pytest.mark.filterwarnings("ignore")
def test_regression_metrics_equal_scikit_learns(rows, far):
    labels, scores, weights = rows
    truth, scores = labels + far, scores[:, 0] + far
    found = metrics.measures("regression", truth, scores)(weights)
    for index, w in enumerate(weights):
        expected = {
            "rmse": np.sqrt(sk.mean_squared_error(truth, scores, sample_weight=w)),
            "mae": sk.mean_absolute_error(truth, scores, sample_weight=w),
            # Of rows without weight scikit-learn's denominator knows nothing either.
            "r2": sk.r2_score(truth[w > 0], scores[w > 0], sample_weight=w[w > 0]) if _two(truth, w) else None,
        }
        for name, value in expected.items():
            if value is not None:
                assert found[name][index] == pytest.approx(value, rel=1e-9, abs=1e-9), name


def _two(truth: np.ndarray, weights: np.ndarray) -> bool:
    return len(np.unique(truth[weights > 0])) > 1


def test_r2_of_a_constant_label_equals_scikit_learns():
    truth = np.full(5, 1e7 + 0.1)
    for scores in (truth, truth + 1):
        found = metrics.values("regression", truth, scores)
        assert found["r2"] == sk.r2_score(truth, scores)


def test_every_metric_of_a_gate_is_measured():
    rng = np.random.default_rng(0)
    scores = {"binary_classification": rng.random(50), "regression": rng.random(50)}
    scores["multiclass_classification"] = rng.dirichlet(np.ones(3), 50)
    truth = rng.integers(0, 2, 50)
    for problem, names in METRICS.items():
        assert set(metrics.values(problem, truth, scores[problem])) == set(names)


def test_intervals_depend_on_the_seed_only(monkeypatch):
    rng = np.random.default_rng(1)
    truth, scores = rng.integers(0, 2, 300), rng.random(300)
    first = metrics.evaluate("binary_classification", truth, scores, 7)
    monkeypatch.setattr(metrics, "BLOCK_VALUES", 1000)
    second = metrics.evaluate("binary_classification", truth, scores, 7)
    other = metrics.evaluate("binary_classification", truth, scores, 8)
    for name, each in first.items():
        assert second[name] == pytest.approx(each)
    assert other["auc"]["low"] != first["auc"]["low"]


@pytest.mark.slow
def test_intervals_cover_the_true_value_at_their_rate():
    covered, runs = 0, 200
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, 2, 400)
        right = rng.random(400) < 0.8
        scores = np.where(right, truth, 1 - truth).astype("float64")
        found = metrics.evaluate("binary_classification", truth, scores, seed)["accuracy"]
        covered += found["low"] <= 0.8 <= found["high"]
    assert 0.88 <= covered / runs <= 0.99  # 95 % less sampling: binomial(200, 0.95) is outside in one of ten thousand


def test_sampled_rows_give_the_interval_of_all_rows(monkeypatch):
    rng = np.random.default_rng(2)
    truth = np.sort(rng.integers(0, 2, 8000))  # sorted: a prefix would hold one class only
    scores = np.clip(rng.normal(0.4 + 0.2 * truth, 0.2), 0, 1)
    whole = metrics.evaluate("binary_classification", truth, scores, 0)["auc"]
    monkeypatch.setattr(metrics, "MAX_BOOTSTRAP_ROWS", 1000)
    part = metrics.evaluate("binary_classification", truth, scores, 0)["auc"]
    assert part["value"] == whole["value"]
    assert part["high"] - part["low"] == pytest.approx(whole["high"] - whole["low"], rel=0.4)


def test_replicates_with_one_class_are_left_out():
    truth = np.array([1] + [0] * 20)
    found = metrics.evaluate("binary_classification", truth, np.linspace(0, 1, 21), 0)
    assert all(np.isfinite(list(each.values())).all() for each in found.values())
