"""Events of AWS services on an account's default event bus, and deliveries to targets that moto does not support."""

import copy
import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from jsonpath_ng.ext.parser import parse
from moto.events.models import Rule, events_backends
from moto.sqs.models import sqs_backends

from . import deliveries
from .arn import parse_arn
from .authorization import AccessDeniedError
from .interfaces import EmbeddedAws

log = logging.getLogger(__name__)
SERVICE = deliveries.EVENTBRIDGE
CALLS = {"sqs": "SendMessage", "sns": "Publish", "lambda": "Invoke", "codepipeline": "StartPipelineExecution"}
"""The API call of a delivery, by the target's service; deliveries to others (log groups, buses) are not authorized here."""


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
    """Deliver events to queues, SNS topics, functions and pipelines; moto knows log groups and other buses, and queues
    in part.

    (What moto puts into a queue lacks the event's account.)

    A delivery needs the permission of the target's policy (and its key's). A refused event goes to the target's
    dead-letter queue, if that queue's policy permits it.
    """
    send = Rule.send_to_targets

    def send_to_all(self: Any, original_event: Any, transform_input: bool = True) -> None:
        if not self.event_pattern.matches_event(original_event):
            return
        permitted = [target for target in self.targets if _may_deliver(local, self, target, original_event)]
        handled_here = [target for target in permitted if parse_arn(target["Arn"]).service in CALLS]
        rule_for_moto = copy.copy(self)
        rule_for_moto.targets = [target for target in permitted if target not in handled_here]
        send(rule_for_moto, original_event, transform_input)
        for target in handled_here:
            _deliver(local, self.arn, target, original_event)

    local.replace(Rule, "send_to_targets", send_to_all)


def _may_deliver(local: EmbeddedAws, rule: Any, target: dict[str, Any], event: dict[str, Any]) -> bool:
    try:
        _authorize(local, rule.arn, target["Arn"], target.get("RoleArn", ""))
    except AccessDeniedError as refusal:
        log.warning("rule %s: %s", rule.name, refusal)
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        kept = _send_to_dead_letters(local, rule.arn, queue, event) if queue else None
        deliveries.count_failed_invocation(rule.arn, to_dead_letters=kept)
        return False
    return True


def _send_to_dead_letters(local: EmbeddedAws, rule_arn: str, queue_arn: str, event: dict[str, Any]) -> bool:
    _, region, account, name = parse_arn(queue_arn)
    try:
        _authorize(local, rule_arn, queue_arn)
    except AccessDeniedError as refusal:
        log.warning("an event is lost: %s", refusal)
        return False
    sqs_backends[account][region].send_message(name, json.dumps(event, default=str))
    return True


def _authorize(local: EmbeddedAws, rule_arn: str, arn: str, role: str = "") -> None:
    """Raise AccessDeniedError unless EventBridge, or for a pipeline the target's role, may deliver to `arn`."""
    service, region, account, name = parse_arn(arn)
    if service not in CALLS:
        return
    if service == "codepipeline":
        local.authorization.take_role(SERVICE, role, rule_arn)
        local.authorization.check_call(role, service, CALLS[service], {"name": name}, region)
        return
    url = f"{local.endpoint_url}/{account}/{name}"
    params = {"sqs": {"QueueUrl": url}, "sns": {"TopicArn": arn}, "lambda": {"FunctionName": arn}}[service]
    deliveries.authorize(local, SERVICE, rule_arn, service, CALLS[service], params, region)


def _deliver(local: EmbeddedAws, rule_arn: str, target: dict[str, Any], event: dict[str, Any]) -> None:
    text = _input(target, event)
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


def _input(target: dict[str, Any], event: dict[str, Any]) -> str:
    """The target's input: the event, or the output of the target's transformer."""
    if "InputPath" in target or "Input" in target:
        raise ValueError(f"the embedded AWS does not support Input and InputPath of the target {target['Arn']}")
    time = datetime.fromtimestamp(float(event["time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    stamped: Any = event | {"time": time}
    if "InputTransformer" not in target:
        return json.dumps({key: value for key, value in stamped.items() if key != "ingestion-time"})
    return transform(target["InputTransformer"], stamped)


def transform(transformer: dict[str, Any], event: dict[str, Any]) -> str:
    """EventBridge's input transformer: between quotes a value becomes part of the text, elsewhere it is JSON.

    Moto's does not escape quotes in values.
    """
    template: str = transformer["InputTemplate"]
    found = {name: parse(path).find(event) for name, path in transformer.get("InputPathsMap", {}).items()}

    def insert(placeholder: re.Match[str]) -> str:
        matches: Any = found.get(placeholder[1])
        value = matches[0].value if matches else None
        between_quotes = len(re.findall(r'(?<!\\)"', template[: placeholder.start()])) % 2
        if not between_quotes:
            return json.dumps(value)
        return json.dumps(value if isinstance(value, str) else json.dumps(value))[1:-1]

    return re.sub(r"<([\w.-]+)>", insert, template)
