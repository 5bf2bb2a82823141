"""Slow drift: the days since the version went live, tested together in windows of 2, 4, 8, 16 and 32 days.

A change that is too small for the rows of one day is significant in those of a month. Counts of days on the same bins add up
exactly, so a window is tested as one day is, and the reference's sampling error counts once; in a sum of daily deviations it
would count every day. Holm's correction is over columns and windows together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from .decision import ColumnDrift, DriftLimits, DriftReport, compare, judge
from .profile import Profile

WINDOWS = (2, 4, 8, 16, 32)
LONG_DAYS, LONG_SHARE = 8, 0.5
"""A change over at least LONG_DAYS days needs only this share of the daily effect limit."""
CLEAR = 1e-3
"""p value up to which a day counts as one on which a drifted column had already moved."""


@dataclass
class Day:
    """The counts of one day: rows, counts by column (missing values last), and the columns that drifted that day."""

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
                self.columns[name] = (counts + self.columns.get(name, 0)).tolist()


@dataclass
class History:
    """The last days of one live version; a new version starts without days."""

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
        """Add a check's counts to its day; only the last 32 days are kept."""
        day = next((day for day in self.days if day.date == date), None)
        if day is None:
            day = Day(date)
            self.days = sorted([*self.days, day], key=lambda each: each.date)[-WINDOWS[-1] :]
        day.add(profile, drifted)

    def pooled(self, days: int, reference: Profile) -> Profile:
        """The last days as one profile on the reference's bins.

        A day is left out for the columns that drifted on it: it had its alarm, and after a repaired feed the alarm must not go
        on for a month.
        """
        pooled = reference.empty_like()
        for day in self.days[-days:]:
            pooled.rows += day.rows
            for name, counts in day.columns.items():
                if name in day.drifted:
                    continue
                column = pooled.columns[name]
                column.counts = (np.asarray(column.counts or 0) + counts[:-1]).tolist()
                column.counted_nulls += counts[-1]
                column.nulls += counts[-1]
                column.rows += sum(counts)
        return pooled

    def since(self, reference: Profile, name: str) -> str:
        """The first of the consecutive last days on which the column had moved; empty when the last day is none."""
        first = ""
        for day in reversed(self.days):
            one = History(self.version, [replace(day, drifted=[])]).pooled(1, reference)
            if name not in day.columns or compare(name, reference.columns[name], one.columns[name]).p_value > CLEAR:
                break
            first = day.date
        return first


def slow_drift(history: History, reference: Profile, limits: DriftLimits) -> DriftReport:
    """Columns that drifted in any window of days, each with the window of the smallest p value."""
    windows: list[tuple[int, DriftReport]] = []
    for days in WINDOWS:
        if len(history.days) < days:
            break
        pooled = history.pooled(days, reference)
        columns = [
            compare(name, before, pooled.columns[name])
            for name, before in reference.columns.items()
            if pooled.columns[name].counts
        ]
        windows.append((days, DriftReport(pooled.rows, reference.rows, columns)))
    judge([report for _, report in windows], limits)
    best: dict[str, ColumnDrift] = {}
    for days, report in windows:
        limit = limits.effect * (LONG_SHARE if days >= LONG_DAYS else 1.0)
        for column in report.columns:
            column.drifted = bool(column.significant and column.effect >= limit)
            if column.drifted and (column.name not in best or column.p_value < best[column.name].p_value):
                reason = f"over the last {days} days by {column.effect:.3f}: {column.share:.1%} of the rows moved"
                best[column.name] = replace(column, reason=reason)
    decided = any(report.decided for _, report in windows)
    reason = (
        f"slow drift: {', '.join(best)}" if best else "no slow drift" if decided else "too few days or rows to decide"
    )
    return DriftReport(sum(day.rows for day in history.days), reference.rows, list(best.values()), decided, reason)
