"""When EventBridge Scheduler invokes a schedule next."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_DAYS_AHEAD = 366
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
_PLAIN = re.compile(r"[\d*,/-]+")


def next_run(expression: str, timezone: str, after: datetime) -> datetime | None:
    """The first time after `after` at which a valid `cron(…)` is due, in UTC.

    None for `rate(…)`, whose times depend on when the schedule was created, for the forms L, W and #, and for a time that is
    more than a year away. A time that the change to daylight saving time leaves out is skipped, and one that is repeated
    counts once (its user guide, 'Schedule types').
    """
    if not expression.startswith("cron("):
        return None
    parts = [_without_names(part) for part in expression[5:-1].split()]
    if not all(part == "?" or _PLAIN.fullmatch(part) for part in parts):
        return None
    minutes, hours, days, months, weekdays, years = (_values(at, part) for at, part in enumerate(parts))
    zone = ZoneInfo(timezone)
    for day in _dates(after.astimezone(zone).date()):
        if day.year not in years or day.month not in months or day.day not in days or _weekday(day) not in weekdays:
            continue
        times = (
            _in_utc(datetime(day.year, day.month, day.day, hour, minute), zone) for hour in hours for minute in minutes
        )
        if due := [time for time in times if time and time > after]:
            return min(due)
    return None


def _without_names(part: str) -> str:
    for names in (_MONTHS, _WEEKDAYS):
        for number, name in enumerate(names, start=1):
            part = part.replace(name, str(number))
    return part


def _values(at: int, part: str) -> set[int]:
    """The numbers that a field stands for; all of them for `*` and `?`."""
    first, last = _RANGES[at]
    found: set[int] = set()
    for item in part.split(","):
        base, slash, step = item.partition("/")
        start, dash, end = base.partition("-")
        if base in ("*", "?"):
            start, end = str(first), str(last)
        elif not dash:
            end = str(last) if slash else start
        found.update(range(int(start), int(end) + 1, int(step or 1)))
    return found


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _dates(first: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range(_DAYS_AHEAD))


def _in_utc(wall_clock: datetime, zone: ZoneInfo) -> datetime | None:
    """A local time in UTC; None for one that does not exist."""
    time = wall_clock.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return time if time.astimezone(zone).replace(tzinfo=None) == wall_clock else None
