"""Events of AWS that become records. Pure: no AWS here.

The rules of the environment match names by their beginning, so an event may be about something else: then there is no record.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from aws_lambda_powertools.utilities.parser import BaseModel
from pydantic import AwareDatetime, Discriminator, Field, Tag, TypeAdapter
from shared.approvals import StatusEvent, status_event
from shared.messages import InvalidMessageError, Origin, parse_body
from shared.names import is_model_name
from shared.settings import PARAMETER_PREFIX

ALARMS = (
    "challenger-errors",
    "challenger-latency",
    "data-violations",
    "drift",
    "endpoint-errors",
    "endpoint-latency",
    "model-quality",
    "monitor-missed",
    "requests-expired",
    "retrain-not-started",
    "scoring-failed",
    "training-failed",
)
"""Purposes of the alarms of a model: the last parts of their names."""


@dataclass(frozen=True)
class ExecutionEnded:
    """An execution of a model's training or scoring pipeline ended: ARN, status and time of the end."""

    model: str
    execution: str
    status: str
    time: datetime
    is_scoring: bool = False


@dataclass(frozen=True)
class VersionChanged:
    """A version was registered, or changed. `created`: CreationTime, where the event has it."""

    model: str
    arn: str
    created: datetime | None
    change: StatusEvent


@dataclass(frozen=True)
class AlarmChanged:
    """An alarm of a model changed its state."""

    id: str
    model: str
    arn: str
    purpose: str
    time: datetime
    facts: dict[str, Any]


@dataclass(frozen=True)
class SettingsChanged:
    """The settings parameter of a model was written or deleted."""

    model: str
    arn: str
    operation: str
    time: datetime


Event = ExecutionEnded | VersionChanged | AlarmChanged | SettingsChanged


class _Event(BaseModel):
    id: str = Field(min_length=1, max_length=128)
    account: str
    time: AwareDatetime
    resources: list[str] = Field(default_factory=list[str])


class _Execution(BaseModel):
    arn: str = Field(
        alias="pipelineExecutionArn",
        pattern=r"^arn:[^:]+:sagemaker:[^:]+:[0-9]{12}:pipeline/[^/:]+/execution/[^/:]+$",
        max_length=2048,
    )
    status: Literal["Succeeded", "Failed", "Stopped"] = Field(alias="currentPipelineExecutionStatus")


class _ExecutionEnded(_Event):
    detail_type: Literal["SageMaker Model Building Pipeline Execution Status Change"] = Field(alias="detail-type")
    detail: _Execution


class _Version(BaseModel):
    ModelPackageArn: str = Field(
        pattern=r"^arn:[^:]+:sagemaker:[^:]+:[0-9]{12}:model-package/[a-z0-9-]+/[0-9]+$", max_length=2048
    )
    ModelApprovalStatus: Literal["Approved", "Rejected", "PendingManualApproval"]
    CreationTime: Any = None
    LastModifiedTime: Any = None
    UpdatedModelPackageFields: Any = None
    ApprovalDescription: Any = None


class _VersionChanged(_Event):
    detail_type: Literal["SageMaker Model Package State Change"] = Field(alias="detail-type")
    detail: _Version


class _State(BaseModel):
    value: str
    reason: str = ""


class _Alarm(BaseModel):
    name: str = Field(alias="alarmName", max_length=255)
    state: _State
    previous: _State = Field(alias="previousState")
    configuration: dict[str, Any] = Field(default_factory=dict[str, Any])


class _AlarmChanged(_Event):
    detail_type: Literal["CloudWatch Alarm State Change"] = Field(alias="detail-type")
    detail: _Alarm


class _Parameter(BaseModel):
    name: str = Field(max_length=2048)
    operation: str


class _SettingsChanged(_Event):
    detail_type: Literal["Parameter Store Change"] = Field(alias="detail-type")
    detail: _Parameter


def _tag(content: Any) -> str:
    return str(content["detail-type"])


_EVENT: TypeAdapter[_ExecutionEnded | _VersionChanged | _AlarmChanged | _SettingsChanged] = TypeAdapter(
    Annotated[
        Annotated[_ExecutionEnded, Tag("SageMaker Model Building Pipeline Execution Status Change")]
        | Annotated[_VersionChanged, Tag("SageMaker Model Package State Change")]
        | Annotated[_AlarmChanged, Tag("CloudWatch Alarm State Change")]
        | Annotated[_SettingsChanged, Tag("Parameter Store Change")],
        Discriminator(_tag),
    ]
)


def read_event(body: str, origin: Origin) -> Event | None:
    """What an event of EventBridge says; None when it is about no model. Raises InvalidMessageError with the reason."""
    event = parse_body(_EVENT, body)
    if event.account != origin.account:
        raise InvalidMessageError("account: the event comes from another account")
    match event:
        case _ExecutionEnded():
            return _execution(event, origin)
        case _VersionChanged():
            return _version(event, origin)
        case _AlarmChanged():
            return _alarm(event, origin)
        case _SettingsChanged():
            return _settings(event)


def _execution(event: _ExecutionEnded, origin: Origin) -> ExecutionEnded | None:
    arn = event.detail.arn
    *_, account, resource = arn.split(":")
    pipeline = resource.split("/")[1]
    trained, scored = origin.model_in(pipeline, "-train"), origin.model_in(pipeline, "-score")
    model = trained or scored
    if model is None or account != origin.account:
        return None
    return ExecutionEnded(model, arn, event.detail.status, event.time, is_scoring=trained is None)


def _version(event: _VersionChanged, origin: Origin) -> VersionChanged | None:
    version, arn = event.detail, event.detail.ModelPackageArn
    *_, account, resource = arn.split(":")
    model = origin.model_in(resource.split("/")[1])
    if model is None or account != origin.account:
        return None
    created = status_event("", version.CreationTime, None, None).time if version.CreationTime else None
    change = status_event(
        version.ModelApprovalStatus,
        version.LastModifiedTime or version.CreationTime,
        version.UpdatedModelPackageFields,
        version.ApprovalDescription,
    )
    return VersionChanged(model, arn, created, change)


def _alarm(event: _AlarmChanged, origin: Origin) -> AlarmChanged | None:
    alarm = event.detail
    for purpose in ALARMS:
        if model := origin.model_in(alarm.name, f"-{purpose}"):
            facts = {
                "alarm": alarm.name,
                "purpose": purpose,
                "state": alarm.state.value,
                "previous_state": alarm.previous.value,
                "reason": alarm.state.reason,
                "metrics": alarm.configuration.get("metrics", []),
            }
            arn = next(iter(event.resources), "")
            return AlarmChanged(event.id, model, arn, purpose, event.time.astimezone(UTC), facts)
    return None


def _settings(event: _SettingsChanged) -> SettingsChanged | None:
    name = event.detail.name
    model = name.removeprefix(PARAMETER_PREFIX)
    if model == name or not is_model_name(model):
        return None
    arn = next(iter(event.resources), "")
    return SettingsChanged(model, arn, event.detail.operation, event.time.astimezone(UTC))
