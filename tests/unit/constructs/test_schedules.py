"""Time between two runs of a schedule."""

from datetime import timedelta

import pytest

from model_factory.core.schedules import interval


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(15 minutes)", timedelta(minutes=15)),
        ("rate(1 hour)", timedelta(hours=1)),
        ("rate(2 days)", timedelta(days=2)),
        ("cron(0 * * * ? *)", timedelta(hours=1)),
        ("cron(0/10 * * * ? *)", timedelta(hours=1)),
        ("cron(0 3 * * ? *)", timedelta(days=1)),
        ("cron(0 3 ? * MON *)", timedelta(days=7)),
        ("cron(0 3 1 * ? *)", timedelta(days=31)),
    ],
)
def test_interval_of_schedule(expression, expected):
    assert interval(expression) == expected
