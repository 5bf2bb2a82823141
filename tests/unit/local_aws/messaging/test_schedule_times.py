"""Invocation times of schedules in a time zone: daylight saving time, and the fields of cron expressions."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from local_aws import schedules
from local_aws.eventbridge.times import cron_times

DAILY = "cron(30 2 * * ? *)"


def times(expression, first, last, timezone="Europe/Berlin"):
    """Times in UTC without the year, between two dates of 2027 at 00:00 UTC."""
    start, end = (datetime.fromisoformat(f"2027-{day}").replace(tzinfo=UTC) for day in (first, last))
    return [f"{time:%m-%d %H:%M}" for time in cron_times(expression, timezone, start, end)]


def test_time_that_spring_leaves_out_is_skipped():
    assert times(DAILY, "03-27", "03-30") == ["03-27 01:30", "03-29 00:30"]


def test_time_that_autumn_repeats_is_invoked_once():
    assert times(DAILY, "10-30", "11-02") == ["10-30 00:30", "10-31 00:30", "11-01 01:30"]


def test_other_hours_follow_the_clock():
    assert times("cron(0 3 * * ? *)", "03-27", "03-30") == ["03-27 02:00", "03-28 01:00", "03-29 01:00"]
    assert times("cron(0 3 * * ? *)", "10-30", "11-02") == ["10-30 01:00", "10-31 02:00", "11-01 02:00"]


def test_repeated_hour_of_hourly_schedule_is_invoked_once():
    hourly = times("cron(0 * * * ? *)", "10-30", "11-01")
    assert hourly.count("10-31 00:00") == 1
    assert "10-31 01:00" not in hourly


def test_utc_has_no_change():
    assert times(DAILY, "03-27", "03-30", "UTC") == ["03-27 02:30", "03-28 02:30", "03-29 02:30"]


def test_first_time_is_after_since_and_last_is_until():
    at = datetime(2027, 1, 1, 2, 30, tzinfo=UTC)
    assert cron_times(DAILY, "UTC", at, at.replace(day=2)) == [at.replace(day=2)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 0 L * ? *)", ["01-31", "02-28"]),
        ("cron(0 0 LW * ? *)", ["01-29", "02-26"]),
        ("cron(0 0 3W * ? *)", ["01-04", "02-03"]),
        ("cron(0 0 1W * ? *)", ["01-01", "02-01"]),
        ("cron(0 0 ? * 6L *)", ["01-29", "02-26"]),
        ("cron(0 0 ? * SAT#3 *)", ["01-16", "02-20"]),
        ("cron(0 0 1-31/15 JAN ? *)", ["01-16", "01-31"]),
        ("cron(0 0 ? 2 mon,TUE 2027-2028)", ["02-01", "02-02", "02-08", "02-09", "02-15", "02-16", "02-22", "02-23"]),
        ("cron(0 0 1 * ? 2028)", []),
    ],
)
def test_day_fields_are_evaluated(expression, expected):
    assert [each[:5] for each in times(expression, "01-01", "03-01", "UTC") if each[:5] not in ("01-01", "03-01")] == [
        day for day in expected if day != "01-01"
    ]


def test_minutes_and_hours_are_evaluated():
    assert times("cron(0/30 20-21 ? * * *)", "01-05", "01-06", "UTC") == [
        "01-05 20:00",
        "01-05 20:30",
        "01-05 21:00",
        "01-05 21:30",
    ]
    assert len(times("cron(*/15 * * * ? *)", "01-05", "01-06", "UTC")) == 96


def test_tick_since_a_time_invokes_what_is_due(monkeypatch):
    found = {"ScheduleExpression": DAILY, "ScheduleExpressionTimezone": "Europe/Berlin"}
    ticked, served = [], {}
    monkeypatch.setattr(schedules, "_get", lambda *_: found)
    monkeypatch.setattr(
        schedules, "tick", lambda _local, _schedule, _account, _region, time, _group: ticked.append(time)
    )
    monkeypatch.setattr(schedules.clock, "pass_to", lambda _: None)
    local = SimpleNamespace(
        replace=lambda *_: None,
        on_stop=lambda _: None,
        control=lambda name, call: served.update({name: call}),
        stores=SimpleNamespace(add=lambda *_: None),
    )
    schedules.install(local)
    body = {"schedule": "nightly", "account": "123456789012", "region": "eu-west-1"}
    answer = served["tick"](body | {"since": "2027-03-27T12:00:00", "time": "2027-03-29T12:00:00Z"})
    assert answer == ["2027-03-29T00:30:00+00:00"]
    assert ticked == [datetime(2027, 3, 29, 0, 30, tzinfo=UTC)]
    found["ScheduleExpression"] = "rate(1 hour)"
    with pytest.raises(ValueError, match="has no cron expression"):
        served["tick"](body | {"since": "2027-03-27T12:00:00"})
