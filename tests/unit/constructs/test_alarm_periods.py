"""Alarms on scheduled checks, evaluated as CloudWatch does while a simulated clock runs for weeks."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from moto.cloudwatch.models import CloudWatchBackend

from local_aws.cloudwatch.evaluation import judge, points, refusal
from model_factory.model.alarm_periods import Periods, of_missed_checks, of_newest_checks

START = datetime(2026, 11, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Simulation:
    """One alarm, and the data of a model's checks."""

    def __init__(self, periods, missing, statistic="Maximum"):
        less = statistic == "SampleCount"
        self.alarm = SimpleNamespace(
            name="checks",
            statistic=statistic,
            extended_statistic=None,
            period=periods.seconds,
            evaluation_periods=periods.evaluated,
            datapoints_to_alarm=periods.to_alarm,
            threshold=1 if less else 0,
            comparison_operator="LessThanThreshold" if less else "GreaterThanThreshold",
            treat_missing_data=missing,
            state_value="INSUFFICIENT_DATA",
            state_reason="",
        )
        self.changes = []
        self._backend = CloudWatchBackend("us-east-1", "123456789012")

    def check(self, time, value=0):
        self._backend.put_metric_data("Test", [{"MetricName": "Checks", "Value": value, "Timestamp": time}])

    def run(self, end, step=HOUR):
        """Evaluate from the start to `end`."""
        data, now = self._backend.get_all_metrics(), START
        while now < end:
            state, _, _ = judge(self.alarm, points([d for d in data if d.timestamp <= now], self.alarm, now), now)
            if state != self.alarm.state_value:
                self.alarm.state_value = state
                self.changes.append((now, state))
            now += step
        return self.changes


SCHEDULES = [timedelta(minutes=15), HOUR, 6 * HOUR, DAY, 2 * DAY, 3 * DAY, 3.5 * DAY]


@pytest.mark.parametrize("between", SCHEDULES, ids=str)
def test_missed_checks_and_nothing_else_change_state(between):
    """Checks that take longer one time than the other time are no missed checks; a new model that has none is silent."""
    made = Simulation(of_missed_checks(between), "missing", "SampleCount")
    first = START + 3 * between
    late = [between * share for share in (0, 0.4, 0.1, 0.3, 0.05)]
    checks = [first + number * between + late[number % 5] for number in range(8)]
    for time in checks:
        made.check(time)
    step = min(HOUR, between / 4)
    (_, back), (missed, lost) = made.run(checks[-1] + max(6 * between, 10 * DAY if between > DAY else DAY), step)
    assert (back, lost) == ("OK", "INSUFFICIENT_DATA")
    assert missed > checks[-1] + 2 * between


@pytest.mark.parametrize("between", SCHEDULES, ids=str)
def test_cloudwatch_accepts_periods(between):
    assert refusal(Simulation(of_missed_checks(between), "missing").alarm) is None
    assert refusal(Simulation(of_newest_checks(between, 24, 24), "ignore").alarm) is None


def test_checks_a_week_apart_have_no_alarm_on_missed_checks():
    assert of_missed_checks(timedelta(days=7)) is None


@pytest.mark.parametrize(
    ("between", "evaluated", "to_alarm", "expected"),
    [
        (HOUR, 3, 2, Periods(3600, 3, 2)),
        (DAY, 24, 24, Periods(86400, 7, 7)),
        (3 * DAY, 3, 2, Periods(86400, 4, 2)),
        (7 * DAY, 3, 2, Periods(86400, 1, 1)),
        (31 * DAY, 1, 1, Periods(86400, 1, 1)),
        (timedelta(seconds=90), 1, 1, Periods(120, 1, 1)),
    ],
)
def test_alarm_evaluates_newest_checks(between, evaluated, to_alarm, expected):
    assert of_newest_checks(between, evaluated, to_alarm) == expected


@pytest.mark.parametrize("between", [HOUR, DAY, 3 * DAY], ids=str)
def test_two_of_newest_checks_with_drift_raise_alarm(between):
    made = Simulation(of_newest_checks(between, 2, 2), "ignore")
    for number, drifted in enumerate([0, 1, 0, 1, 1, 0, 0]):
        made.check(START + (number + 1) * between + timedelta(minutes=7), drifted)
    states = [(round((time - START) / between), state) for time, state in made.run(START + 8 * between, between / 24)]
    assert states == [(1, "OK"), (5, "ALARM"), (6, "OK")]


def test_single_weekly_check_with_drift_raises_alarm():
    made = Simulation(of_newest_checks(7 * DAY, 3, 2), "ignore")
    for week, drifted in enumerate([0, 1, 0]):
        made.check(START + week * 7 * DAY, drifted)
    assert [state for _, state in made.run(START + 21 * DAY)] == ["OK", "ALARM", "OK"]
