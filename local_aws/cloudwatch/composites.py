"""Composite alarms: evaluated when one of the alarms that their rule names changes its state.

Source: CloudWatch API reference, PutCompositeAlarm. Words of the reason: CloudWatch user guide, "Alarm events and EventBridge".
"""

from datetime import UTC, datetime
from typing import Any

from .alarm_rule import AlarmRule, RuleError


def refusal(alarm: Any, alarms: dict[str, Any]) -> str | None:
    """The sentence with which PutCompositeAlarm refuses a rule; None for a valid one. Words: errors of public deployments."""
    try:
        rule = AlarmRule(alarm.rule)
    except RuleError as error:
        return f"AlarmRule is invalid: {error}"
    missing = [name for name in rule.names if name not in alarms]
    return (
        f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule do not exist"
        if missing
        else None
    )


def judge(alarm: Any, alarms: dict[str, Any], changed: Any | None) -> tuple[str, str, dict[str, Any]]:
    """The new state, its reason and the reason's data. `changed`: the alarm whose change is the cause; None at creation."""
    rule = AlarmRule(alarm.rule)
    state = "ALARM" if rule.holds(lambda name: _state(alarms.get(name))) else "OK"
    of = changed or next((alarms[name] for name in rule.names if name in alarms), None)
    if of is None:
        return state, f"{alarm.alarm_arn} was evaluated", {}
    now = datetime.now(UTC)
    verb = "transitioned to" if changed else "was initialized to"
    reason = f"{of.alarm_arn} {verb} {of.state_value} at {now:%A %d %B, %Y %H:%M:%S} UTC"
    stamp = f"{now:%Y-%m-%dT%H:%M:%S.000}+0000"
    return (
        state,
        reason,
        {"triggeringAlarms": [{"arn": of.alarm_arn, "state": {"value": of.state_value, "timestamp": stamp}}]},
    )


def naming(alarms: dict[str, Any], name: str) -> list[Any]:
    """The composite alarms whose rule names an alarm."""
    return [each for each in list(alarms.values()) if each.rule is not None and name in AlarmRule(each.rule).names]


def _state(alarm: Any | None) -> str:
    return alarm.state_value if alarm else ""
