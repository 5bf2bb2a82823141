"""Deliveries to other event buses, of any account and region: the target's role, and the bus's policy in another account.

Source: EventBridge user guide, "Sending and receiving events between AWS accounts" and "Permissions for event buses".
"""

from typing import Any, cast

from moto.events.models import events_backends

from ..arn import parse_arn
from ..authorization import AccessDeniedError
from ..interfaces import EmbeddedAws

_SERVICE = "events.amazonaws.com"


def deliver(
    local: EmbeddedAws, rule_arn: str, target: dict[str, Any], event: dict[str, Any], ingestion_time: str
) -> None:
    """Put an event, as it is, on the target's bus. Raises AccessDeniedError, and moto's exception for a bus that is missing."""
    arn, role = target["Arn"], target.get("RoleArn", "")
    _, region, account, name = parse_arn(arn)
    if not role:
        raise AccessDeniedError(f"the target {arn} of {rule_arn} has no role that may put events on the bus")
    local.authorization.take_role(_SERVICE, role, rule_arn)
    keys = {
        "events:eventBusInvocation": "true",
        "aws:SourceArn": rule_arn,
        "aws:SourceAccount": parse_arn(rule_arn).account,
    }
    entry = {"Source": event["source"], "DetailType": event["detail-type"], "EventBusName": arn}
    local.authorization.check_call(role, "events", "PutEvents", {"Entries": [entry]}, region, keys)
    bus = events_backends[account][region].describe_event_bus(name.removeprefix("event-bus/"))
    for rule in list(bus.rules.values()):
        # Account, region, id and time stay those of the event's origin.
        rule.send_to_targets(cast(Any, event | {"ingestion-time": ingestion_time}))
