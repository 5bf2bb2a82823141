"""Alarms: statistic, M of N datapoints, the evaluation range with missing data, clock, SetAlarmState."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends

from local_aws import alarms
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


ACCOUNT, REGION = "123456789012", "us-east-1"


@pytest.fixture
def cloudwatch(monkeypatch):
    """A backend with evaluated alarms; `published` collects (alarm, state) of their actions."""
    emitted = []
    monkeypatch.setattr(alarms, "emit", lambda *arguments: emitted.append(arguments[4]["state"]["value"]))
    monkeypatch.setattr(threading.Thread, "start", lambda self: self._target(*self._args) if self._args else None)
    made = CloudWatchBackend(REGION, ACCOUNT)
    monkeypatch.setitem(cloudwatch_backends[ACCOUNT], REGION, made)
    published = []

    def publish(TopicArn, Subject, Message):
        if TopicArn.endswith("broken"):
            raise ValueError(TopicArn)
        published.append(Subject)

    local = SimpleNamespace(
        replace=monkeypatch.setattr,
        on_stop=lambda _: None,
        control=lambda *_: None,
        stores=SimpleNamespace(add=lambda *_: None),
        changed=lambda: None,
        authorization=SimpleNamespace(check_call=lambda *_: None),
        accounts=SimpleNamespace(client=lambda *_: SimpleNamespace(publish=publish)),
    )
    alarms.install(local)
    made.local, made.emitted, made.published = local, emitted, published
    return made


def put_alarm(made, **more):
    topic = "arn:aws:sns:us-east-1:123456789012"
    return made.put_metric_alarm(
        **{
            "name": "errors",
            "namespace": "Test",
            "metric_name": "Errors",
            "comparison_operator": "GreaterThanThreshold",
            "evaluation_periods": 1,
            "period": 60,
            "threshold": 5,
            "statistic": "Sum",
            "description": "",
            "dimensions": DIMENSIONS,
            "alarm_actions": [f"{topic}:broken", f"{topic}:alerts"],
            "insufficient_data_actions": [f"{topic}:alerts"],
        }
        | more
    )


@pytest.mark.parametrize(
    ("missing", "state"),
    [(None, "INSUFFICIENT_DATA"), ("ignore", "INSUFFICIENT_DATA"), ("notBreaching", "OK"), ("breaching", "ALARM")],
)
def test_new_alarm_starts_with_insufficient_data_and_is_evaluated(cloudwatch, missing, state):
    assert put_alarm(cloudwatch, treat_missing_data=missing).state_value == state
    assert cloudwatch.emitted == ([] if state == "INSUFFICIENT_DATA" else [state])
    assert cloudwatch.published == (['ALARM: "errors"'] if state == "ALARM" else [])


def test_updated_alarm_keeps_state(cloudwatch):
    put_alarm(cloudwatch, treat_missing_data="breaching")
    assert put_alarm(cloudwatch, treat_missing_data="ignore").state_value == "ALARM"


def test_new_data_and_clock_change_state(cloudwatch, monkeypatch):
    passed = [0.0]
    monkeypatch.setattr(alarms.time, "monotonic", lambda: passed[0])
    watched = put_alarm(cloudwatch)
    add(cloudwatch, 9)
    assert watched.state_value == "ALARM"
    passed[0] = 120.0
    alarms.evaluate_by_clock(cloudwatch.local)
    assert watched.state_value == "ALARM"
    passed[0] = 200.0
    alarms.evaluate_by_clock(cloudwatch.local)
    assert watched.state_value == "INSUFFICIENT_DATA"
    assert cloudwatch.published == ['ALARM: "errors"', 'INSUFFICIENT_DATA: "errors"']


def test_set_alarm_state_acts_until_next_evaluation(cloudwatch):
    watched = put_alarm(cloudwatch, treat_missing_data="notBreaching")
    cloudwatch.set_alarm_state("errors", "a drill", None, "ALARM")
    assert (watched.state_value, watched.state_reason) == ("ALARM", "a drill")
    assert (cloudwatch.emitted, cloudwatch.published) == (["OK", "ALARM"], ['ALARM: "errors"'])
    cloudwatch.set_alarm_state("errors", "again", None, "ALARM")
    assert cloudwatch.published == ['ALARM: "errors"']
    alarms.evaluate_by_clock(cloudwatch.local)
    assert watched.state_value == "OK"


def test_alarm_without_actions_enabled_only_emits(cloudwatch):
    put_alarm(cloudwatch, treat_missing_data="breaching", actions_enabled=False)
    assert (cloudwatch.emitted, cloudwatch.published) == (["ALARM"], [])


@pytest.mark.parametrize(
    ("period", "periods", "refusal"),
    [
        (3600, 168, None),
        (60, 1440, None),
        (86400, 8, "Metrics cannot be checked across more than a week"),
        (1800, 49, "Metrics cannot be checked across more than a day"),
        (90, 1, "Period must be 10, 20, 30 or a multiple of 60"),
    ],
)
def test_evaluation_over_too_many_days_is_refused(cloudwatch, period, periods, refusal):
    if refusal is None:
        assert put_alarm(cloudwatch, period=period, evaluation_periods=periods)
        return
    with pytest.raises(ValidationError, match=refusal):
        put_alarm(cloudwatch, period=period, evaluation_periods=periods)
    assert not cloudwatch.alarms


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ({"rule": "ALARM(errors)"}, "composite alarms"),
        ({"metric_data_queries": [SimpleNamespace(id="m1")]}, "metric math"),
        ({"threshold_metric_id": "band"}, "anomaly detection"),
    ],
)
def test_alarm_of_kind_that_is_not_evaluated_is_refused(cloudwatch, request_, kind):
    before = put_alarm(cloudwatch)
    with pytest.raises(ValidationError, match=f"does not support .*{kind}.*, such as errors"):
        put_alarm(cloudwatch, **request_)
    assert list(cloudwatch.alarms.values()) == [before]


def test_kept_clock_goes_on_after_restart(cloudwatch, monkeypatch):
    watched = put_alarm(cloudwatch)
    watched.clock = (NOW, 1000.0)
    monkeypatch.setattr(alarms, "_backends", lambda: [cloudwatch])
    monkeypatch.setattr(alarms.time, "monotonic", lambda: 5.0)  # another process, another zero
    monkeypatch.setattr(alarms.time, "time", lambda: 2_000_060.0)
    alarms._restore_clocks((1030.0, 2_000_000.0))
    assert watched.clock == (NOW + timedelta(seconds=30 + 60), 5.0)


def test_dimensions_distinguish_metrics(cloudwatch):
    watched = put_alarm(cloudwatch)
    add(cloudwatch, 9, dimensions=[])
    assert watched.state_value == "INSUFFICIENT_DATA"
