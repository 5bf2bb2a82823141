"""Schedule expressions, checked as EventBridge Scheduler checks them (its user guide, "Schedule types").

Only recurring forms: `rate(value unit)` and `cron(minutes hours day-of-month month day-of-week year)`.
"""

import re
from dataclasses import dataclass

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_LONGEST = 256
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True)
class _Field:
    """One of the six fields. `names` stand for the numbers from `first` on; `special`: pattern of its own wildcards."""

    title: str
    first: int
    last: int
    names: tuple[str, ...] = ()
    special: str = ""
    increments: bool = True

    @property
    def expected(self) -> str:
        """The values, for messages."""
        names = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"{self.first} to {self.last}{names}"

    def mistake(self, text: str) -> str | None:
        """What is wrong with the field; None when nothing is."""
        return next((found for item in text.split(",") if (found := self._mistake_in_item(item))), None)

    def _mistake_in_item(self, item: str) -> str | None:
        wrong = f"{item!r} is not a valid {self.title}; write {self.expected}"
        if self.special and (match := re.fullmatch(self.special, item)):
            values = [value for value in match.groups() if value]
            return None if all(self._has(value) for value in values) else wrong
        base, slash, step = item.partition("/")
        if slash and not (self.increments and re.fullmatch(r"[0-9]{1,4}", step) and 1 <= int(step) <= self.last):
            return f"{item!r} is not a valid {self.title}; an increment is a number from 1 to {self.last}"
        if slash and not self.increments:
            return wrong
        if base == "*":
            return None
        start, dash, end = base.partition("-")
        if not self._has(start) or (dash and not self._has(end)):
            return wrong
        if dash and self._number(start) > self._number(end):
            return f"{item!r} is not a valid {self.title}; a range starts with the lower value"
        return None

    def _number(self, value: str) -> int:
        return self.names.index(value) + self.first if value in self.names else int(value)

    def _has(self, value: str) -> bool:
        return value in self.names or (
            bool(re.fullmatch(r"[0-9]{1,4}", value)) and self.first <= int(value) <= self.last
        )


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    # L: the last day of the month; 3W: the weekday closest to the third.
    _Field("day of month", 1, 31, special=r"L|LW|(\w+)W"),
    _Field("month", 1, 12, _MONTHS),
    # 6L: the last Friday of the month; 3#2: its second Tuesday.
    _Field("day of week", 1, 7, _DAYS, special=r"L|(\w+)L|(\w+)#[1-5]", increments=False),
    _Field("year", 1970, 2199),
)


def check_schedule(value: str) -> str:
    """The expression itself. Raises ValueError, whose message says which part is wrong and what it can be."""
    wrong = f"{value!r} is not a schedule"
    if len(value) > _LONGEST:
        raise ValueError(f"{wrong}: it has {len(value)} characters of at most {_LONGEST}")
    if match := _RATE.fullmatch(value):
        number, plural = int(match[1]), bool(match[3])
        if number < 1:
            raise ValueError(f"{wrong}: a rate is at least 1")
        if (number == 1) == plural:
            raise ValueError(f"{wrong}; write rate(1 hour) but rate(2 hours)")
        return value
    match = _CRON.fullmatch(value)
    if not match:
        raise ValueError(
            f"{wrong}; write rate(1 hour) or cron(0 3 * * ? *): minutes, hours, day of month, month, day of week, year"
        )
    parts = match[1].split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"{wrong}: cron() has six fields, found {len(parts)}; such as cron(0 3 * * ? *)")
    for field, part in zip(_FIELDS, parts, strict=True):
        any_day = part == "?" and field.title in ("day of month", "day of week")
        if not any_day and (mistake := field.mistake(part)):
            raise ValueError(f"{wrong}: {mistake}")
    if (parts[2] == "?") == (parts[4] == "?"):
        raise ValueError(f"{wrong}: exactly one of day of month and day of week must be ?")
    if "#" in parts[4] and "," in parts[4]:
        raise ValueError(f"{wrong}: a day of week with # must be the only one")
    return value
