"""How much better a version is than the champion on the same test rows, with an interval.

The rows are the same, so the interval is of the difference (paired) and not of each version: luck with the rows, which both
versions share, cancels out. Its standard deviation is that of the bootstrap replicates' differences, its width that of Student's
distribution: the percentiles of a bootstrap are too narrow with few rows. How often it is wrong, and what it finds, is measured
by benchmarks/gate_trials.py (docs/explanation/gate.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from ..metrics import LESS_IS_BETTER, Bootstrap
from .labels import Labels

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Advantage:
    """How much better the new version is, in units of the metric; positive is better, also of an error. `low`, `high`: 95 %."""

    value: float
    low: float
    high: float


def compare(metric: str, new: Bootstrap, champion: Bootstrap, labels: Labels) -> Advantage:
    """The advantage of the new version, from bootstraps of both with the same seed."""
    spread = new.spread[metric] - champion.spread[metric]
    spread = spread[~np.isnan(spread)]
    deviation = float(spread.std()) if len(spread) else 0.0
    return _advantage(metric, new, champion, deviation, degrees_of_freedom(labels))


def compare_apart(metric: str, new: Bootstrap, champion: Bootstrap, labels: Sequence[Labels]) -> Advantage:
    """The advantage of the new version on rows of its own, from bootstraps with different seeds: the variances add up.

    `labels`: those of both versions' rows.
    """
    variance = sum(float(np.nanvar(each.spread[metric])) for each in (new, champion))
    freedom = min(degrees_of_freedom(each) for each in labels)
    return _advantage(metric, new, champion, variance**0.5, freedom)


def _advantage(metric: str, new: Bootstrap, champion: Bootstrap, deviation: float, freedom: int) -> Advantage:
    """The advantage with its interval, from the standard deviation of the difference."""
    sign = -1.0 if metric in LESS_IS_BETTER else 1.0
    value = sign * (new.values[metric] - champion.values[metric])
    width = float(special.stdtrit(freedom, (1 + CONFIDENCE) / 2)) * deviation
    return Advantage(value, value - width, value + width)


def degrees_of_freedom(labels: Labels) -> int:
    """The rows less one; in classification those of the rarest class, which decide how far a metric can be trusted."""
    if labels.problem == "regression":
        return max(1, len(labels.truth) - 1)
    counts = np.bincount(labels.truth)
    return max(1, int(counts[counts > 0].min()) - 1)
