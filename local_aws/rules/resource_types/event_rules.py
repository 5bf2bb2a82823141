"""EventBridge rules and their targets."""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from ..checks import more_than, none_of, repeated
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import every, is_fifo, last, own, trusts

_RULES = "EventBridge API reference, PutRule"
_TARGETS = "EventBridge API reference, PutTargets"
_rule = partial(Rule, CLOUDFORMATION, "AWS::Events::Rule", code="ValidationException")


def _targets(test: Callable[[dict[str, Any]], object]) -> Callable[[Request], Values | None]:
    """The check of one target at a time. Values: id, arn."""

    def check(request: Request) -> Values | None:
        for each in every(request.params.get("Targets")):
            if test(each):
                return {"id": each.get("Id"), "arn": each.get("Arn")}
        return None

    return check


def _inputs(target: dict[str, Any]) -> bool:
    return sum(name in target for name in ("Input", "InputPath", "InputTransformer")) > 1


def _no_group(target: dict[str, Any]) -> bool:
    return is_fifo(target.get("Arn")) and "MessageGroupId" not in target.get("SqsParameters", {})


def _no_role(target: dict[str, Any]) -> bool:
    arn = str(target.get("Arn"))
    needed = (":sagemaker:", ":codepipeline:", ":codebuild:", ":states:", ":kinesis:", ":firehose:", ":batch:", ":ecs:")
    return any(service in arn for service in needed) and "RoleArn" not in target


def _many_paths(target: dict[str, Any]) -> bool:
    return len(target.get("InputTransformer", {}).get("InputPathsMap", {})) > 100


def _aws_path(target: dict[str, Any]) -> bool:
    return any(
        str(key).upper().startswith("AWS") for key in target.get("InputTransformer", {}).get("InputPathsMap", {})
    )


def _bracket_path(target: dict[str, Any]) -> bool:
    paths = target.get("InputTransformer", {}).get("InputPathsMap", {}).values()
    return any(not re.fullmatch(r"\$(\.[^.\s]+)*", str(path)) for path in paths)


def _fifo_dead_letters(target: dict[str, Any]) -> bool:
    return is_fifo(target.get("DeadLetterConfig", {}).get("Arn"))


def _not_json(target: dict[str, Any]) -> bool:
    try:
        json.loads(target.get("Input", "{}"))
    except ValueError:
        return True
    return False


def _untrusted(request: Request) -> Values | None:
    for each in every(request.params.get("Targets")):
        arn = each.get("RoleArn")
        if arn and own(request, arn) and not trusts(request.find("role", last(arn)), "events.amazonaws.com"):
            return {"arn": arn}
    return None


def _pattern(request: Request) -> bool:
    """Operators and operands are the guard's; this is the form: an object whose leaves are lists."""
    pattern = request.params.get("EventPattern")
    return pattern is not None and (not isinstance(pattern, dict) or not pattern or not _leaves(pattern))


def _leaves(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_leaves(each) for each in value.values())
    return isinstance(value, list) and bool(value)


def _other_bus(request: Request) -> bool:
    bus = last(str(request.params.get("EventBusName", "default")))
    return "ScheduleExpression" in request.params and bus != "default"


_RATE = r"rate\((1 (minute|hour|day)|(?!0|1 )\d+ (minutes|hours|days))\)"
_CRON = r"cron\(\S+ \S+ \S+ \S+ \S+ \S+\)"


def _rule_expression(request: Request) -> bool:
    expression = request.params.get("ScheduleExpression")
    return expression is not None and not re.fullmatch(f"{_RATE}|{_CRON}", expression)


_ARN = "arn:aws:sqs:us-east-1:123456789012:"
_BOARD = {"Id": "t", "Arn": f"{_ARN}jobs"}
_ROLE = "arn:aws:iam::123456789012:role/"


def _trust(service: str) -> dict[str, Any]:
    principal = {"Service": f"{service}.amazonaws.com"}
    return {"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": principal}]}}


def _to(*targets: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"EventPattern": {"source": ["aws.s3"]}, "Targets": [_BOARD | each for each in targets]} | properties


_FIFO = {"Arn": f"{_ARN}jobs.fifo", "SqsParameters": {"MessageGroupId": "churn"}}
_ROLES = {"role/scheduler": _trust("scheduler"), "role/events": _trust("events"), "role/jobs": _trust("sagemaker")}

ENTRIES: tuple[Entry, ...] = (
    _rule(
        says="A rule has an event pattern or a schedule.",
        source=_RULES,
        message="Parameter(s) EventPattern or ScheduleExpression must be specified.",
        check=none_of("EventPattern", "ScheduleExpression"),
        accepted=_to(),
        refused={"Targets": [_BOARD]},
    ),
    _rule(
        says="An event pattern is an object whose fields have lists of values.",
        source="EventBridge user guide, Creating Amazon EventBridge event patterns",
        code="InvalidEventPatternException",
        message="Event pattern is not valid. Reason: Match value must be String, number, true, false, or null",
        check=_pattern,
        accepted=_to(),
        refused=_to(EventPattern={"source": "aws.s3"}),
    ),
    _rule(
        says="A rule has up to five targets.",
        source="EventBridge user guide, Amazon EventBridge quotas",
        code="LimitExceededException",
        message="The requested resource exceeds the maximum number allowed.",
        check=more_than(5, "Targets"),
        accepted=_to(*({"Id": str(n)} for n in range(5))),
        refused=_to(*({"Id": str(n)} for n in range(6))),
    ),
    _rule(
        says="Ids of targets are unique in a rule.",
        source=_TARGETS,
        message="Target id {value} is used more than once.",
        inferred=True,
        check=repeated("Targets[].Id"),
        accepted=_to({}),
        refused=_to({}, {}),
    ),
    _rule(
        says="Rules with a schedule are on the default event bus.",
        source=_RULES,
        message="ScheduleExpression is supported only on the default event bus.",
        check=_other_bus,
        accepted={"ScheduleExpression": "rate(5 minutes)", "EventBusName": "default"},
        refused={"ScheduleExpression": "rate(5 minutes)", "EventBusName": "acme"},
    ),
    _rule(
        says="A schedule of a rule is cron with six fields or a rate, of one in the singular.",
        source="EventBridge user guide, Setting a schedule pattern for scheduled rules (legacy)",
        message="Parameter ScheduleExpression is not valid.",
        check=_rule_expression,
        accepted={"ScheduleExpression": "rate(1 hour)"},
        refused={"ScheduleExpression": "rate(1 hours)"},
    ),
    _rule(
        says="A target gets an input, an input path or a transformed input.",
        source=_TARGETS,
        message="Only one of Input, InputPath, or InputTransformer must be provided for target {id}.",
        check=_targets(_inputs),
        accepted=_to({"Input": "{}"}),
        refused=_to({"Input": "{}", "InputPath": "$.detail"}),
    ),
    _rule(
        says="The input of a target is JSON.",
        source=_TARGETS,
        message="JSON syntax error in input for target {id}.",
        check=_targets(_not_json),
        accepted=_to({"Input": '"text"'}),
        refused=_to({"Input": "text"}),
    ),
    _rule(
        says="A FIFO queue as target needs a message group.",
        source=_TARGETS,
        message="Parameter(s) SqsParameters must be specified for target: {id}.",
        check=_targets(_no_group),
        accepted=_to(_FIFO),
        refused=_to({"Arn": f"{_ARN}jobs.fifo"}),
    ),
    _rule(
        says="A target that is started under a role has one.",
        source="EventBridge user guide, Using identity-based policies for Amazon EventBridge",
        message="RoleArn is required for target {arn}.",
        check=_targets(_no_role),
        accepted=_to({"Arn": "arn:aws:sagemaker:us-east-1:1:pipeline/p", "RoleArn": f"{_ROLE}events"}),
        refused=_to({"Arn": "arn:aws:sagemaker:us-east-1:1:pipeline/p"}),
        given=_ROLES,
    ),
    _rule(
        says="The role of a target trusts EventBridge.",
        source="EventBridge user guide, Using identity-based policies for Amazon EventBridge",
        message="Provided role '{arn}' cannot be assumed by principal 'events.amazonaws.com'.",
        check=_untrusted,
        accepted=_to({"RoleArn": f"{_ROLE}events"}),
        refused=_to({"RoleArn": f"{_ROLE}jobs"}),
        given=_ROLES,
    ),
    _rule(
        says="An input transformer has up to 100 paths.",
        source="EventBridge API reference, InputTransformer",
        message="InputPathsMap for target {id} exceeds 100 entries.",
        inferred=True,
        check=_targets(_many_paths),
        accepted=_to({"InputTransformer": {"InputPathsMap": {f"k{n}": "$.a" for n in range(100)}}}),
        refused=_to({"InputTransformer": {"InputPathsMap": {f"k{n}": "$.a" for n in range(101)}}}),
    ),
    _rule(
        says="Keys of an input transformer do not begin with AWS.",
        source="EventBridge API reference, InputTransformer",
        message="InputPathsMap for target {id} has a key with the reserved prefix AWS.",
        inferred=True,
        check=_targets(_aws_path),
        accepted=_to({"InputTransformer": {"InputPathsMap": {"account": "$.account"}}}),
        refused=_to({"InputTransformer": {"InputPathsMap": {"awsAccount": "$.account"}}}),
    ),
    _rule(
        says="Paths of an input transformer are in dot notation.",
        source="EventBridge API reference, InputTransformer",
        message="InputPathsMap for target {id} contains an invalid JSONPath.",
        inferred=True,
        check=_targets(_bracket_path),
        accepted=_to({"InputTransformer": {"InputPathsMap": {"name": "$.detail.name"}}}),
        refused=_to({"InputTransformer": {"InputPathsMap": {"name": "detail.name"}}}),
    ),
    _rule(
        says="The dead-letter queue of a target is a standard queue.",
        source="EventBridge user guide, Using dead-letter queues to process undelivered events",
        message="Parameter DeadLetterConfig is not valid for target {id}. Reason: The dead-letter queue must be standard.",
        inferred=True,
        check=_targets(_fifo_dead_letters),
        accepted=_to({"DeadLetterConfig": {"Arn": f"{_ARN}dead"}}),
        refused=_to({"DeadLetterConfig": {"Arn": f"{_ARN}dead.fifo"}}),
    ),
)
