"""Quality measures with confidence intervals, deterministic.

Intervals are the 2.5 % and 97.5 % quantiles of 200 Poisson bootstrap replicates
(Efron and Tibshirani 1993; Chamandy et al. 2012).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import metrics as sk

REPLICATES = 200
MAX_BOOTSTRAP_ROWS = 20_000
THRESHOLD = 0.5
EPSILON = 1e-15

type Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def _binary() -> dict[str, Measure]:
    def at_threshold(function: Any, **more: Any) -> Measure:
        return lambda y, s, w: float(function(y, s >= THRESHOLD, sample_weight=w, **more))

    return {
        "auc": lambda y, s, w: float(sk.roc_auc_score(y, s, sample_weight=w)),
        "accuracy": at_threshold(sk.accuracy_score),
        "f1": at_threshold(sk.f1_score, zero_division=0.0),
        "precision": at_threshold(sk.precision_score, zero_division=0.0),
        "recall": at_threshold(sk.recall_score, zero_division=0.0),
        "average_precision": lambda y, s, w: float(sk.average_precision_score(y, s, sample_weight=w)),
        "log_loss": lambda y, s, w: float(
            sk.log_loss(y, np.clip(s, EPSILON, 1 - EPSILON), sample_weight=w, labels=[0, 1])
        ),
        "brier": lambda y, s, w: float(np.average((s - y) ** 2, weights=w)),
    }


def _multiclass(classes: int) -> dict[str, Measure]:
    labels = list(range(classes))
    return {
        "accuracy": lambda y, s, w: float(sk.accuracy_score(y, s.argmax(axis=1), sample_weight=w)),
        "f1_macro": lambda y, s, w: float(sk.f1_score(y, s.argmax(axis=1), average="macro", sample_weight=w)),
        "log_loss": lambda y, s, w: float(sk.log_loss(y, np.clip(s, EPSILON, 1), sample_weight=w, labels=labels)),
    }


REGRESSION: dict[str, Measure] = {
    "rmse": lambda y, s, w: float(np.sqrt(np.average((y - s) ** 2, weights=w))),
    "mae": lambda y, s, w: float(np.average(np.abs(y - s), weights=w)),
    "r2": lambda y, s, w: float(sk.r2_score(y, s, sample_weight=w)),
}


def measures(problem: str, classes: int) -> dict[str, Measure]:
    """The measures of a problem, by name."""
    if problem == "regression":
        return REGRESSION
    return _binary() if problem == "binary_classification" else _multiclass(classes)


def evaluate(problem: str, truth: np.ndarray, scores: np.ndarray, seed: int) -> dict[str, dict[str, float]]:
    """Every measure: value, low, high and standard deviation. `truth` holds class indexes for classification."""
    classes = int(scores.shape[1]) if scores.ndim > 1 else 2
    rng = np.random.default_rng(seed)
    weights = rng.poisson(1.0, (REPLICATES, min(len(truth), MAX_BOOTSTRAP_ROWS)))
    found: dict[str, dict[str, float]] = {}
    for name, measure in measures(problem, classes).items():
        value = measure(truth, scores, np.ones(len(truth)))
        size = weights.shape[1]
        # A prefix of rows widens the interval by the square root of what is left out; scale it back.
        scale = np.sqrt(size / len(truth))
        replicates = np.array([_replicate(measure, truth[:size], scores[:size], w) for w in weights])
        replicates = replicates[~np.isnan(replicates)]
        spread = (replicates - replicates.mean()) * scale if len(replicates) else np.zeros(1)
        low, high = np.quantile(spread, [0.025, 0.975])
        found[name] = {
            "value": value,
            "low": value + low,
            "high": value + high,
            "standard_deviation": float(spread.std()),
        }
    return found


def _replicate(measure: Measure, truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    try:
        return measure(truth, scores, weights)
    except ValueError:
        return float("nan")  # a replicate without one of the classes
