"""Evaluation of alarms: statistic, M of N datapoints, and the evaluation range with missing data."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from moto.cloudwatch.models import CloudWatchBackend

from local_aws.cloudwatch.evaluation import judge, points, state_of

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


def values(made, watched, now=NOW):
    return points(made.get_all_metrics(), watched, now)


@pytest.mark.parametrize(
    ("statistic", "expected"), [("Sum", 106), ("Maximum", 100), ("Minimum", 1), ("Average", 26.5), ("SampleCount", 4)]
)
def test_period_is_aggregated_by_alarm_statistic(statistic, expected):
    assert values(backend(1, 2, 3, 100), alarm(statistic=statistic)) == [expected, None, None]


def test_percentile_ignores_single_slow_request():
    made = backend(*range(1, 101))
    assert values(made, alarm(statistic=None, extended_statistic="p99"))[0] == 99
    assert values(made, alarm(statistic=None, extended_statistic="p50"))[0] == 50


def test_unsupported_statistic_is_refused_by_name():
    with pytest.raises(ValueError, match="does not support the statistic tm90"):
        values(backend(1), alarm(statistic=None, extended_statistic="tm90"))


def test_periods_are_newest_first_with_gaps():
    made = backend(7, minutes_ago=0)
    add(made, 3, minutes_ago=2)
    assert values(made, alarm(evaluation_periods=3)) == [7, None, 3, None, None]


def test_window_slides_with_current_minute():
    made = backend(7, minutes_ago=59)
    assert values(made, alarm(period=3600))[0] == 7
    assert values(made, alarm(period=3600), NOW + timedelta(minutes=1))[:2] == [None, 7]


def test_alarm_over_days_sees_data_up_to_full_hour():
    made = backend(7, minutes_ago=0)
    watched = alarm(period=86400, evaluation_periods=2)
    assert values(made, watched) == [None] * 4
    assert values(made, watched, NOW + timedelta(hours=1))[0] == 7


# The tables of 'How alarm state is evaluated when data is missing', of its present and of its earlier edition, and the
# examples of 'Avoiding premature transitions to alarm state'. Oldest first; 0 within the threshold, X breaching, - missing.
# Columns: missing, ignore, breaching, notBreaching; "same" retains the current state.
THREE_OF_THREE = {
    "0 - X - X": ("OK", "OK", "OK", "OK"),
    "0 - - - -": ("OK", "OK", "OK", "OK"),
    "- - - - -": ("INSUFFICIENT_DATA", "same", "ALARM", "OK"),
    "0 X X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "- - X - -": ("ALARM", "same", "ALARM", "OK"),
    "X - - - -": ("ALARM", "same", "ALARM", "OK"),
    "- - - - X": ("INSUFFICIENT_DATA", "same", "ALARM", "OK"),
    "- - - X -": ("INSUFFICIENT_DATA", "same", "ALARM", "OK"),
    "- - - X 0": ("OK", "OK", "OK", "OK"),
    "- - X - 0": ("OK", "OK", "OK", "OK"),
    "X X X X X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "X X X X 0": ("OK", "OK", "OK", "OK"),
}
TWO_OF_THREE = {
    "0 - X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 0 X 0 X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 - X - -": ("OK", "OK", "ALARM", "OK"),
    "- - - - 0": ("OK", "OK", "ALARM", "OK"),
    "- - - X -": ("ALARM", "same", "ALARM", "OK"),
    "- - - - X": ("INSUFFICIENT_DATA", "same", "ALARM", "OK"),
    "X X 0 0 X": ("OK", "OK", "OK", "OK"),
}
ROWS = [
    pytest.param(row, needed, missing, state, id=f"{needed}of3-{row}-{missing}")
    for needed, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for row, states in table.items()
    for missing, state in zip(("missing", "ignore", "breaching", "notBreaching"), states, strict=True)
]


@pytest.mark.parametrize("before", ["OK", "ALARM", "INSUFFICIENT_DATA"])
@pytest.mark.parametrize(("row", "needed", "missing", "expected"), ROWS)
def test_missing_data_follows_documented_tables(row, needed, missing, expected, before):
    breaching = [{"0": False, "X": True, "-": None}[point] for point in reversed(row.split())]
    found, _ = state_of(breaching, 3, needed, missing, before)
    assert found == (before if expected == "same" else expected)


@pytest.mark.parametrize(
    ("found", "missing", "reason"),
    [
        (
            [9, 1, 9],
            "missing",
            "Threshold Crossed: 2 out of the last 3 datapoints [9 (24/11/26 12:00:30), 1 (24/11/26 12:00:30), 9 (24/11/26 "
            "12:00:30)] was greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition).",
        ),
        ([None] * 5, "missing", "Insufficient Data: 3 datapoints were unknown."),
        ([None] * 5, "ignore", "before"),
        (
            [None] * 5,
            "breaching",
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as "
            "[Breaching].",
        ),
        (
            [1, 1, None, None, None],
            "notBreaching",
            "Threshold Crossed: 2 out of the last 3 datapoints [1 (24/11/26 12:00:30), 1 (24/11/26 12:00:30)] was not "
            "greater than the threshold (5.0) and 1 missing datapoint was treated as [NonBreaching] (minimum 1 datapoint "
            "for ALARM -> OK transition).",
        ),
    ],
)
def test_reason_has_wording_of_cloudwatch(found, missing, reason):
    watched = alarm(evaluation_periods=3, datapoints_to_alarm=2, treat_missing_data=missing)
    assert judge(watched, found, NOW)[1] == reason
