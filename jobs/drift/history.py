"""Slow drift: the days since the version went live, tested together in windows of 2, 4, 8, 16 and 32 days.

A sequential test: a change too small for one day's rows is in the end too large for a month's. Counts of days on the same bins
add up exactly, so a window of days is tested as a day is, with the reference's own chance accounted for once and not once a
day, as it would be in a sum of daily deviations. Holm's correction goes over columns and windows together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from .decision import ColumnDrift, DriftLimits, DriftReport, compare, judge
from .profile import Profile

WINDOWS = (2, 4, 8, 16, 32)
LONG_DAYS, LONG_SHARE = 8, 0.5
"""A change that lasts so many days matters from this share of the daily limit on."""
CLEAR = 1e-3
"""p value from which on a day counts as one on which a column, found to have drifted, had already moved."""


@dataclass
class Day:
    """What was counted on one day: rows, counts by column (missing values last), and which columns drifted that day."""

    date: str
    rows: int = 0
    columns: dict[str, list[int]] = field(default_factory=dict)
    drifted: list[str] = field(default_factory=list)

    def add(self, profile: Profile, drifted: Iterable[str] = ()) -> None:
        """Add one check's counts."""
        self.drifted = sorted({*self.drifted, *drifted})
        self.rows += profile.rows
        for name, column in profile.columns.items():
            if column.counts:
                counts = np.asarray([*column.counts, column.counted_nulls])
                self.columns[name] = (counts + self.columns.get(name, [0] * len(counts))).tolist()


@dataclass
class History:
    """The last days of one live version; another version begins anew."""

    version: int
    days: list[Day] = field(default_factory=list)

    @classmethod
    def from_report(cls, report: Mapping[str, Any] | None, version: int) -> Self:
        """From the last run's latest.json."""
        kept = (report or {}).get("history")
        if not kept or kept["version"] != version:
            return cls(version)
        return cls(version, [Day(**day) for day in kept["days"]])

    def add(self, date: str, profile: Profile, drifted: Iterable[str] = ()) -> None:
        """Add a check's counts to its day; the oldest days are forgotten."""
        day = next((day for day in self.days if day.date == date), None)
        if day is None:
            day = Day(date)
            self.days = sorted([*self.days, day], key=lambda each: each.date)[-WINDOWS[-1] :]
        day.add(profile, drifted)

    def pooled(self, days: int, reference: Profile) -> Profile:
        """The last days as one profile on the reference's bins.

        Without the columns that drifted on a day of their own: that day had its alarm, and a feed that was mended the day after
        must not go on alarming for a month.
        """
        pooled = reference.empty_like()
        for day in self.days[-days:]:
            pooled.rows += day.rows
            for name, counts in day.columns.items():
                if name in day.drifted:
                    continue
                column = pooled.columns[name]
                column.counts = (np.asarray(column.counts or [0] * (len(counts) - 1)) + counts[:-1]).tolist()
                column.counted_nulls += counts[-1]
                column.nulls += counts[-1]
                column.rows += sum(counts)
        return pooled

    def since(self, reference: Profile, name: str) -> str:
        """The first of the last days without a break on which the column had moved; empty when today is not one."""
        first = ""
        for day in reversed(self.days):
            one = History(self.version, [replace(day, drifted=[])]).pooled(1, reference)
            if name not in day.columns or compare(name, reference.columns[name], one.columns[name]).p_value > CLEAR:
                break
            first = day.date
        return first


def slow_drift(history: History, reference: Profile, limits: DriftLimits) -> DriftReport:
    """Columns that drifted in some window of days, each with the window in which it is clearest."""
    found: list[tuple[int, DriftReport]] = []
    for days in WINDOWS:
        if len(history.days) < days:
            break
        pooled = history.pooled(days, reference)
        columns = [
            compare(name, before, pooled.columns[name])
            for name, before in reference.columns.items()
            if pooled.columns[name].counts
        ]
        found.append((days, DriftReport(pooled.rows, reference.rows, columns)))
    judge([report for _, report in found], limits)
    best: dict[str, ColumnDrift] = {}
    for days, report in found:
        limit = limits.effect * (LONG_SHARE if days >= LONG_DAYS else 1.0)
        for column in report.columns:
            column.drifted = bool(column.significant and column.effect >= limit)
            if column.drifted and (column.name not in best or column.p_value < best[column.name].p_value):
                reason = f"over the last {days} days by {column.effect:.3f}: {column.share:.1%} of the rows moved"
                best[column.name] = replace(column, reason=reason)
    decided = any(report.decided for _, report in found)
    reason = (
        f"slow drift: {', '.join(best)}" if best else "no slow drift" if decided else "too few days or rows to decide"
    )
    return DriftReport(sum(day.rows for day in history.days), reference.rows, list(best.values()), decided, reason)
