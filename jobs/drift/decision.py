"""The drift decision, per column and for a whole check: a change must be large enough and significant.

Effect: Cohen's w between the reference and the current data over bins, categories and nulls, less its expectation without a
change, so that it does not depend on the number of rows: a mean that moves by 0.1 standard deviations has an effect of 0.1.
Significance: the smaller of two p values, Pearson's chi-squared over the whole table and the exact hypergeometric one of the
bin that moved most, with Holm's correction over the columns and the scores, so that a whole check has at most the chosen
false-alarm rate. Reasons and measurements: docs/reference/drift.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from scipy import special

from .column import ColumnProfile
from .hypergeometric import lower_tail, upper_tail
from .profile import Profile

MIN_EXPECTED = 10.0
"""Minimum count of a bin in the chi-squared table; with 5 its tail at 1e-4 is twice too heavy (drift.md, calibration)."""
SMALLEST_SHARE = 0.05
"""Smaller bins count in the effect as if they had this share: one new row in ten thousand is not drift."""
SHOWN_BINS = 3


@dataclass(frozen=True)
class DriftLimits:
    """Limits of `monitoring.drift` in model.yaml, which has the defaults: effect, false-alarm rate per check, minimum rows."""

    effect: float
    false_alarm_rate: float
    minimum_rows: int

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """From `monitoring.drift` of the settings."""
        return cls(**{name: settings[name] for name in cls.__dataclass_fields__})


@dataclass
class ColumnDrift:
    """The comparison of one column.

    `effect` is Cohen's w, `share` the share of rows that are in another bin than before, both less what chance adds on average;
    `moved` are the bins that changed most: (name, share before, share now).
    """

    name: str
    effect: float
    p_value: float
    share: float = 0.0
    significant: bool = False
    drifted: bool = False
    reason: str = ""
    importance: float | None = None
    moved: list[tuple[str, float, float]] = field(default_factory=list)


@dataclass
class DriftReport:
    """The comparison of a table. `decided` is False where there were too few rows to say anything."""

    rows: int
    reference_rows: int
    columns: list[ColumnDrift]
    decided: bool = False
    reason: str = ""

    @property
    def drifted(self) -> list[ColumnDrift]:
        """Columns that drifted, ordered by effect times importance, largest first."""
        drifted = [column for column in self.columns if column.drifted]
        return sorted(drifted, key=lambda column: -(column.importance or 0.0) * column.effect - column.effect * 1e-6)


def decide(
    reference: Profile, current: Profile, limits: DriftLimits, importance: Mapping[str, float] | None = None
) -> DriftReport:
    """Compare two profiles with the same bins; with fewer than `minimum_rows` rows nothing is decided."""
    report = compare_all(reference, current, importance)
    judge([report], limits)
    return report


def compare_all(reference: Profile, current: Profile, importance: Mapping[str, float] | None = None) -> DriftReport:
    """Effects and p values of all columns that both have, without a decision."""
    columns = [
        compare(name, before, current.columns[name])
        for name, before in reference.columns.items()
        if name in current.columns
    ]
    for column in columns:
        column.importance = (importance or {}).get(column.name)
    return DriftReport(current.rows, reference.rows, columns)


def judge(reports: Iterable[DriftReport], limits: DriftLimits) -> None:
    """Decide all comparisons of one check in place; the false-alarm rate is that of all of them together."""
    decided = []
    for report in reports:
        report.decided = report.rows >= limits.minimum_rows
        report.reason = "" if report.decided else too_few(report.rows, limits)
        decided += [(report, column) for column in report.columns if report.decided]
    significant = holm([column.p_value for _, column in decided], limits.false_alarm_rate)
    for (_, column), is_significant in zip(decided, significant, strict=True):
        column.significant = is_significant
        column.drifted = bool(is_significant and column.effect >= limits.effect)
        column.reason = _reason(column, limits)
    for report in {id(report): report for report, _ in decided}.values():
        names = [column.name for column in report.drifted]
        report.reason = f"drifted: {', '.join(names)}" if names else "no column drifted"


def too_few(rows: int, limits: DriftLimits) -> str:
    """The reason why nothing was decided."""
    return f"{rows} rows are too few to decide; at least {limits.minimum_rows} are needed"


def compare(name: str, before: ColumnProfile, now: ColumnProfile) -> ColumnDrift:
    """Effect and p value of one column."""
    old, new = before.table(), now.table()
    if not old.sum() or not new.sum():
        return ColumnDrift(name, 0.0, 1.0)
    old_share, new_share = old / old.sum(), new / new.sum()
    order = np.argsort(-np.abs(new_share - old_share), kind="stable")[:SHOWN_BINS]
    moved = [
        (before.label(index), float(old_share[index]), float(new_share[index]))
        for index in order.tolist()
        if old_share[index] != new_share[index]
    ]
    return ColumnDrift(name, effect_size(old, new), p_value(old, new), share_moved(old, new), moved=moved)


def effect_size(old: np.ndarray, new: np.ndarray) -> float:
    """Cohen's w of two tables of counts, less its expectation when both are samples of one distribution."""
    old_share, new_share = old / old.sum(), new / new.sum()
    middle = (old_share + new_share) / 2
    by_chance = old_share * (1 - old_share) / old.sum() + new_share * (1 - new_share) / new.sum()
    squares = ((new_share - old_share) ** 2 - by_chance) / np.maximum(middle, SMALLEST_SHARE)
    return float(np.sqrt(max(0.0, squares.sum())))


def share_moved(old: np.ndarray, new: np.ndarray) -> float:
    """Total variation distance, less the mean of two samples of one distribution (normal approximation by bin)."""
    distance = np.abs(old / old.sum() - new / new.sum()).sum() / 2
    pooled = (old + new) / (old.sum() + new.sum())
    deviation = np.sqrt(pooled * (1 - pooled) * (1 / old.sum() + 1 / new.sum()))
    return float(max(0.0, distance - deviation.sum() * np.sqrt(2 / np.pi) / 2))


def p_value(old: np.ndarray, new: np.ndarray) -> float:
    """p value that both tables are samples of one distribution: the smaller of chi-squared and the largest bin, doubled."""
    return float(min(1.0, 2 * min(_whole_table(old, new), _largest_bin(old, new))))


def _whole_table(old: np.ndarray, new: np.ndarray) -> float:
    """Pearson's chi-squared test; the smallest bins are merged until each is expected to have MIN_EXPECTED rows."""
    n_old, n_new = old.sum(), new.sum()
    expected = (old + new) * (min(n_old, n_new) / (n_old + n_new))
    order = np.argsort(expected, kind="stable")
    together = int((expected < MIN_EXPECTED).sum())
    if together:
        reaches = int(np.searchsorted(np.cumsum(expected[order]), MIN_EXPECTED)) + 1
        together = max(together, reaches)
        small, large = order[:together], order[together:]
        old, new = np.append(old[large], old[small].sum()), np.append(new[large], new[small].sum())
    if len(old) < 2:
        return 1.0
    pooled = (old + new) / (n_old + n_new)
    statistic = ((old / n_old - new / n_new) ** 2 / pooled).sum() * n_old * n_new / (n_old + n_new)
    fraction = n_new / (n_old + n_new)
    # Excess variance of the counts: 1/expected for a small window, zero or less for samples of about the same size.
    excess = (1 - 6 * fraction * (1 - fraction)) / (fraction * (1 - fraction)) * (1 / (old + new)).sum()
    return _upper_tail(statistic, len(old) - 1, max(0.0, float(excess)))


def _upper_tail(statistic: float, freedom: int, excess: float) -> float:
    """Tail of Pearson's statistic, as a shifted and scaled chi-squared distribution with the same first three moments.

    With Poisson counts of mean e each bin adds 2 + 1/e to the variance and 8 + 22/e to the third cumulant; the chi-squared
    distribution leaves out 1/e and 22/e, and its tail at 1e-4 is up to twice too light.
    """
    variance, third = 2 * freedom + excess, 8 * freedom + 22 * excess
    scale = third / (4 * variance)
    degrees = variance / (2 * scale**2)
    return float(special.chdtrc(degrees, max(0.0, (statistic - freedom) / scale + degrees)))


def _largest_bin(old: np.ndarray, new: np.ndarray) -> float:
    """Fisher's exact test of the bin with the largest deviation against all others, Bonferroni over the bins and sides."""
    n_old, n_new = int(old.sum()), int(new.sum())
    both = old + new
    bins = int((both > 0).sum())
    spread = np.sqrt(np.maximum(both * (1 - both / (n_old + n_new)), 1e-12))
    deviation = (new - both * (n_new / (n_old + n_new))) / spread
    index = int(np.argmax(np.abs(deviation)))
    tail = upper_tail if deviation[index] > 0 else lower_tail
    return min(1.0, 2 * bins * tail(int(new[index]), n_old + n_new, int(both[index]), n_new))


def holm(p_values: list[float], alpha: float) -> list[bool]:
    """Which hypotheses are rejected with a familywise error of at most `alpha` (Holm 1979)."""
    rejected = [False] * len(p_values)
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected


def _reason(column: ColumnDrift, limits: DriftLimits) -> str:
    if column.drifted:
        name, before, now = column.moved[0]
        return f"{column.share:.1%} of the rows moved; most: {name}, {before:.1%} before, {now:.1%} now"
    if column.significant:
        return f"significant, but the effect {column.effect:.3f} is below the limit {limits.effect:g}"
    return "no more than chance"
