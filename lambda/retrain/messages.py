"""Messages of the retrain queue: our own triggers, and CloudWatch's event about a model's drift or quality alarm.

Every name and text that is used later is validated here; anything else is refused.
"""

import re
from typing import Annotated, Any, Literal

from aws_lambda_powertools.utilities.parser import BaseModel
from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter
from shared.messages import MAX_REASON_LENGTH, InvalidMessageError, ModelName, Origin, parse_body
from shared.triggers import LONGEST_DESCRIBED_REASON

Kind = Literal["schedule", "drift", "quality", "manual", "code"]
ALARMS: dict[str, Kind] = {"drift": "drift", "model-quality": "quality"}
"""The kind of trigger by the alarm's purpose, the last part of its name."""
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


class Trigger(BaseModel):
    """A request to train a model, with its reason."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    model: ModelName
    kind: Kind = Field(alias="trigger")
    reason: str = Field(min_length=1, max_length=MAX_REASON_LENGTH)
    id: str = Field(min_length=1, max_length=128)


class _State(BaseModel):
    value: Literal["ALARM"]
    reason: str = Field(min_length=1)


class _Detail(BaseModel):
    alarm_name: str = Field(alias="alarmName", max_length=255)
    state: _State


class _AlarmEvent(BaseModel):
    """The fields that we read of EventBridge's 'CloudWatch Alarm State Change'; others are ignored."""

    id: str = Field(min_length=1, max_length=128)
    source: Literal["aws.cloudwatch"]
    detail_type: Literal["CloudWatch Alarm State Change"] = Field(alias="detail-type")
    account: str
    detail: _Detail


def _tag(content: Any) -> str | None:
    """The type that a message is validated as, so that errors concern that type only."""
    if not isinstance(content, dict):
        return None
    return "event" if "detail-type" in content else "message"


_BODY: TypeAdapter[Trigger | _AlarmEvent] = TypeAdapter(
    Annotated[Annotated[Trigger, Tag("message")] | Annotated[_AlarmEvent, Tag("event")], Discriminator(_tag)]
)


def parse(body: str, origin: Origin) -> Trigger:
    """The trigger in a message body. Raises InvalidMessageError with the reason."""
    message = parse_body(_BODY, body)
    if isinstance(message, _AlarmEvent):
        return _from_alarm(message, origin)
    if message.kind in ALARMS.values():
        raise InvalidMessageError(f"trigger: '{message.kind}' comes from its alarm only")
    return message.model_copy(update={"reason": _one_line(message.reason)})


def _from_alarm(event: _AlarmEvent, origin: Origin) -> Trigger:
    if event.account != origin.account:
        raise InvalidMessageError("account: the event comes from another account")
    for purpose, kind in ALARMS.items():
        if model := origin.model_in(event.detail.alarm_name, f"-{purpose}"):
            reason = _one_line(event.detail.state.reason)
            return Trigger(model=model, trigger=kind, reason=reason, id=event.id)
    raise InvalidMessageError(f"detail.alarmName: it is not the drift or quality alarm of a model of {origin.prefix}")


def _one_line(text: str) -> str:
    """`text` as SageMaker accepts descriptions and parameters: printable, on one line, and not too long."""
    return _UNPRINTABLE.sub(" ", text).strip()[:LONGEST_DESCRIBED_REASON] or "no reason given"
