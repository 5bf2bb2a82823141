"""What may stand in the retrain queue: our own message, or CloudWatch's event about a model's drift or quality alarm.

Whatever is used later, a name or a text, has been checked here. Anything else is refused.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from aws_lambda_powertools.utilities.parser import BaseModel, ValidationError
from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter

Kind = Literal["schedule", "drift", "quality", "manual", "code"]
ALARMS: dict[str, Kind] = {"drift": "drift", "model-quality": "quality"}
"""Which alarm of a model asks for which kind of training."""
MODEL_NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
MAX_MODEL_NAME = 24
MAX_BODY = 256 * 1024
MAX_REASON = 1024
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


class Refused(ValueError):
    """The message is not one of ours; trying it again will not change that."""


@dataclass(frozen=True)
class Origin:
    """Whose events are taken: this account's, and those of what `<factory>-<environment>` is called."""

    account: str
    prefix: str


class Trigger(BaseModel):
    """Why a model is to be trained."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    model: str = Field(pattern=MODEL_NAME, max_length=MAX_MODEL_NAME)
    kind: Kind = Field(alias="trigger")
    reason: str = Field(min_length=1, max_length=MAX_REASON)
    id: str = Field(min_length=1, max_length=128)


class _State(BaseModel):
    value: Literal["ALARM"]
    reason: str = Field(min_length=1)


class _Detail(BaseModel):
    alarm_name: str = Field(alias="alarmName", max_length=255)
    state: _State


class _AlarmEvent(BaseModel):
    """The parts we read of EventBridge's 'CloudWatch Alarm State Change'; what else CloudWatch sends is left alone."""

    id: str = Field(min_length=1, max_length=128)
    source: Literal["aws.cloudwatch"]
    detail_type: Literal["CloudWatch Alarm State Change"] = Field(alias="detail-type")
    account: str
    detail: _Detail


def _kind(content: Any) -> str | None:
    """Which of the two a message wants to be; so that a refusal speaks of that one only."""
    if not isinstance(content, dict):
        return None
    return "event" if "detail-type" in content else "message"


_BODY: TypeAdapter[Trigger | _AlarmEvent] = TypeAdapter(
    Annotated[Annotated[Trigger, Tag("message")] | Annotated[_AlarmEvent, Tag("event")], Discriminator(_kind)]
)


def parse(body: str, origin: Origin) -> Trigger:
    """The trigger in a message body. Raises Refused, which says what is wrong with it."""
    if len(body) > MAX_BODY:
        raise Refused(f"body: {len(body)} characters are more than {MAX_BODY}")
    try:
        message = _BODY.validate_json(body)
    except ValidationError as error:
        raise Refused(_summary(error)) from None
    if isinstance(message, _AlarmEvent):
        return _of_alarm(message, origin)
    if message.kind in ALARMS.values():
        raise Refused(f"trigger: '{message.kind}' comes from its alarm only")
    return message.model_copy(update={"reason": _one_line(message.reason)})


def _of_alarm(event: _AlarmEvent, origin: Origin) -> Trigger:
    if event.account != origin.account:
        raise Refused("account: the event comes from another account")
    for purpose, kind in ALARMS.items():
        model = event.detail.alarm_name.removeprefix(f"{origin.prefix}-").removesuffix(f"-{purpose}")
        if event.detail.alarm_name == f"{origin.prefix}-{model}-{purpose}" and _is_name(model):
            reason = _one_line(event.detail.state.reason)[:MAX_REASON]
            return Trigger(model=model, trigger=kind, reason=reason, id=event.id)
    raise Refused(f"detail.alarmName: it is not the drift or quality alarm of a model of {origin.prefix}")


def _is_name(model: str) -> bool:
    return len(model) <= MAX_MODEL_NAME and re.fullmatch(MODEL_NAME, model) is not None


def _one_line(text: str) -> str:
    """`text` as SageMaker takes descriptions and parameters: printable and on one line."""
    return _UNPRINTABLE.sub(" ", text).strip() or "no reason given"


def _summary(error: ValidationError) -> str:
    """The first mistakes, without the message's own text: it may be anything."""
    found = [
        f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}"
        for e in error.errors(include_input=False, include_context=False)
    ]
    return "; ".join(found[:4])[:1000]
