"""Alarms of the embedded CloudWatch: states over time, actions, SetAlarmState, and what is refused."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import (
    CloudWatchBackend,
    Dimension,
    Metric,
    MetricDataQuery,
    MetricStat,
    cloudwatch_backends,
)

from local_aws import alarms

NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
DIMENSIONS = [{"Name": "Model", "Value": "churn"}]


def add(made, *values, minutes_ago=0, dimensions=DIMENSIONS):
    time = NOW - timedelta(minutes=minutes_ago)
    datum = {"MetricName": "Errors", "Dimensions": dimensions, "Timestamp": time}
    made.put_metric_data("Test", [datum | {"Value": value} for value in values])


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


def query(name, metric=None, expression=None, period=60):
    """An element of an alarm's metrics; expressions return data."""
    stat = MetricStat(Metric(metric, "Test", [Dimension("Model", "churn")]), period, "Sum", None) if metric else None
    return MetricDataQuery(name, None, None, "true" if expression else "false", expression, stat)


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
        ({"rule": "ALARM(gone)"}, r"as alarms \[gone\] in the alarm rule do not exist"),
        ({"rule": "ALARM(errors) AND"}, "AlarmRule is invalid"),
        (
            {"metric_data_queries": [query("m1", "Errors"), query("e1", expression="RATE(m1)")]},
            "does not support the metric math function RATE",
        ),
        ({"metric_data_queries": [query("m1", "Errors"), query("m2", "Calls", period=300)]}, "metrics of one period"),
        ({"threshold_metric_id": "band"}, "anomaly detection"),
    ],
)
def test_alarm_of_kind_that_is_not_evaluated_is_refused(cloudwatch, request_, kind):
    before = put_alarm(cloudwatch)
    with pytest.raises(ValidationError, match=kind):
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


def test_metric_math_alarm_follows_its_metrics(cloudwatch):
    queries = [query("m1", "Errors"), query("m2", "Calls"), query("e1", expression="100 * m1 / m2")]
    single = dict.fromkeys(("namespace", "metric_name", "period", "statistic"))
    watched = put_alarm(cloudwatch, metric_data_queries=queries, dimensions=[], threshold=20, **single)
    calls = {"MetricName": "Calls", "Dimensions": DIMENSIONS, "Timestamp": NOW}
    cloudwatch.put_metric_data("Test", [calls | {"Value": 10}])
    assert watched.state_value == "INSUFFICIENT_DATA"
    add(cloudwatch, 1, 2)
    assert (watched.state_value, cloudwatch.emitted) == ("ALARM", ["ALARM"])
    assert "(20.0)" in watched.state_reason
    cloudwatch.put_metric_data("Test", [calls | {"Value": 90}])
    assert watched.state_value == "OK"


def test_composite_alarm_follows_alarms_of_its_rule(cloudwatch):
    put_alarm(cloudwatch, treat_missing_data="notBreaching")
    nothing = dict.fromkeys(
        ("namespace", "metric_name", "comparison_operator", "evaluation_periods", "period", "threshold", "statistic")
    )
    whole = put_alarm(cloudwatch, name="whole", rule='ALARM("errors") OR FALSE', dimensions=[], **nothing)
    outer = put_alarm(cloudwatch, name="outer", rule="NOT OK(whole)", dimensions=[], **nothing)
    assert (whole.state_value, outer.state_value) == ("OK", "OK")
    add(cloudwatch, 9)
    assert (whole.state_value, outer.state_value) == ("ALARM", "ALARM")
    assert whole.state_reason.startswith(
        "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors transitioned to ALARM at "
    )
    assert {'ALARM: "errors"', 'ALARM: "whole"', 'ALARM: "outer"'} <= {*cloudwatch.published}
    alarms.evaluate_by_clock(cloudwatch.local)
    assert whole.state_value == "ALARM"
