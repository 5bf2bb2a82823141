"""EventBridge: rules that match events, and deliveries that come late, twice or in another order."""

import itertools
import json
from dataclasses import dataclass

from .names import ACCOUNT, REGION


@dataclass
class Rule:
    """A rule. `deliver(event)` is its target."""

    name: str
    pattern: dict
    deliver: object
    enabled: bool = True


@dataclass
class Delivery:
    """An event on its way to a rule's target."""

    event: dict
    rule: Rule

    def __str__(self):
        return f"{summary(self.event)} (rule {self.rule.name})"


class Bus:
    """The default event bus of an account."""

    def __init__(self, world):
        self._world, self.rules, self.pending = world, {}, []
        self.sent_alerts = []
        self._ids = itertools.count(1)

    def put_rule(self, name, pattern, deliver):
        self.rules[name] = Rule(name, pattern, deliver)

    def emit(self, source, detail_type, detail, resource=""):
        """An event of a service: it waits in `pending` for each rule that matches it."""
        event = {
            "version": "0",
            "id": f"{next(self._ids):08x}-0000-4000-8000-000000000000",
            "detail-type": detail_type,
            "source": source,
            "account": ACCOUNT,
            "time": f"{self._world.clock.now:%Y-%m-%dT%H:%M:%SZ}",
            "region": REGION,
            "resources": [resource] if resource else [],
            "detail": detail,
        }
        for rule in self.rules.values():
            if rule.enabled and matches(rule.pattern, event):
                self.pending.append(Delivery(event, rule))

    def deliver(self, index, *, keep=False):
        """Deliver one pending event; `keep`: it will be delivered again."""
        delivery = self.pending[index % len(self.pending)] if keep else self.pending.pop(index % len(self.pending))
        self._world.tell(f"EventBridge delivers {delivery}{', and will again' if keep else ''}")
        delivery.rule.deliver(delivery.event)

    def put_events(self, Entries):
        """PutEvents. The request was validated; the size limit of an entry is 256 KB."""
        for entry in Entries:
            self.emit(entry["Source"], entry["DetailType"], json.loads(entry["Detail"]))
            if entry["Source"] == "model-factory":
                self._world.alert(json.loads(entry["Detail"]))
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "0"} for _ in Entries]}


def matches(pattern, content):
    """Whether an event pattern matches: values, nested patterns, `$or`, and the operators that our rules use."""
    for name, wanted in pattern.items():
        if name == "$or":
            if not any(matches(each, content) for each in wanted):
                return False
        elif isinstance(wanted, dict):
            if not (isinstance(content.get(name), dict) and matches(wanted, content[name])):
                return False
        elif not any(_matches(each, content, name) for each in wanted):
            return False
    return True


def _matches(wanted, content, name):
    if not isinstance(wanted, dict):
        return name in content and content[name] == wanted
    (operator, operand), *more = wanted.items()
    if more:
        raise NotImplementedError(f"event pattern {wanted}")
    value = content.get(name)
    if operator == "exists":
        return (name in content) == operand
    if operator == "prefix":
        return isinstance(value, str) and value.startswith(operand)
    if operator == "suffix":
        return isinstance(value, str) and value.endswith(operand)
    if operator == "anything-but":
        return name in content and value not in (operand if isinstance(operand, list) else [operand])
    raise NotImplementedError(f"operator {operator} of event patterns")


def summary(event):
    """An event in a few words."""
    detail = event["detail"]
    facts = ("EndpointName", "EndpointStatus", "ModelPackageVersion", "ModelApprovalStatus", "currentPipelineExecutionStatus",
             "alarmName", "name", "operation", "cause")  # fmt: skip
    return f"'{event['detail-type']}' {' '.join(str(detail[name]) for name in facts if name in detail)}".strip()
