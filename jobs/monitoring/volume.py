"""How much comes, and whether anything still does: rows a day, kept across versions, and the age of the newest request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Self

import numpy as np

from ..drift.quality import Finding

KEPT_DAYS = 32
KNOWN_DAYS = 7
"""Days of traffic before anything is called unusual."""
LOW, HIGH = 0.1, 10.0
"""Of the median day."""
PAUSES = 2
"""A pause is unusual from so many times the longest one there was."""
DAY = timedelta(days=1)


@dataclass
class Volume:
    """Rows by day (ISO date); a day between the first and the last that is not there had none."""

    days: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_report(cls, report: Mapping[str, Any] | None) -> Self:
        """From the last run's latest.json."""
        return cls(dict((report or {}).get("volume", {})))

    def add(self, day: date, rows: int) -> None:
        """Count a run's rows to its day; the oldest days are forgotten."""
        if rows:
            self.days[day.isoformat()] = self.days.get(day.isoformat(), 0) + rows
            self.days = dict(sorted(self.days.items())[-KEPT_DAYS:])

    def before(self, today: date) -> list[int]:
        """Rows of the days from the first to yesterday."""
        first = min(self.days, default=today.isoformat())
        start = date.fromisoformat(first)
        return [self.days.get((start + number * DAY).isoformat(), 0) for number in range((today - start).days)]

    def unusual(self, today: date, interval_seconds: float) -> Iterator[Finding]:
        """Far fewer or far more rows than on most days before.

        A day that is not over can be too full, but it is too empty only when it is over, unless there is one check a day.
        """
        before = self.before(today)
        whole = interval_seconds >= DAY.total_seconds()
        if len(before) >= KNOWN_DAYS:
            usual, rows = float(np.median(before)), self.days.get(today.isoformat(), 0)
            if rows > HIGH * usual or (whole and rows < LOW * usual):
                yield _finding(rows, usual, today)
        if not whole and len(before) > KNOWN_DAYS:
            *earlier, rows = before
            usual = float(np.median(earlier))
            if not LOW * usual <= rows <= HIGH * usual:
                yield _finding(rows, usual, today - DAY)

    def stale(
        self, newest: datetime | None, now: datetime, interval_seconds: float, max_age: float | None
    ) -> Iterator[Finding]:
        """Nothing has come for longer than `max_age` seconds, or for twice the longest pause between days with rows."""
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
