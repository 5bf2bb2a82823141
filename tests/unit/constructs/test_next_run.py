"""The next time of a schedule, compared with the embedded EventBridge Scheduler."""

from datetime import UTC, datetime, timedelta

import pytest

from local_aws.eventbridge.times import cron_times
from model_factory.core.next_run import next_run

NOW = datetime(2026, 11, 26, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("cron(0 3 * * ? *)", "UTC"),
        ("cron(30 4 * * ? *)", "UTC"),
        ("cron(0/20 * * * ? *)", "Europe/Berlin"),
        ("cron(15 2-4,22 ? * MON-FRI *)", "America/New_York"),
        ("cron(0 12 ? * SUN *)", "Asia/Tokyo"),
        ("cron(0 0 1,15 JAN,JUL ? *)", "UTC"),
        ("cron(5 6 */10 * ? 2026-2028)", "UTC"),
    ],
)
@pytest.mark.parametrize("after", [NOW, datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2027, 10, 30, 23, tzinfo=UTC)])
def test_next_run_is_the_first_time_of_the_schedule(expression, zone, after):
    assert next_run(expression, zone, after) == cron_times(expression, zone, after, after + timedelta(days=200))[0]


def test_time_that_daylight_saving_leaves_out_is_skipped():
    assert next_run("cron(30 2 * * ? *)", "Europe/Berlin", datetime(2027, 3, 28, tzinfo=UTC)) == datetime(
        2027, 3, 29, 0, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "expression", ["rate(1 hour)", "cron(0 3 L * ? *)", "cron(0 3 ? * 6#1 *)", "cron(0 3 * * ? 2020)"]
)
def test_time_that_is_not_known_is_none(expression):
    assert next_run(expression, "UTC", NOW) is None
