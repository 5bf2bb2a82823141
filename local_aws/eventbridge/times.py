"""Invocation times of cron expressions in a time zone, also across the changes to and from daylight saving time.

EventBridge Scheduler's guide, 'Schedule types', 'Daylight savings time on EventBridge Scheduler': a time that the change in
spring leaves out is skipped, and one that the change in autumn repeats is invoked once.
"""

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from .expressions import DAY_OF_MONTH, DAY_OF_WEEK, FIELDS

_SUNDAY = 1


def cron_times(expression: str, timezone: str, since: datetime, until: datetime) -> list[datetime]:
    """The times after `since` and up to `until` at which a valid `cron(…)` is due, in UTC, oldest first."""
    minutes, hours, days, months, weekdays, years = expression[5:-1].split()
    zone = ZoneInfo(timezone)
    due: list[datetime] = []
    for day in _dates(since.astimezone(zone).date(), until.astimezone(zone).date()):
        if not (_in(5, years, day.year) and _in(3, months, day.month) and _is_day(day, days, weekdays)):
            continue
        for hour in range(24):
            if not _in(1, hours, hour):
                continue
            for minute in (each for each in range(60) if _in(0, minutes, each)):
                time = _in_utc(datetime(day.year, day.month, day.day, hour, minute), zone)
                if time and since < time <= until:
                    due.append(time)
    return sorted(due)


def _in_utc(wall_clock: datetime, zone: ZoneInfo) -> datetime | None:
    """A local time in UTC: the first one of a repeated hour; None in an hour that does not exist."""
    time = wall_clock.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return time if time.astimezone(zone).replace(tzinfo=None) == wall_clock else None


def _dates(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def _is_day(day: date, days: str, weekdays: str) -> bool:
    if days == "?":
        return any(_is_weekday(day, part) for part in weekdays.split(","))
    return any(_is_day_of_month(day, part) for part in days.split(","))


def _is_day_of_month(day: date, part: str) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if part == "L":
        return day.day == last
    if match := re.fullmatch(r"(L|\d+)W", part):
        wanted = last if match[1] == "L" else int(match[1])
        return wanted <= last and day == _nearest_weekday(day.replace(day=wanted), last)
    return _in(DAY_OF_MONTH, part, day.day)


def _nearest_weekday(day: date, last: int) -> date:
    """The weekday nearest to a day, within its month."""
    if day.weekday() == calendar.SATURDAY:
        return day + timedelta(days=2 if day.day == 1 else -1)
    if day.weekday() == calendar.SUNDAY:
        return day + timedelta(days=-2 if day.day == last else 1)
    return day


def _is_weekday(day: date, part: str) -> bool:
    number = day.isoweekday() % 7 + _SUNDAY
    if match := re.fullmatch(r"(\w*)L", part):
        in_last_week = day.day > calendar.monthrange(day.year, day.month)[1] - 7
        return in_last_week and number == (_number(DAY_OF_WEEK, match[1]) if match[1] else 7)
    if match := re.fullmatch(r"(\w+)#(\d)", part):
        return number == _number(DAY_OF_WEEK, match[1]) and (day.day + 6) // 7 == int(match[2])
    return _in(DAY_OF_WEEK, part, number)


def _in(index: int, field: str, value: int) -> bool:
    """Whether a value fits one of the field's parts, such as `*`, `5`, `MON-FRI` or `0/15`."""
    return any(_fits(index, part, value) for part in field.split(","))


def _fits(index: int, part: str, value: int) -> bool:
    low, high, _ = FIELDS[index]
    base, _, step = part.partition("/")
    if base != "*":
        first, dash, last = base.partition("-")
        low = _number(index, first)
        high = _number(index, last) if dash else high if step else low
    return low <= value <= high and (value - low) % int(step or 1) == 0


def _number(index: int, text: str) -> int:
    names = FIELDS[index][2]
    return names.index(text.upper()) + 1 if text.upper() in names else int(text)
