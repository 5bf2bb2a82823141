"""Drifted or not, per column and in all: a change must be large enough to matter and too large to be chance.

Effect: total variation distance between the two distributions over bins, categories and nulls, less the distance that two
samples of these sizes from one distribution would show on average. It is a share of rows: 0.05 means that one row in twenty
is now somewhere else. Significance: Pearson's chi-squared test of homogeneity on the same table, with Holm's correction over
the columns, so that a whole check alarms by chance at most at the chosen rate. Source: docs/reference/drift.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from scipy import stats

from .profile import ColumnProfile, Profile

MIN_EXPECTED = 5.0
SHOWN_BINS = 3


@dataclass(frozen=True)
class DriftLimits:
    """What counts as drift."""

    effect: float = 0.03
    false_alarm_rate: float = 0.01
    minimum_rows: int = 200

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """From `monitoring.drift` of the settings."""
        return cls(**{name: settings[name] for name in cls.__dataclass_fields__ if name in settings})


@dataclass
class ColumnDrift:
    """The comparison of one column. `moved` are the bins that changed most: (name, share before, share now)."""

    name: str
    effect: float
    p_value: float
    drifted: bool = False
    reason: str = ""
    importance: float | None = None
    moved: list[tuple[str, float, float]] = field(default_factory=list)


@dataclass
class DriftReport:
    """The comparison of all columns."""

    rows: int
    reference_rows: int
    columns: list[ColumnDrift]
    decided: bool
    reason: str

    @property
    def drifted(self) -> list[ColumnDrift]:
        """Columns that drifted, the ones that matter most to the model first."""
        found = [column for column in self.columns if column.drifted]
        return sorted(found, key=lambda column: -(column.importance or 0.0) * column.effect - column.effect * 1e-6)


def decide(
    reference: Profile, current: Profile, limits: DriftLimits, importance: Mapping[str, float] | None = None
) -> DriftReport:
    """Compare two profiles with the same bins. Below `minimum_rows` nothing is decided."""
    columns = [
        compare(name, before, current.columns[name])
        for name, before in reference.columns.items()
        if name in current.columns
    ]
    for column in columns:
        column.importance = (importance or {}).get(column.name)
    if current.rows < limits.minimum_rows:
        reason = f"{current.rows} rows are too few to decide; at least {limits.minimum_rows} are needed"
        return DriftReport(current.rows, reference.rows, columns, False, reason)
    significant = holm([column.p_value for column in columns], limits.false_alarm_rate)
    for column, is_significant in zip(columns, significant, strict=True):
        column.drifted = bool(is_significant and column.effect >= limits.effect)
        column.reason = _words(column, is_significant, limits)
    drifted = [column.name for column in columns if column.drifted]
    reason = f"drifted: {', '.join(drifted)}" if drifted else "no column drifted"
    return DriftReport(current.rows, reference.rows, columns, True, reason)


def compare(name: str, before: ColumnProfile, now: ColumnProfile) -> ColumnDrift:
    """Effect and p value of one column."""
    old = np.asarray([*before.counts, before.counted_nulls], dtype="float64")
    new = np.asarray([*now.counts, now.counted_nulls], dtype="float64")
    if not old.sum() or not new.sum():
        return ColumnDrift(name, 0.0, 1.0)
    old_share, new_share = old / old.sum(), new / new.sum()
    distance = float(np.abs(old_share - new_share).sum() / 2)
    effect = max(0.0, distance - _chance(old, new))
    order = np.argsort(-np.abs(new_share - old_share))[:SHOWN_BINS]
    labels = [*(before.label(index) for index in range(len(before.counts))), "(missing)"]
    moved = [
        (labels[index], float(old_share[index]), float(new_share[index]))
        for index in order
        if old_share[index] != new_share[index]
    ]
    return ColumnDrift(name, effect, _p_value(old, new), moved=moved)


def _chance(old: np.ndarray, new: np.ndarray) -> float:
    """Mean total variation distance of two samples of one distribution: the bins' normal approximation."""
    pooled = (old + new) / (old.sum() + new.sum())
    deviation = np.sqrt(pooled * (1 - pooled) * (1 / old.sum() + 1 / new.sum()))
    return float(deviation.sum() * np.sqrt(2 / np.pi) / 2)


def _p_value(old: np.ndarray, new: np.ndarray) -> float:
    """Pearson's chi-squared test; bins that are expected to hold less than five are merged first."""
    share = new.sum() / (old.sum() + new.sum())
    expected = (old + new) * min(share, 1 - share)
    small = expected < MIN_EXPECTED
    table = np.vstack([np.append(old[~small], old[small].sum()), np.append(new[~small], new[small].sum())])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    result: Any = stats.chi2_contingency(table, correction=False)
    return float(result.pvalue)


def holm(p_values: list[float], alpha: float) -> list[bool]:
    """Which hypotheses are rejected with a familywise error of at most `alpha` (Holm 1979)."""
    rejected = [False] * len(p_values)
    for rank, index in enumerate(np.argsort(p_values)):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected


def _words(column: ColumnDrift, significant: bool, limits: DriftLimits) -> str:
    if column.drifted:
        name, before, now = column.moved[0]
        return f"{column.effect:.1%} of the rows moved; most: {name}, {before:.1%} before, {now:.1%} now"
    if significant:
        return f"moved by {column.effect:.1%} of the rows, less than the {limits.effect:.1%} that matter"
    return "no more than chance"
