"""Evaluation of alarms: statistic, M of N datapoints, missing data."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from moto.cloudwatch.models import CloudWatchBackend

from local_aws.alarms import _judge, _points

NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
DIMENSIONS = [{"Name": "Model", "Value": "churn"}]


def alarm(**more):
    return SimpleNamespace(
        **{
            "name": "test",
            "namespace": "Test",
            "metric_name": "Errors",
            "dimensions": [SimpleNamespace(name="Model", value="churn")],
            "statistic": "Sum",
            "extended_statistic": None,
            "period": 60,
            "evaluation_periods": 1,
            "datapoints_to_alarm": None,
            "threshold": 5,
            "comparison_operator": "GreaterThanThreshold",
            "treat_missing_data": "missing",
            "state_value": "OK",
            "state_reason": "before",
        }
        | more
    )


def backend(*values, minutes_ago=0, **more):
    made = CloudWatchBackend("us-east-1", "123456789012")
    add(made, *values, minutes_ago=minutes_ago, **more)
    return made


def add(made, *values, minutes_ago=0, dimensions=DIMENSIONS):
    time = NOW - timedelta(minutes=minutes_ago)
    datum = {"MetricName": "Errors", "Dimensions": dimensions, "Timestamp": time}
    made.put_metric_data("Test", [datum | {"Value": value} for value in values])


@pytest.mark.parametrize(
    ("statistic", "expected"), [("Sum", 106), ("Maximum", 100), ("Minimum", 1), ("Average", 26.5), ("SampleCount", 4)]
)
def test_period_is_aggregated_by_alarm_statistic(statistic, expected):
    assert _points(backend(1, 2, 3, 100), alarm(statistic=statistic), NOW) == [expected]


def test_percentile_ignores_single_slow_request():
    made = backend(*range(1, 101))
    assert _points(made, alarm(statistic=None, extended_statistic="p99"), NOW) == [99]
    assert _points(made, alarm(statistic=None, extended_statistic="p50"), NOW) == [50]


def test_unsupported_statistic_is_refused_by_name():
    with pytest.raises(ValueError, match="does not support the statistic tm90"):
        _points(backend(1), alarm(statistic=None, extended_statistic="tm90"), NOW)


def test_dimensions_distinguish_metrics():
    assert _points(backend(1, dimensions=[]), alarm(), NOW) == [None]


def test_periods_are_newest_first_with_gaps():
    made = backend(7, minutes_ago=0)
    add(made, 3, minutes_ago=2)
    assert _points(made, alarm(evaluation_periods=3), NOW) == [7, None, 3]


@pytest.mark.parametrize(
    ("points", "missing", "state"),
    [
        ([9, 1, 9], "missing", "ALARM"),
        ([9, 1, 1], "missing", "OK"),
        ([9, None, None], "breaching", "ALARM"),
        ([9, None, None], "notBreaching", "OK"),
        ([None, None, None], "missing", "INSUFFICIENT_DATA"),
        ([None, None, None], "notBreaching", "OK"),
        ([None, None, None], "breaching", "ALARM"),
    ],
)
def test_two_of_three_datapoints(points, missing, state):
    watched = alarm(evaluation_periods=3, datapoints_to_alarm=2, treat_missing_data=missing)
    assert _judge(watched, points, NOW)[0] == state


def test_ignored_missing_data_keeps_alarm_state():
    assert _judge(alarm(treat_missing_data="ignore", state_value="ALARM"), [None], NOW)[:2] == ("ALARM", "before")
