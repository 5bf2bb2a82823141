"""The paired interval of the difference between two versions."""

import numpy as np
import pytest
from scipy import stats

from jobs import metrics
from jobs.evaluation.comparison import Advantage, compare, compare_apart, degrees_of_freedom
from jobs.evaluation.labels import Labels


def bootstraps(problem: str, truth: np.ndarray, *scores: np.ndarray) -> list[metrics.Bootstrap]:
    return [metrics.bootstrap(problem, truth, each, 0) for each in scores]


def regression(rows: int, seed: int = 0) -> tuple[Labels, np.ndarray, np.ndarray]:
    """Labels, and the scores of two versions with the same distribution of errors, half of which both share."""
    truth, shared, first, second = np.random.default_rng(seed).normal(size=(4, rows))
    return Labels("regression", truth, []), truth + shared + first, truth + shared + second


def test_interval_is_students_of_paired_differences():
    """Of the mean absolute error, whose difference is a mean over rows."""
    labels, new, champion = regression(400)
    found = compare("mae", *bootstraps("regression", labels.truth, new, champion), labels)
    paired = np.abs(labels.truth - champion) - np.abs(labels.truth - new)
    assert found.value == pytest.approx(paired.mean())
    half = stats.t.ppf(0.975, 399) * paired.std() / np.sqrt(400)
    assert (found.high - found.value) == pytest.approx(half, rel=0.15)
    assert (found.value - found.low) == pytest.approx(found.high - found.value)


def test_versions_that_share_their_luck_have_a_narrow_interval():
    labels, new, _ = regression(400)
    found = compare("mae", *bootstraps("regression", labels.truth, new, new + 0.001), labels)
    alone = metrics.intervals(metrics.bootstrap("regression", labels.truth, new, 0))["mae"]
    assert found.high - found.low < 0.01 * (alone["high"] - alone["low"])


def test_same_scores_have_no_difference():
    labels, new, _ = regression(50)
    assert compare("rmse", *bootstraps("regression", labels.truth, new, new), labels) == Advantage(0.0, 0.0, 0.0)


@pytest.mark.parametrize(("metric", "sign"), [("rmse", -1), ("r2", 1)])
def test_better_version_has_a_positive_advantage(metric, sign):
    labels, new, champion = regression(2_000)
    better = (new + labels.truth) / 2
    both = bootstraps("regression", labels.truth, better, champion)
    found = compare(metric, *both, labels)
    assert found.value == sign * (both[0].values[metric] - both[1].values[metric]) > 0
    assert found.low > 0
    back = compare(metric, both[1], both[0], labels)
    assert (back.value, back.low, back.high) == pytest.approx((-found.value, -found.high, -found.low))


def test_versions_on_rows_of_their_own_have_an_interval_of_both():
    """Its degrees of freedom are those of the fewer rows."""
    (many, new, _), (few, champion, _) = regression(300), regression(10, seed=1)
    both = [
        metrics.bootstrap("regression", many.truth, new, 0),
        metrics.bootstrap("regression", few.truth, champion, 1),
    ]
    found = compare_apart("mae", *both, [many, few])
    half = stats.t.ppf(0.975, 9) * np.sqrt(sum(each.spread["mae"].var() for each in both))
    assert found.value == both[1].values["mae"] - both[0].values["mae"]
    assert (found.high - found.value, found.value - found.low) == pytest.approx((half, half))


def test_many_rows_are_sampled_with_the_same_interval(monkeypatch):
    labels, new, champion = regression(8_000)
    whole = compare("mae", *bootstraps("regression", labels.truth, new, champion), labels)
    monkeypatch.setattr(metrics, "MAX_BOOTSTRAP_ROWS", 2_000)
    sampled = compare("mae", *bootstraps("regression", labels.truth, new, champion), labels)
    assert sampled.value == whole.value
    assert (sampled.high - sampled.low) == pytest.approx(whole.high - whole.low, rel=0.2)


def test_undefined_replicates_are_left_out():
    """Replicates without a row of the rare class have no auc."""
    truth = np.repeat([0, 1], [30, 2])
    scores = np.random.default_rng(0).random((2, 32))
    labels = Labels("binary_classification", truth, [0, 1])
    both = bootstraps(labels.problem, truth, *scores)
    assert np.isnan(both[0].spread["auc"]).any()
    found = compare("auc", *both, labels)
    assert np.isfinite([found.low, found.high]).all()
    assert found.high - found.low > 1  # one degree of freedom: two positive rows say nothing


@pytest.mark.parametrize(
    ("problem", "truth", "expected"),
    [
        ("regression", [0.5] * 22, 21),
        ("regression", [0.5], 1),
        ("binary_classification", [0] * 17 + [1] * 5, 4),
        ("binary_classification", [0] * 17 + [1], 1),
        ("multiclass_classification", [0] * 7 + [2] * 5 + [3] * 9, 4),
    ],
)
def test_degrees_of_freedom_are_those_of_the_rarest_class(problem, truth, expected):
    assert degrees_of_freedom(Labels(problem, np.array(truth), [0, 1, 2, 3])) == expected


def test_equal_versions_are_seldom_worse_on_22_rows():
    """By the difference alone, two of five are; by its interval at most one of forty should be (benchmarks/gate_trials.py)."""
    worse_alone = worse = 0
    for seed in range(200):
        labels, new, champion = regression(22, seed)
        found = compare("rmse", *bootstraps("regression", labels.truth, new, champion), labels)
        worse_alone += found.value < -0.01
        worse += found.high < -0.01
    assert worse_alone > 60
    assert worse <= 12
