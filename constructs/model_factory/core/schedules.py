"""Interval of EventBridge schedule expressions."""

import re
from datetime import timedelta

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


def interval(expression: str) -> timedelta:
    """Time between two invocations; for cron() an upper bound: an hour, a day, a week or 31 days."""
    if match := _RATE.fullmatch(expression):
        return timedelta(**{f"{match[2]}s": int(match[1])})
    _, hours, day_of_month, month, day_of_week, _ = expression.removeprefix("cron(").removesuffix(")").split()
    if month != "*" or day_of_month not in ("*", "?"):
        return timedelta(days=31)
    if day_of_week not in ("*", "?"):
        return timedelta(days=7)
    return timedelta(hours=1) if hours == "*" else timedelta(days=1)
