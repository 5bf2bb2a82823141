"""Schedule expressions, as EventBridge's rules and EventBridge Scheduler accept and refuse them."""

from types import SimpleNamespace

import pytest
from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend

from local_aws import schedules
from local_aws.eventbridge.expressions import valid_for_rule, valid_for_scheduler

CRON = [
    "cron(0 2 ? * SAT *)",
    "cron(5,35 14 * * ? *)",
    "cron(15 10 ? * 6L 2002-2005)",
    "cron(0 2 ? * SAT#3 *)",
    "cron(0/5 5 ? JAN 1-5 2022)",
    "cron(0/30 20-23 ? * MON-FRI *)",
    "cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)",
    "cron(1-31/30 1-1 ? * 1,7 *)",
    "cron(*/15 * * * ? *)",
    "cron(0 0 L * ? *)",
    "cron(0 0 3W * ? *)",
]
INVALID = [
    "cron(0 1 * * * *)",
    "cron(0 1 ? * ? *)",
    "cron(7 20 * * NOT *)",
    "cron(INVALID)",
    "cron()",
    "cron(0 dummy ? * MON-FRI *)",
    "cron(71 8 1 * ? *)",
    "cron(0 24 1 * ? *)",
    "cron(0 8 32 * ? *)",
    "cron(0 8 1 13 ? *)",
    "cron(0 8 1 FOO ? *)",
    "cron(0 8 ? * 8 *)",
    "cron(0 8 1 * ? 1969)",
    "cron(0 8 1 * ?)",
    "cron(9-5 8 1 * ? *)",
    "rate(10 seconds)",
    "rate(10 years)",
    "rate()",
    "rate(10)",
    "rate(10 minutess)",
    "rate(foo minutes)",
    "rate(0 minutes)",
    "rate(-10 minutes)",
    "rate( 10 minutes )",
    " rate(10 minutes)",
    "at(2021-12-31T23:59:59Z)",
    "at(2021-12-31)",
    "at(2021-02-30T00:00:00)",
]


@pytest.mark.parametrize("expression", [*CRON, "rate(1 hour)", "rate(15 minutes)"])
def test_documented_expression_is_accepted(expression):
    assert valid_for_rule(expression)
    assert valid_for_scheduler(expression)


@pytest.mark.parametrize("expression", INVALID)
def test_invalid_expression_is_refused(expression):
    assert not valid_for_rule(expression)
    assert not valid_for_scheduler(expression)


@pytest.mark.parametrize("expression", ["rate(1 hours)", "rate(2 hour)", "at(2026-11-24T12:00:00)"])
def test_only_scheduler_accepts_expression(expression):
    assert valid_for_scheduler(expression)
    assert not valid_for_rule(expression)


@pytest.mark.parametrize(
    ("expression", "timezone", "refusal"),
    [
        ("cron(71 8 1 * ? *)", "UTC", "Invalid Schedule Expression cron(71 8 1 * ? *)."),
        ("rate(1 hour)", "Mars", "Invalid Schedule Expression Timezone Mars."),
        ("rate(1 hour)", "Europe/Berlin", None),
    ],
)
def test_service_refuses_schedule(monkeypatch, expression, timezone, refusal):
    schedules.install(
        SimpleNamespace(
            replace=monkeypatch.setattr,
            control=lambda *_: None,
            on_stop=lambda _: None,
            stores=SimpleNamespace(add=lambda *_: None),
        )
    )
    backend = EventBridgeSchedulerBackend("us-east-1", "123456789012")
    names = ("description", "end_date", "group_name", "kms_key_arn", "start_date", "state", "action_after_completion")
    request = dict.fromkeys(names) | {"name": "nightly", "flexible_time_window": {"Mode": "OFF"}, "target": {}}
    request |= {"schedule_expression": expression, "schedule_expression_timezone": timezone}
    if refusal is None:
        assert backend.create_schedule(**request).name == "nightly"
        return
    with pytest.raises(ValidationException) as error:
        backend.create_schedule(**request)
    assert error.value.message == refusal
