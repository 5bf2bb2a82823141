"""Calibration: predicted scores against what happened, in bins of about equal numbers of test rows."""

from typing import Any

import numpy as np
from scipy import special

from .labels import Labels

BINS = 10
MIN_BIN_ROWS = 30
"""Fewer rows in a bin say nothing; few test rows get fewer bins."""
_LOW, _HIGH = 0.025, 0.975


def calibration(scores: np.ndarray, labels: Labels) -> dict[str, Any]:
    """`calibration` of explanation.json: bins with the mean score, the observed mean, its 95 % interval and the rows.

    Binary: the class's share against its probability. Multiclass: how often the class with the largest score is the right one,
    against that score. Regression: the mean label against the mean prediction; the interval is that of a mean.
    `error`: mean distance between both, weighted by rows (expected calibration error).
    """
    predicted, observed = _pairs(scores, labels)
    bins = _bins(predicted)
    found = [_bin(predicted[bins == each], observed[bins == each], labels.problem) for each in np.unique(bins)]
    distance = sum(each["rows"] * abs(each["predicted"] - each["observed"]) for each in found)
    return {"bins": found, "error": distance / len(predicted)}


def _bins(predicted: np.ndarray) -> np.ndarray:
    """The bin of each row. Rows with the same prediction are in the same one, whatever their order."""
    bins = max(1, min(BINS, len(predicted) // MIN_BIN_ROWS))
    _, where, counts = np.unique(predicted, return_inverse=True, return_counts=True)
    middles = counts.cumsum() - counts / 2
    return np.minimum(bins - 1, (middles * bins / len(predicted)).astype(int))[where]


def _pairs(scores: np.ndarray, labels: Labels) -> tuple[np.ndarray, np.ndarray]:
    if labels.problem == "multiclass_classification":
        chosen = scores.argmax(axis=1)
        return scores.max(axis=1), (chosen == labels.truth).astype("float64")
    return scores.astype("float64"), labels.truth.astype("float64")


def _bin(predicted: np.ndarray, observed: np.ndarray, problem: str) -> dict[str, Any]:
    rows, mean = len(observed), float(observed.mean())
    if problem == "regression":
        margin = 1.96 * float(observed.std(ddof=1)) / np.sqrt(rows) if rows > 1 else 0.0
        low, high = mean - margin, mean + margin
    else:
        low, high = share_interval(float(observed.sum()), rows)
    return {"predicted": float(predicted.mean()), "observed": mean, "low": low, "high": high, "rows": rows}


def share_interval(hits: float, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share by Jeffreys' prior (Brown, Cai and DasGupta 2001)."""
    low = float(special.betaincinv(hits + 0.5, rows - hits + 0.5, _LOW)) if hits else 0.0
    high = float(special.betaincinv(hits + 0.5, rows - hits + 0.5, _HIGH)) if hits < rows else 1.0
    return low, high
