"""Schedule expressions, as EventBridge's rules and EventBridge Scheduler accept them.

Sources: EventBridge's guide, 'Setting a schedule pattern for scheduled rules', and EventBridge Scheduler's guide,
'Schedule types in EventBridge Scheduler'.
"""

import re
from collections.abc import Sequence
from datetime import datetime

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
FIELDS: tuple[tuple[int, int, Sequence[str]], ...] = (
    (0, 59, []),
    (0, 23, []),
    (1, 31, []),
    (1, 12, _MONTHS),
    (1, 7, _DAYS),
    (1970, 2199, []),
)
DAY_OF_MONTH, DAY_OF_WEEK = 2, 4


def valid_for_rule(expression: str) -> bool:
    """Whether PutRule accepts it; it wants `rate(1 hour)` but `rate(2 hours)`."""
    if match := _RATE.fullmatch(expression):
        return int(match[1]) > 0 and (match[3] == "") == (int(match[1]) == 1)
    return _valid_cron(expression)


def valid_for_scheduler(expression: str) -> bool:
    """Whether EventBridge Scheduler accepts it: also `at(yyyy-mm-ddThh:mm:ss)`, and either number after a rate."""
    if match := _RATE.fullmatch(expression):
        return int(match[1]) > 0
    if expression.startswith("at("):
        return _valid_at(expression)
    return _valid_cron(expression)


def _valid_at(expression: str) -> bool:
    if not re.fullmatch(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)", expression):
        return False
    try:
        datetime.fromisoformat(expression[3:-1])
    except ValueError:
        return False
    return True


def _valid_cron(expression: str) -> bool:
    match = re.fullmatch(r"cron\(([^()]*)\)", expression)
    fields = match[1].split() if match else []
    if len(fields) != len(FIELDS) or (fields[DAY_OF_MONTH] == "?") == (fields[DAY_OF_WEEK] == "?"):
        return False
    return all(_valid_field(index, field) for index, field in enumerate(fields))


def _valid_field(index: int, field: str) -> bool:
    if field == "?":
        return index in (DAY_OF_MONTH, DAY_OF_WEEK)
    return all(_valid_part(index, part) for part in field.split(","))


def _valid_part(index: int, part: str) -> bool:
    low, high, names = FIELDS[index]

    def number(text: str) -> int | None:
        if text.upper() in names:
            return names.index(text.upper()) + 1
        return int(text) if text.isdigit() and low <= int(text) <= high else None

    if index == DAY_OF_MONTH and re.fullmatch(r"L|LW|(\d+)W", part):
        return not part[:-1].isdigit() or number(part[:-1]) is not None
    if index == DAY_OF_WEEK:
        if last := re.fullmatch(r"(\w*)L", part):
            return not last[1] or number(last[1]) is not None
        if nth := re.fullmatch(r"(\w+)#([1-5])", part):
            return number(nth[1]) is not None
    base, slash, step = part.partition("/")
    if slash and (not step.isdigit() or int(step) < 1 or int(step) > high):
        return False
    if base == "*":
        return True
    first, dash, last_value = base.partition("-")
    begin, end = number(first), number(last_value)
    if begin is None:
        return False
    return not dash or (end is not None and begin <= end)
