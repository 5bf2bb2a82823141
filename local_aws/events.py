"""Events of AWS services on an account's default event bus, and deliveries of all events to the targets of rules.

The patterns, transformers and expressions themselves are in `eventbridge/`.
"""

import copy
import json
import logging
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from moto.core.exceptions import ServiceException
from moto.events.exceptions import InvalidEventPatternException, ValidationException
from moto.events.models import EventPattern, EventPatternParser, EventsBackend, Rule, events_backends
from moto.sqs.models import sqs_backends

from . import deliveries
from .arn import parse_arn
from .authorization import AccessDeniedError
from .eventbridge import buses
from .eventbridge.expressions import valid_for_rule
from .eventbridge.matching import matches
from .eventbridge.patterns import PatternError, parse
from .eventbridge.transformers import InvalidInputError, target_input
from .eventbridge.transformers import check as check_target
from .interfaces import EmbeddedAws

log = logging.getLogger(__name__)
SERVICE = deliveries.EVENTBRIDGE
HANDLED = ("sqs", "sns", "lambda", "codepipeline", "events")
"""Services whose targets are authorized and called here; moto delivers to others (log groups)."""
MAXIMUM_RETRY_ATTEMPTS = 185
"""Default of a target's retry policy. Between the attempts no time passes here."""


def emit(
    account: str, region: str, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]
) -> None:
    """Put one event. In process: PutEvents refuses the `aws.` sources to callers, as on AWS."""
    event = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail, default=str),
        "Resources": resources,
    }
    events_backends[account][region].put_events([event])


def install(local: EmbeddedAws) -> None:
    """Match, transform and deliver events in moto's place, and refuse the rules and targets that EventBridge refuses.

    Moto accepts unknown operators and placeholders, sends every event to disabled and to scheduled rules, and lets an error
    of a target reach the caller of PutEvents.

    A delivery needs the permission of the target's policy (and its key's). An event that could not be delivered goes to the
    target's dead-letter queue, if that queue's policy permits it.
    """
    send = Rule.send_to_targets

    def send_to_all(self: Any, original_event: Any, transform_input: bool = True) -> None:
        if self.state == "DISABLED" or not self.event_pattern.get_pattern():
            return
        event = _as_delivered(original_event)
        if not matches(self.event_pattern.get_pattern(), event):
            return
        for target in list(self.targets):
            if parse_arn(target["Arn"]).service in HANDLED:
                _send(local, self.arn, target, event, _iso(original_event["ingestion-time"]))
            else:
                _send_by_moto(send, self, target, original_event, transform_input)

    local.replace(Rule, "send_to_targets", send_to_all)
    local.replace(EventPatternParser, "parse", _parse_pattern)
    local.replace(EventPattern, "matches_event", _matches_event)
    _install_checks(local)


def _parse_pattern(self: EventPatternParser) -> dict[str, Any]:
    try:
        return parse(self.pattern) if self.pattern else {}
    except PatternError as error:
        raise InvalidEventPatternException(str(error)) from error


def _matches_event(self: EventPattern, event: Any) -> bool:
    return not self.get_pattern() or matches(self.get_pattern(), _as_delivered(event))


def _install_checks(local: EmbeddedAws) -> None:
    put_rule, put_targets, describe = (
        EventsBackend.put_rule,
        EventsBackend.put_targets,
        EventsBackend.describe_event_bus,
    )

    def put_checked_rule(self: Any, name: str, *arguments: Any, **more: Any) -> Any:
        expression = more.get("scheduled_expression")
        if expression and not valid_for_rule(expression):
            raise ValidationException("Parameter ScheduleExpression is not valid.")
        return put_rule(self, name, *arguments, **more)

    def put_checked_targets(self: Any, name: str, event_bus_arn: Any, targets: list[dict[str, Any]]) -> None:
        if refusal := next(filter(None, map(check_target, targets)), None):
            raise ValidationException(refusal)
        put_targets(self, name, event_bus_arn, targets)

    def describe_copy(self: Any, name: str) -> Any:
        """A bus for PutEvents to go through, whose rules another request may change meanwhile."""
        bus = copy.copy(describe(self, name))
        bus.rules = OrderedDict(bus.rules)
        return bus

    local.replace(EventsBackend, "put_rule", put_checked_rule)
    local.replace(EventsBackend, "put_targets", put_checked_targets)
    local.replace(EventsBackend, "describe_event_bus", describe_copy)


def _as_delivered(event: Any) -> dict[str, Any]:
    """An event as targets receive it, from moto's, which has a time in seconds and an ingestion time."""
    return {key: value for key, value in event.items() if key != "ingestion-time"} | {"time": _iso(event["time"])}


def _iso(time: Any) -> str:
    try:
        return datetime.fromtimestamp(float(time), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return str(time)


def _send(
    local: EmbeddedAws, rule_arn: str, target: dict[str, Any], event: dict[str, Any], ingestion_time: str
) -> None:
    """Deliver an event, by the target's retry policy; what cannot be delivered goes to the dead-letter queue."""
    limit = int(target.get("RetryPolicy", {}).get("MaximumRetryAttempts", MAXIMUM_RETRY_ATTEMPTS))
    attributes: dict[str, str] = {}
    for attempt in range(limit + 1):
        try:
            if parse_arn(target["Arn"]).service == "events":
                buses.deliver(local, rule_arn, target, event, ingestion_time)
            else:
                _authorize(local, rule_arn, target["Arn"], target.get("RoleArn", ""))
                _deliver(local, rule_arn, target, target_input(target, event, rule_arn, ingestion_time))
        except Exception as error:
            attributes, again = _failure(error)
            log.warning("rule %s, target %s: %s", rule_arn, target["Arn"], error, exc_info=again)
            attributes |= {"RULE_ARN": rule_arn, "TARGET_ARN": target["Arn"]}
            if not again:
                break
            attributes |= {"EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts", "RETRY_ATTEMPTS": str(attempt)}
        else:
            return
    dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
    kept = _send_to_dead_letters(local, rule_arn, dead_letters, event, attributes) if dead_letters else None
    deliveries.count_failed_invocation(rule_arn, to_dead_letters=kept)


def _failure(error: Exception) -> tuple[dict[str, str], bool]:
    """Attributes of the dead letter, and whether EventBridge tries again.

    Error codes: EventBridge's guide, 'Using dead-letter queues to process undelivered events'.
    """
    again = False
    if isinstance(error, AccessDeniedError):
        code = "NO_PERMISSIONS"
    elif isinstance(error, InvalidInputError):
        code = "INVALID_JSON"
    elif isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        code, again = ("ERROR_FROM_TARGET", True) if status >= 500 else _refusal(error.response["Error"]["Code"])
    elif isinstance(error, ServiceException):
        code, again = _refusal(error.code)
    elif isinstance(error, LookupError):
        code = "NO_RESOURCE"
    else:
        code, again = "INTERNAL_ERROR", True
    return {"ERROR_CODE": code, "ERROR_MESSAGE": str(error)}, again


def _refusal(code: str) -> tuple[str, bool]:
    if "Throttl" in code:
        return "THROTTLING", True
    if "NotFound" in code or "NonExistent" in code or "DoesNotExist" in code:
        return "NO_RESOURCE", False
    if "AccessDenied" in code or "AuthorizationError" in code:
        return "NO_PERMISSIONS", False
    return "INVALID_PARAMETER", False


def _send_by_moto(send: Any, rule: Any, target: dict[str, Any], event: Any, transform_input: bool) -> None:
    """Deliver to a log group, which moto can; the rule has been matched already."""
    only = copy.copy(rule)
    only.targets = [target]
    try:
        send(only, copy.deepcopy(event), transform_input)
    except Exception:
        log.exception("rule %s, target %s", rule.arn, target["Arn"])


def _send_to_dead_letters(
    local: EmbeddedAws, rule_arn: str, queue_arn: str, event: dict[str, Any], attributes: dict[str, str]
) -> bool:
    _, region, account, name = parse_arn(queue_arn)
    texts = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value}
    try:
        _authorize(local, rule_arn, queue_arn)
        sqs_backends[account][region].send_message(name, json.dumps(event, default=str), message_attributes=texts)
    except (AccessDeniedError, ServiceException) as refusal:
        log.warning("an event is lost: %s", refusal)
        return False
    return True


def _authorize(local: EmbeddedAws, rule_arn: str, arn: str, role: str = "") -> None:
    """Raise AccessDeniedError unless EventBridge, or for a pipeline the target's role, may deliver to `arn`."""
    service, region, _, name = parse_arn(arn)
    if service == "codepipeline":
        local.authorization.take_role(SERVICE, role, rule_arn)
        local.authorization.check_call(role, service, "StartPipelineExecution", {"name": name}, region)
    elif service in HANDLED:
        deliveries.authorize(local, SERVICE, rule_arn, *deliveries.call_to(local, arn))


def _deliver(local: EmbeddedAws, rule_arn: str, target: dict[str, Any], text: str) -> None:
    """Make the call of a delivery, which has been authorized."""
    service, region, account, name = parse_arn(target["Arn"])
    if service == "sqs":
        group = target.get("SqsParameters", {}).get("MessageGroupId")
        sqs_backends[account][region].send_message(name, text, group_id=group)
    elif service == "sns":
        local.accounts.client("sns", account, region).publish(TopicArn=target["Arn"], Message=text)
    elif service == "codepipeline":
        trigger = {"triggerType": "CloudWatchEvent", "triggerDetail": rule_arn}
        local.pipelines.state(account, region).start(name, trigger)
    else:
        client = local.accounts.client("lambda", account, region)
        client.invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=text.encode())
