"""EventBridge Scheduler: schedules that call an API operation, their groups and roles."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import botocore.session

from ..checks import first
from ..resource_types.values import own, trusts
from ..rule import Entry, Request, Values, table

TARGETS = "EventBridge Scheduler user guide: Using universal targets"
rule = table("scheduler", "ValidationException", TARGETS)

SDK = "arn:aws:scheduler:::aws-sdk:"
READ_ONLY = (
    *("get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "lookup", "discover"),
    *("validate", "batchGet", "batchDescribe", "batchRead", "transactGet", "adminGet", "adminList", "testMigration"),
    *("retrieve", "testConnection", "translateDocument", "isAuthorized", "invokeModel"),
)
"""Prefixes of the actions that no schedule calls."""
OPERATIONS = "CreateSchedule UpdateSchedule"


def _action(request: Request) -> tuple[str, str] | None:
    """Service and action of a universal target; None for another target."""
    arn = str(first(request.params, "Target.Arn", ""))
    if not arn.startswith(SDK):
        return None
    service, _, action = arn.removeprefix(SDK).partition(":")
    return service, action


@cache
def _members(service: str) -> dict[str, Sequence[str]] | None:
    """The required members of each operation, by the action's name; None for a service that boto3 calls otherwise."""
    session = botocore.session.get_session()
    if service not in session.get_available_services():
        return None
    model: Any = session.get_service_model(service)
    found: dict[str, Sequence[str]] = {}
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        found[name[0].lower() + name[1:]] = shape.required_members if shape else ()
    return found


def _read_only(request: Request) -> Values | None:
    target = _action(request)
    return {"action": target[1]} if target and target[1].startswith(READ_ONLY) else None


def _unknown(request: Request) -> Values | None:
    target = _action(request)
    operations = _members(target[0]) if target else None
    return (
        {"service": target[0], "action": target[1]} if target and operations and target[1] not in operations else None
    )


def _input(request: Request) -> Any:
    return json.loads(first(request.params, "Target.Input", "{}"))


def _no_json(request: Request) -> bool:
    try:
        return bool(_action(request)) and not isinstance(_input(request), dict)
    except ValueError:
        return True


def _missing(request: Request) -> Values | None:
    target = _action(request)
    if target is None or _no_json(request):
        return None
    needed = (_members(target[0]) or {}).get(target[1], ())
    fields = [name for name in needed if name not in _input(request)]
    return {"fields": ", ".join(fields)} if fields else None


def _no_group(request: Request) -> Values | None:
    group = str(request.params.get("GroupName") or "default")
    return None if group == "default" or request.find("schedule-group", group) is not None else {"group": group}


def _not_assumed(request: Request) -> bool:
    arn = str(first(request.params, "Target.RoleArn", ""))
    return own(request, arn) and not trusts(request.find("role", arn), "scheduler.amazonaws.com")


def _schedule(action: str = "sagemaker:startPipelineExecution", **more: Any) -> dict[str, Any]:
    target = {
        "Arn": f"{SDK}{action}",
        "RoleArn": ROLE,
        "Input": json.dumps({"PipelineName": "p", "ClientRequestToken": "t"}),
    }
    return {
        "Name": "s",
        "ScheduleExpression": "rate(1 hour)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        **more,
        "Target": target | more.get("Target", {}),
    }


ROLE, OTHER = "arn:aws:iam::123456789012:role/scheduler", "arn:aws:iam::123456789012:role/events"


def _trust(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}}
    return {"AssumeRolePolicyDocument": {"Statement": [statement]}}


GIVEN = {f"role/{ROLE}": _trust("scheduler"), f"role/{OTHER}": _trust("events"), "schedule-group/factory": {}}

ENTRIES: tuple[Entry, ...] = (
    rule(
        OPERATIONS,
        "A schedule calls no action that only reads.",
        "Invalid Arn: the read-only action {action} is not supported.",
        _read_only,
        _schedule(),
        _schedule("sagemaker:listModels"),
        given=GIVEN,
        inferred=True,
    ),
    rule(
        OPERATIONS,
        "The action of a universal target is one of its service, in camel case.",
        "Invalid Arn: {service} has no action {action}.",
        _unknown,
        _schedule(),
        _schedule("sagemaker:StartPipelineExecution"),
        given=GIVEN,
        inferred=True,
    ),
    rule(
        OPERATIONS,
        "The input of a universal target is a JSON object.",
        "Invalid RequestJson provided.",
        _no_json,
        _schedule(),
        _schedule(Target={"Input": "start"}),
        given=GIVEN,
    ),
    rule(
        OPERATIONS,
        "The input of a universal target has the required members of the request, named as in the API.",
        "Invalid RequestJson provided. Reason Request payload is missing the following field(s): {fields}",
        _missing,
        _schedule(),
        _schedule(Target={"Input": '{"pipelineName": "p", "clientRequestToken": "t"}'}),
        source=f"{TARGETS}; words: errors of deployments in public repositories",
        given=GIVEN,
    ),
    rule(
        OPERATIONS,
        "The group of a schedule exists.",
        "Schedule group {group} does not exist.",
        _no_group,
        _schedule(GroupName="factory"),
        _schedule(GroupName="missing"),
        code="ResourceNotFoundException",
        status=404,
        source="EventBridge Scheduler API reference: CreateSchedule",
        given=GIVEN,
    ),
    rule(
        OPERATIONS,
        "The role of a schedule trusts EventBridge Scheduler.",
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        _not_assumed,
        _schedule(),
        _schedule(Target={"RoleArn": OTHER}),
        source="EventBridge Scheduler user guide: Set up the execution role",
        given=GIVEN,
    ),
)
