"""Periods of the alarms on scheduled checks, within CloudWatch's limits. Pure: no CDK here.

A period is a day at most, and an alarm evaluates seven days at most (CloudWatch's guide, 'Alarm evaluation'). So an alarm on
checks that are days apart evaluates days, of which most have no check.
"""

from dataclasses import dataclass
from datetime import timedelta

_DAY = timedelta(days=1)
_LONGEST_EVALUATION = timedelta(days=7)


@dataclass(frozen=True)
class Periods:
    """Period in seconds, EvaluationPeriods ('N') and DatapointsToAlarm ('M') of an alarm."""

    seconds: int
    evaluated: int
    to_alarm: int


def of_newest_checks(between_checks: timedelta, evaluated: int, to_alarm: int) -> Periods:
    """Periods of an alarm that is raised by `to_alarm` of the newest `evaluated` checks, or of as many as fit in seven days."""
    checks = max(1, min(evaluated, _LONGEST_EVALUATION // _period(between_checks, longest=_LONGEST_EVALUATION)))
    period = _period(between_checks)
    span = (checks - 1) * between_checks
    return Periods(int(period.total_seconds()), 1 - (-span // period), min(to_alarm, checks))


def of_missed_checks(between_checks: timedelta) -> Periods | None:
    """Periods of an alarm on two checks that did not report; None where two checks are more than seven days apart."""
    if 2 * between_checks > _LONGEST_EVALUATION:
        return None
    period = _period(between_checks)
    evaluated = -(-2 * between_checks // period)
    return Periods(int(period.total_seconds()), evaluated, evaluated)


def _period(between_checks: timedelta, longest: timedelta = _DAY) -> timedelta:
    """A period as CloudWatch accepts it: whole minutes."""
    minute = timedelta(minutes=1)
    return min(max(-(-between_checks // minute), 1) * minute, longest)
