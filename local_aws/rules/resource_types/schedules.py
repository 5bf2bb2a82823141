"""EventBridge Scheduler's schedules."""

import re
from functools import cache, partial
from typing import Any
from zoneinfo import available_timezones

from ..checks import first
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import is_fifo, last, number, own, trusts

_SCHEDULE = "EventBridge Scheduler API reference, CreateSchedule"
_schedule = partial(Rule, CLOUDFORMATION, "AWS::Scheduler::Schedule", code="ValidationException")
_CRON = r"cron\(\S+ \S+ \S+ \S+ \S+ \S+\)"


def _expression(request: Request) -> Values | None:
    expression = str(request.params.get("ScheduleExpression"))
    rate = r"rate\([1-9]\d* (minutes?|hours?|days?)\)"
    fits = re.fullmatch(rf"{rate}|{_CRON}|at\(\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\)", expression)
    days = re.fullmatch(r"cron\(\S+ \S+ (\S+) \S+ (\S+) \S+\)", expression)
    if fits and (days is None or "?" in days.groups()):
        return None
    return {"expression": expression}


@cache
def _zones() -> set[str]:
    return available_timezones()


def _timezone(request: Request) -> Values | None:
    zone = request.params.get("ScheduleExpressionTimezone")
    return {"zone": zone} if zone is not None and zone not in _zones() else None


def _window(request: Request) -> Any:
    window = request.params.get("FlexibleTimeWindow", {})
    return window.get("Mode"), "MaximumWindowInMinutes" in window


def _scheduler_role(request: Request) -> bool:
    arn = str(first(request.params, "Target.RoleArn", ""))
    return own(request, arn) and not trusts(request.find("role", last(arn)), "scheduler.amazonaws.com")


def _scheduled_fifo(request: Request) -> bool:
    group = first(request.params, "Target.SqsParameters.MessageGroupId")
    return is_fifo(first(request.params, "Target.Arn")) and not group


def _not_deduplicated(request: Request) -> bool:
    arn = str(first(request.params, "Target.Arn"))
    queue = request.find("queue", last(arn)) if is_fifo(arn) and own(request, arn) else None
    return queue is not None and not queue["ContentBasedDeduplication"]


def _ends_first(request: Request) -> bool:
    start, end = request.params.get("StartDate"), request.params.get("EndDate")
    return bool(start and end) and str(end) <= str(start)


_ARN = "arn:aws:sqs:us-east-1:123456789012:"
_ROLE = "arn:aws:iam::123456789012:role/"


def _trust(service: str) -> dict[str, Any]:
    principal = {"Service": f"{service}.amazonaws.com"}
    return {"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": principal}]}}


def _every(expression: str = "rate(1 day)", **properties: Any) -> dict[str, Any]:
    target = {"Arn": f"{_ARN}jobs", "RoleArn": f"{_ROLE}scheduler"} | properties.pop("Target", {})
    return {"ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target} | properties


_FIFO = {"Arn": f"{_ARN}jobs.fifo", "SqsParameters": {"MessageGroupId": "churn"}}
_ROLES = {"role/scheduler": _trust("scheduler"), "role/events": _trust("events"), "role/jobs": _trust("sagemaker")}


def _retry(request: Request) -> dict[str, Any]:
    return first(request.params, "Target.RetryPolicy", {})


ENTRIES: tuple[Entry, ...] = (
    _schedule(
        says="A schedule is rate, at, or cron with six fields and a question mark for one kind of day.",
        source="EventBridge Scheduler user guide, Schedule types",
        message="Invalid Schedule Expression {expression}.",
        check=_expression,
        accepted=_every("cron(0 3 * * ? *)"),
        refused=_every("cron(0 3 * * * *)"),
        given=_ROLES,
    ),
    _schedule(
        says="A time zone is of the IANA time zone database.",
        source=_SCHEDULE,
        message="Invalid Schedule Expression Timezone {zone}.",
        inferred=True,
        check=_timezone,
        accepted=_every(ScheduleExpressionTimezone="Europe/Berlin"),
        refused=_every(ScheduleExpressionTimezone="Berlin"),
        given=_ROLES,
    ),
    _schedule(
        says="A flexible time window has a length.",
        source="EventBridge Scheduler API reference, FlexibleTimeWindow",
        message="MaximumWindowInMinutes must be specified when FlexibleTimeWindow Mode is FLEXIBLE.",
        inferred=True,
        check=lambda request: _window(request) == ("FLEXIBLE", False),
        accepted=_every(FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}),
        refused=_every(FlexibleTimeWindow={"Mode": "FLEXIBLE"}),
        given=_ROLES,
    ),
    _schedule(
        says="A time window that is off has no length.",
        source="EventBridge Scheduler API reference, FlexibleTimeWindow",
        message="MaximumWindowInMinutes must not be specified when FlexibleTimeWindow Mode is OFF.",
        inferred=True,
        check=lambda request: _window(request) == ("OFF", True),
        accepted=_every(),
        refused=_every(FlexibleTimeWindow={"Mode": "OFF", "MaximumWindowInMinutes": 15}),
        given=_ROLES,
    ),
    _schedule(
        says="The role of a schedule trusts EventBridge Scheduler.",
        source="EventBridge Scheduler user guide, Set up the execution role",
        message="The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        check=_scheduler_role,
        accepted=_every(),
        refused=_every(Target={"RoleArn": f"{_ROLE}events"}),
        given=_ROLES,
    ),
    _schedule(
        says="A FIFO queue as target needs a message group.",
        source="EventBridge Scheduler API reference, SqsParameters",
        message="MessageGroupId is required for a FIFO queue target.",
        inferred=True,
        check=_scheduled_fifo,
        accepted=_every(Target=_FIFO),
        refused=_every(Target={"Arn": f"{_ARN}jobs.fifo"}),
        given={**_ROLES, "queue/jobs.fifo": {"ContentBasedDeduplication": True}},
    ),
    _schedule(
        says="A FIFO queue as target has content-based deduplication.",
        source="EventBridge Scheduler API reference, SqsParameters",
        message="The FIFO queue must have content-based deduplication enabled.",
        inferred=True,
        check=_not_deduplicated,
        accepted=_every(Target=_FIFO),
        refused=_every(Target=_FIFO | {"Arn": f"{_ARN}other.fifo"}),
        given={
            **_ROLES,
            "queue/jobs.fifo": {"ContentBasedDeduplication": True},
            "queue/other.fifo": {"ContentBasedDeduplication": False},
        },
    ),
    _schedule(
        says="A schedule ends after its start.",
        source=_SCHEDULE,
        message="The EndDate must come after the StartDate.",
        inferred=True,
        check=_ends_first,
        accepted=_every(StartDate="2027-01-01T00:00:00Z", EndDate="2027-01-02T00:00:00Z"),
        refused=_every(StartDate="2027-01-02T00:00:00Z", EndDate="2027-01-01T00:00:00Z"),
        given=_ROLES,
    ),
    _schedule(
        says="An event's age is 60 to 86,400 seconds.",
        source="EventBridge Scheduler API reference, RetryPolicy",
        message="MaximumEventAgeInSeconds must be between 60 and 86400.",
        inferred=True,
        check=lambda request: not 60 <= number(_retry(request), "MaximumEventAgeInSeconds", 60) <= 86400,
        accepted=_every(Target={"RetryPolicy": {"MaximumEventAgeInSeconds": 60}}),
        refused=_every(Target={"RetryPolicy": {"MaximumEventAgeInSeconds": 59}}),
        given=_ROLES,
    ),
)
