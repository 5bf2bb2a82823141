"""Volume and freshness: rows per day, kept across versions, and the age of the newest request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Self

import numpy as np

from ..drift.quality import Finding

KEPT_DAYS = 32
KNOWN_DAYS = 7
"""Days of traffic before a day is called unusual."""
LOW, HIGH = 0.1, 10.0
"""Of the median day's rows: a day outside of this range is unusual."""
PAUSES = 2
"""Requests are stale after this many times the longest pause so far."""
DAY = timedelta(days=1)


@dataclass
class Volume:
    """Rows by day (ISO date). A day between the first and the last without an entry had no rows."""

    days: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_report(cls, report: Mapping[str, Any] | None) -> Self:
        """From the last run's latest.json."""
        return cls(dict((report or {}).get("volume", {})))

    def add(self, day: date, rows: int) -> None:
        """Add a run's rows to its day; only the last KEPT_DAYS days are kept."""
        if rows:
            self.days[day.isoformat()] = self.days.get(day.isoformat(), 0) + rows
            self.days = dict(sorted(self.days.items())[-KEPT_DAYS:])

    def before(self, today: date) -> list[int]:
        """Rows of each day from the first to yesterday."""
        first = min(self.days, default=today.isoformat())
        start = date.fromisoformat(first)
        return [self.days.get((start + number * DAY).isoformat(), 0) for number in range((today - start).days)]

    def unusual(self, today: date, interval_seconds: float) -> Iterator[Finding]:
        """Findings for a day with far fewer or far more rows than the median of the days before.

        Today can have too many rows; it can have too few only when `interval_seconds` is a day or more, because another check
        may add rows. Yesterday is judged both ways.
        """
        before = self.before(today)
        once_a_day = interval_seconds >= DAY.total_seconds()
        if len(before) >= KNOWN_DAYS:
            usual, rows = float(np.median(before)), self.days.get(today.isoformat(), 0)
            if rows > HIGH * usual or (once_a_day and rows < LOW * usual):
                yield _finding(rows, usual, today)
        if not once_a_day and len(before) > KNOWN_DAYS:
            *earlier, rows = before
            usual = float(np.median(earlier))
            if not LOW * usual <= rows <= HIGH * usual:
                yield _finding(rows, usual, today - DAY)

    def stale(
        self, newest: datetime | None, now: datetime, interval_seconds: float, max_age: float | None
    ) -> Iterator[Finding]:
        """A finding when the newest request is older than `max_age` seconds; by default twice the longest pause between days."""
        if newest is None:
            return
        days = [date.fromisoformat(day) for day in self.days]
        if max_age is None:
            if len(self.before(now.date())) < KNOWN_DAYS:
                return
            pause = max((later - earlier for earlier, later in pairwise(days)), default=DAY)
            max_age = max(PAUSES * pause.total_seconds(), PAUSES * interval_seconds)
        age = (now - newest).total_seconds()
        if age > max_age:
            yield Finding(
                "freshness", "", f"the newest request is {age / 3600:.1f} h old, more than {max_age / 3600:.1f} h"
            )


def _finding(rows: int, usual: float, day: date) -> Finding:
    return Finding("volume", "", f"{rows:,} rows on {day.isoformat()}; most days have about {usual:,.0f}")
