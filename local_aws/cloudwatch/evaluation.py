"""The state of a metric alarm: its periods, missing data, and 'M out of N' datapoints.

Sources: CloudWatch's guide, 'Alarm evaluation', 'Configuring how CloudWatch alarms treat missing data' and 'Alarm evaluation
windows'.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.models import Statistics

EXTRA_PERIODS = 2
"""CloudWatch retrieves more datapoints than EvaluationPeriods. The guide's example has 5 for 3; other numbers are not given."""
DAY_SECONDS, WEEK_SECONDS = 86400, 604800
COMPARE = {
    "GreaterThanThreshold": (lambda value, limit: value > limit, "greater than"),
    "GreaterThanOrEqualToThreshold": (lambda value, limit: value >= limit, "greater than or equal to"),
    "LessThanThreshold": (lambda value, limit: value < limit, "less than"),
    "LessThanOrEqualToThreshold": (lambda value, limit: value <= limit, "less than or equal to"),
}
NAMES_OF_MISSING = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


def period_of(alarm: Any) -> int:
    """The period in seconds: of its metrics, if it has several."""
    return int(alarm.period or next(int(q.metric_stat.period) for q in alarm.metric_data_queries if q.metric_stat))


def refusal(alarm: Any) -> str | None:
    """The sentence with which PutMetricAlarm refuses an alarm's periods; None for valid ones."""
    period = period_of(alarm)
    total = period * int(alarm.evaluation_periods)
    if period not in (10, 20, 30) and period % 60:
        return "Period must be 10, 20, 30 or a multiple of 60"
    if total > WEEK_SECONDS:
        return (
            f"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= {WEEK_SECONDS}) for "
            "alarms using period >= 3600"
        )
    if period < 3600 and total > DAY_SECONDS:
        return (
            f"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= {DAY_SECONDS})."
        )
    return None


def points(data: Iterable[Any], alarm: Any, now: datetime) -> list[float | None]:
    """Values of the periods of the evaluation range, newest first; None where a period has no data.

    The window slides: its last period ends with the current minute. An alarm over more than a day is evaluated once an
    hour, with the data up to the full hour.
    """
    period, periods = int(alarm.period), int(alarm.evaluation_periods)
    end = _floor(now, 3600) if period * periods > DAY_SECONDS else _floor(now, 60) + timedelta(seconds=60)
    known = [(_aware(datum.timestamp), datum) for datum in data]
    values: list[float | None] = []
    for back in range(periods + EXTRA_PERIODS):
        until = end - timedelta(seconds=period * back)
        start = until - timedelta(seconds=period)
        within = Statistics([alarm.statistic or ""], start)
        within.metric_data = [datum for time, datum in known if start <= time < until]
        values.append(_value(within, alarm) if within.metric_data else None)
    return values


def state_of(
    breaching: Sequence[bool | None], periods: int, needed: int, missing: str, before: str
) -> tuple[str, list[bool]]:
    """The alarm's new state, and the real datapoints that decided it.

    Args:
        breaching: Whether each datapoint of the evaluation range breaches, newest first; None for a missing one.
        periods: EvaluationPeriods, 'N'.
        needed: DatapointsToAlarm, 'M'.
        missing: TreatMissingData.
        before: The current state.
    """
    real = [(age, breach) for age, breach in enumerate(breaching, 1) if breach is not None][:periods]
    count, to_fill = sum(breach for _, breach in real), periods - len(real)
    decided = [breach for _, breach in real]
    if missing == "breaching":
        count += to_fill
    if count >= needed:
        return "ALARM", decided
    if not to_fill or missing in NAMES_OF_MISSING or not all(decided):
        return "OK", decided
    if missing == "ignore":
        return before, decided
    # Only breaching datapoints, fewer than needed: 'Avoiding premature transitions to alarm state'.
    return ("ALARM" if real and real[-1][0] >= needed else "INSUFFICIENT_DATA"), decided


def judge(alarm: Any, values: Sequence[float | None], now: datetime) -> tuple[str, str, dict[str, Any]]:
    """The state with CloudWatch's wording of the reason, and the reason's data."""
    breaches, words = COMPARE[alarm.comparison_operator]
    limit, periods = float(alarm.threshold), int(alarm.evaluation_periods)
    needed, missing = int(alarm.datapoints_to_alarm or periods), alarm.treat_missing_data or "missing"
    present = [value for value in values if value is not None][:periods]
    state, decided = state_of(
        [None if value is None else breaches(value, limit) for value in values],
        periods,
        needed,
        missing,
        alarm.state_value,
    )
    data = {
        "version": "1.0",
        "queryDate": now.isoformat(),
        "statistic": alarm.statistic or alarm.extended_statistic,
        "period": period_of(alarm),
        "recentDatapoints": present,
        "threshold": limit,
    }
    if missing == "ignore" and state == alarm.state_value and not present:
        return state, alarm.state_reason, data
    return state, _reason(state, decided, present, alarm, now, words), data


def _reason(state: str, decided: list[bool], present: list[float], alarm: Any, now: datetime, words: str) -> str:
    periods, missing = int(alarm.evaluation_periods), alarm.treat_missing_data or "missing"
    unknown = periods - len(present)
    if state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {_count(unknown, 'datapoint')} {'was' if unknown == 1 else 'were'} unknown."
    treated = ""
    if unknown and missing in NAMES_OF_MISSING:
        verb = "was" if unknown == 1 else "were"
        treated = f"{_count(unknown, 'missing datapoint')} {verb} treated as [{NAMES_OF_MISSING[missing]}]"
    if not present:
        return f"Threshold Crossed: no datapoints were received for {_count(periods, 'period')} and {treated}."
    in_alarm = state == "ALARM"
    needed = int(alarm.datapoints_to_alarm or periods)
    count = max(1, sum(decided) if in_alarm else len(decided) - sum(decided))
    shown = ", ".join(f"{value} ({now:%d/%m/%y %H:%M:%S})" for value in present)
    relation, change = ("was", "OK -> ALARM") if in_alarm else ("was not", "ALARM -> OK")
    return (
        f"Threshold Crossed: {count} out of the last {periods} datapoints [{shown}] {relation} {words} the threshold "
        f"({float(alarm.threshold)}){' and ' + treated if treated else ''} "
        f"(minimum {_count(needed if in_alarm else 1, 'datapoint')} for {change} transition)."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _value(within: Statistics, alarm: Any) -> float:
    """The alarm's statistic of a period's data; a percentile is the smallest value with that share at or below it."""
    if alarm.statistic:
        return float(within.get_statistics_for_type(alarm.statistic) or 0.0)
    if not alarm.extended_statistic.startswith("p"):
        raise ValueError(f"{alarm.name}: the embedded AWS does not support the statistic {alarm.extended_statistic}")
    ordered = sorted(within.metric_single_values_list)
    rank = math.ceil(float(alarm.extended_statistic[1:]) / 100 * len(ordered))
    return ordered[max(rank, 1) - 1]


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _floor(time: datetime, seconds: int) -> datetime:
    return datetime.fromtimestamp(time.timestamp() // seconds * seconds, UTC)
