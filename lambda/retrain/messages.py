"""Messages of the retrain queue: our own triggers, CloudWatch's event about a model's drift or quality alarm, and SageMaker's
events about the start and the end of a training.

Every name and text that is used later is validated here; anything else is refused.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast
from uuid import NAMESPACE_OID, uuid5

from aws_lambda_powertools.utilities.parser import BaseModel
from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter
from shared.executions import Request
from shared.messages import MAX_REASON_LENGTH, InvalidMessageError, ModelName, Origin, parse_body
from shared.text import one_line
from shared.triggers import LONGEST_DESCRIBED_REASON

Kind = Literal["schedule", "drift", "quality", "manual", "code"]
ALARMS: dict[str, Kind] = {"drift": "drift", "model-quality": "quality"}
"""The kind of trigger by the alarm's purpose, the last part of its name."""


class Trigger(BaseModel):
    """A request to train a model, with its reason."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    model: ModelName
    kind: Kind = Field(alias="trigger")
    reason: str = Field(min_length=1, max_length=MAX_REASON_LENGTH)
    id: str = Field(min_length=1, max_length=128)

    def request(self, message_id: str) -> Request:
        """The request for a training that this message makes.

        A delivery asks again while it sees no training, so its messages are one request: SageMaker starts it once, also where
        ListPipelineExecutions does not show the first training yet.
        """
        identifier = str(uuid5(NAMESPACE_OID, f"{self.model} {self.reason}")) if self.kind == "code" else message_id
        return Request(self.kind, self.reason, (identifier,))


@dataclass(frozen=True)
class TrainingChanged:
    """An execution of a model's training pipeline started, or ended, so that a request that waits for that can start."""

    model: str
    execution: str
    is_start: bool

    def request(self, message_id: str) -> None:
        """It requests no training."""


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


class _Execution(BaseModel):
    arn: str = Field(
        alias="pipelineExecutionArn",
        pattern=r"^arn:[^:]+:sagemaker:[^:]+:[0-9]{12}:pipeline/[^/:]+/execution/[^/:]+$",
        max_length=2048,
    )
    status: Literal["Executing", "Succeeded", "Failed", "Stopped"] = Field(alias="currentPipelineExecutionStatus")


class _ExecutionEvent(BaseModel):
    """The fields that we read of EventBridge's 'SageMaker Model Building Pipeline Execution Status Change'."""

    source: Literal["aws.sagemaker"]
    detail_type: Literal["SageMaker Model Building Pipeline Execution Status Change"] = Field(alias="detail-type")
    account: str
    detail: _Execution


def _tag(content: Any) -> str | None:
    """The type that a message is validated as, so that errors concern that type only."""
    if not isinstance(content, dict):
        return None
    if "detail-type" not in content:
        return "message"
    return "execution" if cast(dict[str, Any], content).get("source") == "aws.sagemaker" else "alarm"


_BODY: TypeAdapter[Trigger | _AlarmEvent | _ExecutionEvent] = TypeAdapter(
    Annotated[
        Annotated[Trigger, Tag("message")]
        | Annotated[_AlarmEvent, Tag("alarm")]
        | Annotated[_ExecutionEvent, Tag("execution")],
        Discriminator(_tag),
    ]
)


def parse(body: str, origin: Origin) -> Trigger | TrainingChanged:
    """The trigger, or the start or end of a training, in a message body. Raises InvalidMessageError with the reason."""
    message = parse_body(_BODY, body)
    if isinstance(message, _ExecutionEvent):
        return _changed(message, origin)
    if isinstance(message, _AlarmEvent):
        return _from_alarm(message, origin)
    if message.kind in ALARMS.values():
        raise InvalidMessageError(f"trigger: '{message.kind}' comes from its alarm only")
    return message.model_copy(update={"reason": _described(message.reason)})


def _from_alarm(event: _AlarmEvent, origin: Origin) -> Trigger:
    if event.account != origin.account:
        raise InvalidMessageError("account: the event comes from another account")
    for purpose, kind in ALARMS.items():
        if model := origin.model_in(event.detail.alarm_name, f"-{purpose}"):
            reason = _described(event.detail.state.reason)
            return Trigger(model=model, trigger=kind, reason=reason, id=event.id)
    raise InvalidMessageError(f"detail.alarmName: it is not the drift or quality alarm of a model of {origin.prefix}")


def _changed(event: _ExecutionEvent, origin: Origin) -> TrainingChanged:
    *_, account, resource = event.detail.arn.split(":")
    if not event.account == account == origin.account:
        raise InvalidMessageError("account: the event comes from another account")
    if model := origin.model_in(resource.split("/")[1], "-train"):
        return TrainingChanged(model, event.detail.arn, event.detail.status == "Executing")
    raise InvalidMessageError(
        f"detail.pipelineExecutionArn: it is not the training pipeline of a model of {origin.prefix}"
    )


def _described(text: str) -> str:
    """`text` as SageMaker accepts descriptions and parameters."""
    return one_line(text, LONGEST_DESCRIBED_REASON) or "no reason given"
