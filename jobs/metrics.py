"""Metrics of model quality with confidence intervals: scikit-learn's weighted metrics for many weightings at once.

The same rows and seed give the same values.

Intervals are the 2.5 % and 97.5 % quantiles of 200 Poisson bootstrap replicates (Efron and Tibshirani 1993; Chamandy et al.
2012): a replicate weighs every row with a draw from Poisson(1). A block of replicates is a matrix (replicates x rows), so
counts and losses are one product with it, and curves one sort of the scores and cumulative sums along the rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

REPLICATES = 200
MAX_BOOTSTRAP_ROWS = 20_000
BLOCK_VALUES = 1 << 19
"""Weights in memory at a time: 4 MB, and a few arrays of that size."""
THRESHOLD = 0.5
EPSILON = 1e-15
LESS_IS_BETTER = {"log_loss", "brier", "rmse", "mae"}

Values: TypeAlias = dict[str, np.ndarray]
"""By metric: one value per replicate, NaN where it is undefined, as auc with one class only."""
Measures: TypeAlias = Callable[[np.ndarray], Values]
"""A function of weights (replicates x rows)."""


def measures(problem: str, truth: np.ndarray, scores: np.ndarray) -> Measures:
    """The metrics of these rows. `truth`: class indexes or numbers, (rows,); `scores`: (rows,), multiclass (rows x classes)."""
    if problem == "regression":
        return _regression(truth, scores)
    return _binary(truth, scores) if problem == "binary_classification" else _multiclass(truth, scores)


def values(problem: str, truth: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """Every metric by name, all rows with the same weight."""
    measured = measures(problem, truth, scores)(np.ones((1, len(truth))))
    return {name: float(each[0]) for name, each in measured.items()}


@dataclass(frozen=True)
class Bootstrap:
    """The metrics of a version on some rows. `spread`: by metric, how far each replicate is from their mean, NaN where undefined.

    Two versions on the same rows with the same seed have the same weights in each replicate, so their spreads are paired.
    """

    values: dict[str, float]
    spread: Values
    rows: int


def bootstrap(problem: str, truth: np.ndarray, scores: np.ndarray, seed: int) -> Bootstrap:
    """Every metric with its replicates. Of more than MAX_BOOTSTRAP_ROWS rows, a sample is weighted."""
    rng = np.random.default_rng(seed)
    rows = np.arange(len(truth))
    if len(truth) > MAX_BOOTSTRAP_ROWS:
        rows = np.sort(rng.choice(len(truth), MAX_BOOTSTRAP_ROWS, replace=False))
    measure = measures(problem, truth[rows], scores[rows])
    blocks = [measure(weights) for weights in _weights(rng, len(rows))]
    # A sample of the rows has an interval that is wider by the square root of its share; scale it back.
    scale = np.sqrt(len(rows) / len(truth))
    found, spread = values(problem, truth, scores), {}
    for name in found:
        replicates = np.concatenate([block[name] for block in blocks])
        defined = replicates[~np.isnan(replicates)]
        spread[name] = (replicates - (defined.mean() if len(defined) else 0.0)) * scale
    return Bootstrap(found, spread, len(truth))


def evaluate(problem: str, truth: np.ndarray, scores: np.ndarray, seed: int) -> dict[str, dict[str, float]]:
    """Every metric by name: value, low and high (95 % interval) and standard_deviation."""
    return intervals(bootstrap(problem, truth, scores, seed))


def intervals(measured: Bootstrap) -> dict[str, dict[str, float]]:
    """Every metric by name: value, low and high (95 % interval) and standard_deviation."""
    found: dict[str, dict[str, float]] = {}
    for name, value in measured.values.items():
        spread = measured.spread[name]
        spread = spread[~np.isnan(spread)] if not np.isnan(spread).all() else np.zeros(1)
        low, high = np.quantile(spread, [0.025, 0.975])
        found[name] = {
            "value": value,
            "low": float(value + low),
            "high": float(value + high),
            "standard_deviation": float(spread.std()),
        }
    return found


def _weights(rng: np.random.Generator, rows: int) -> Iterator[np.ndarray]:
    """Blocks of Poisson weights; their values do not depend on the size of a block."""
    size = max(1, BLOCK_VALUES // rows)
    for start in range(0, REPLICATES, size):
        yield rng.poisson(1.0, (min(size, REPLICATES - start), rows)).astype("float64")


def _binary(truth: np.ndarray, scores: np.ndarray) -> Measures:
    positive, chosen = truth == 1, scores >= THRESHOLD
    likely = np.clip(scores, EPSILON, 1 - EPSILON)
    log_loss = -np.where(positive, np.log(likely), np.log1p(-likely))
    counted = np.column_stack([positive & chosen, positive, chosen, log_loss, (scores - positive) ** 2])
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sorted_positive = positive[order].astype("float64")

    def measure(weights: np.ndarray) -> Values:
        total = weights.sum(axis=1)
        hits, positives, choices, log_sum, square_sum = (weights @ counted).T
        negatives = total - positives
        # Rows with the same score are one step of the curve.
        ranked = weights[:, order]
        steps = np.add.reduceat(ranked * sorted_positive, starts, axis=1)
        true_positives = steps.cumsum(axis=1)
        all_steps = np.add.reduceat(ranked, starts, axis=1)
        area = ((all_steps - steps) * (true_positives - steps / 2)).sum(axis=1)
        precision = (steps * _divide(true_positives, all_steps.cumsum(axis=1))).sum(axis=1)
        return {
            "auc": _divide(area, positives * negatives, np.nan),
            "accuracy": _divide(total - positives - choices + 2 * hits, total, np.nan),
            "f1": _divide(2 * hits, positives + choices),
            "precision": _divide(hits, choices),
            "recall": _divide(hits, positives),
            "average_precision": _divide(precision, positives),
            "log_loss": _divide(log_sum, total, np.nan),
            "brier": _divide(square_sum, total, np.nan),
        }

    return measure


def _multiclass(truth: np.ndarray, scores: np.ndarray) -> Measures:
    chosen = scores.argmax(axis=1)
    right = truth == chosen
    log_loss = -np.log(np.clip(scores[np.arange(len(truth)), truth], EPSILON, 1))
    seen = np.union1d(truth, chosen)
    per_row = np.column_stack([right, log_loss])
    of_truth, of_choice, of_right = _Groups(truth, seen), _Groups(chosen, seen), _Groups(truth[right], seen)

    def measure(weights: np.ndarray) -> Values:
        total = weights.sum(axis=1)
        hits, log_sum = (weights @ per_row).T
        f1 = _divide(2 * of_right.sums(weights[:, right]), of_truth.sums(weights) + of_choice.sums(weights))
        return {
            "accuracy": _divide(hits, total, np.nan),
            "f1_macro": f1.mean(axis=1),
            "log_loss": _divide(log_sum, total, np.nan),
        }

    return measure


class _Groups:
    """Sums of weights by class, without an array of (rows x classes)."""

    def __init__(self, labels: np.ndarray, classes: np.ndarray) -> None:
        self._order = np.argsort(labels, kind="stable")
        present, self._starts = np.unique(labels[self._order], return_index=True)
        self._columns, self._classes = np.searchsorted(classes, present), len(classes)

    def sums(self, weights: np.ndarray) -> np.ndarray:
        """(replicates x classes)."""
        sums = np.zeros((len(weights), self._classes))
        if len(self._starts):
            sums[:, self._columns] = np.add.reduceat(weights[:, self._order], self._starts, axis=1)
        return sums


def _regression(truth: np.ndarray, scores: np.ndarray) -> Measures:
    missed = truth - scores
    centred = truth - truth.mean()  # differences of large squares would lose their digits
    per_row = np.column_stack([missed**2, np.abs(missed), centred, centred**2])

    def measure(weights: np.ndarray) -> Values:
        total = weights.sum(axis=1)
        squares, absolutes, sums, spread = (weights @ per_row).T
        variation = np.maximum(0.0, spread - _divide(sums**2, total))
        variation[variation <= 1e-12 * spread] = 0.0  # a constant label: what is left is rounding
        explained = np.where(variation > 0, 1 - _divide(squares, variation), (squares == 0) * 1.0)
        return {
            "rmse": np.sqrt(_divide(squares, total, np.nan)),
            "mae": _divide(absolutes, total, np.nan),
            "r2": np.where(total > 0, explained, np.nan),
        }

    return measure


def _divide(above: np.ndarray, below: np.ndarray, undefined: float = 0.0) -> np.ndarray:
    """above / below, and `undefined` where below is zero."""
    return np.divide(above, below, out=np.full(np.shape(above), undefined), where=below > 0)
