"""Messages of the deploy queue: events about versions, the endpoint and the settings of a model, and manual requests.

Every message reconciles this model's endpoint; what the events say about it is only a hint, because they may be late.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

from aws_lambda_powertools.utilities.parser import BaseModel
from decision import Kind
from deployment import tag_value
from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter
from shared.approvals import StatusEvent, status_event
from shared.messages import MAX_REASON_LENGTH, InvalidMessageError, ModelName, Origin, parse_body
from shared.names import is_model_name
from shared.settings import PARAMETER_PREFIX

_MANUAL = "manual"
_VERSION_EVENT = "SageMaker Model Package State Change"
ENDPOINT_EVENT = "SageMaker Endpoint State Change"
_SETTINGS_EVENT = "Parameter Store Change"
_ALARM_EVENT = "CloudWatch Alarm State Change"
_RUN_EVENT = "SageMaker Model Building Pipeline Execution Status Change"
_YEAR_3000 = 32_503_680_000_000

_CHALLENGER_ALARMS = ("-challenger-errors", "-challenger-latency")
"""Ends of the names of alarms that end a trial; the model's name is before them."""

Id = Annotated[str, Field(pattern=r"^[!-~]+$", max_length=128)]


@dataclass(frozen=True)
class EndpointEvent:
    """The endpoint as an event about it describes it; it may have been changed or deleted since.

    Args:
        status: EndpointStatus in the spelling of DescribeEndpoint; `Deleted` when it no longer exists.
        configuration: Name of its configuration.
        tags: Its tags.
        time: LastModifiedTime: when it got this status.
        created: CreationTime, where the event has it.
        reason: FailureReason, where the event has it; no documented example has.
    """

    status: str
    configuration: str | None
    tags: dict[str, str]
    time: datetime
    created: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Request:
    """The model whose endpoint to reconcile, and why.

    Args:
        id: Id of the message, as tags can have it.
        model: Name of the model.
        kind: What happened.
        version: The version that a manual request names, if it names one.
        model_package: ARN of the version that was approved or rejected; None for all other messages.
        status_event: What the event about that version says of its approval.
        by: Who sent a manual request, if it says so.
        endpoint: What an event about the endpoint says; None for all other messages.
    """

    id: str
    model: str
    kind: Kind
    version: int | None = None
    by: str = ""
    model_package: str | None = None
    status_event: StatusEvent | None = None
    endpoint: EndpointEvent | None = None


class _ManualRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: ModelName
    trigger: Literal["manual"]
    reason: str = Field(max_length=MAX_REASON_LENGTH)
    id: Id
    version: int | None = Field(default=None, ge=1)
    by: str = Field(default="", max_length=MAX_REASON_LENGTH)


class _Event(BaseModel):
    id: Id
    account: str


class _Version(BaseModel):
    ModelPackageGroupName: str = Field(max_length=63)
    ModelPackageArn: str | None = Field(
        default=None, pattern=r"^arn:[a-z0-9:-]+:model-package/[a-z0-9-]+/[0-9]+$", max_length=2048
    )
    ModelApprovalStatus: Literal["Approved", "Rejected", "PendingManualApproval"]
    CreationTime: Any = None
    LastModifiedTime: Any = None
    UpdatedModelPackageFields: Any = None
    ApprovalDescription: Any = None


class _VersionChanged(_Event):
    source: Literal["aws.sagemaker"]
    detail_type: Literal["SageMaker Model Package State Change"] = Field(alias="detail-type")
    detail: _Version


class _Endpoint(BaseModel):
    EndpointName: str = Field(max_length=63)
    EndpointStatus: Literal["IN_SERVICE", "FAILED", "OUT_OF_SERVICE", "UPDATE_ROLLBACK_FAILED", "DELETING", "DELETED"]
    EndpointConfigName: str | None = Field(default=None, max_length=63)
    CreationTime: Any = None
    LastModifiedTime: Any = None
    FailureReason: Any = None
    Tags: dict[str, Any] | None = None


class _EndpointChanged(_Event):
    source: Literal["aws.sagemaker"]
    detail_type: Literal["SageMaker Endpoint State Change"] = Field(alias="detail-type")
    detail: _Endpoint


class _Parameter(BaseModel):
    name: str = Field(max_length=2048)
    operation: Literal["Create", "Update"]


class _SettingsChanged(_Event):
    source: Literal["aws.ssm"]
    detail_type: Literal["Parameter Store Change"] = Field(alias="detail-type")
    detail: _Parameter


class _Run(BaseModel):
    pipeline_arn: str = Field(alias="pipelineArn", pattern=r"^arn:[a-z0-9:-]+:pipeline/[a-z0-9-]+$", max_length=2048)
    status: Literal["Succeeded", "Failed", "Stopped"] = Field(alias="currentPipelineExecutionStatus")


class _RunEnded(_Event):
    source: Literal["aws.sagemaker"]
    detail_type: Literal["SageMaker Model Building Pipeline Execution Status Change"] = Field(alias="detail-type")
    detail: _Run


class _Alarm(BaseModel):
    name: str = Field(alias="alarmName", max_length=255)


class _AlarmChanged(_Event):
    source: Literal["aws.cloudwatch"]
    detail_type: Literal["CloudWatch Alarm State Change"] = Field(alias="detail-type")
    detail: _Alarm


def _tag(content: Any) -> str | None:
    """The type that a message is validated as, so that errors concern that type only."""
    if not isinstance(content, dict):
        return None
    message = cast(dict[str, Any], content)
    tag: Any = message.get("detail-type", _MANUAL)
    return tag if isinstance(tag, str) else None


_BODY: TypeAdapter[
    _ManualRequest | _VersionChanged | _EndpointChanged | _SettingsChanged | _RunEnded | _AlarmChanged
] = TypeAdapter(
    Annotated[
        Annotated[_ManualRequest, Tag(_MANUAL)]
        | Annotated[_VersionChanged, Tag(_VERSION_EVENT)]
        | Annotated[_EndpointChanged, Tag(ENDPOINT_EVENT)]
        | Annotated[_SettingsChanged, Tag(_SETTINGS_EVENT)]
        | Annotated[_RunEnded, Tag(_RUN_EVENT)]
        | Annotated[_AlarmChanged, Tag(_ALARM_EVENT)],
        Discriminator(_tag),
    ]
)


def parse(body: str, origin: Origin) -> Request:
    """The request in a message body. Raises InvalidMessageError with the reason."""
    message = parse_body(_BODY, body)
    identifier = tag_value(message.id)
    if isinstance(message, _ManualRequest):
        return Request(identifier, message.model, "manual", message.version, message.by)
    if message.account != origin.account:
        raise InvalidMessageError("account: the event comes from another account")
    if isinstance(message, _VersionChanged):
        model = _model(message.detail.ModelPackageGroupName, origin)
        version = message.detail
        kind: Kind = "approved" if version.ModelApprovalStatus == "Approved" else "rejected"
        event = status_event(
            version.ModelApprovalStatus,
            version.LastModifiedTime or version.CreationTime,
            version.UpdatedModelPackageFields,
            version.ApprovalDescription,
        )
        return Request(identifier, model, kind, model_package=_model_package(version, origin), status_event=event)
    if isinstance(message, _SettingsChanged):
        kind = "created" if message.detail.operation == "Create" else "changed"
        return Request(identifier, _model_of_parameter(message.detail.name), kind)
    if isinstance(message, _RunEnded):
        pipeline = message.detail.pipeline_arn.rpartition("/")[2]
        return Request(identifier, _model(pipeline, origin, "-monitor"), "checked")
    if isinstance(message, _AlarmChanged):
        return Request(identifier, _model(message.detail.name, origin, *_CHALLENGER_ALARMS), "checked")
    endpoint = message.detail
    kind = "deleted" if endpoint.EndpointStatus in ("DELETING", "DELETED") else "settled"
    return Request(identifier, _model(endpoint.EndpointName, origin), kind, endpoint=_endpoint_event(endpoint))


def _endpoint_event(endpoint: _Endpoint) -> EndpointEvent:
    return EndpointEvent(
        endpoint.EndpointStatus.title().replace("_", ""),
        endpoint.EndpointConfigName,
        {str(key): str(value) for key, value in endpoint.Tags.items()} if endpoint.Tags else {},
        _time(endpoint.LastModifiedTime) or datetime.now(UTC),
        _time(endpoint.CreationTime),
        endpoint.FailureReason if isinstance(endpoint.FailureReason, str) else None,
    )


def _time(milliseconds: Any) -> datetime | None:
    is_time = isinstance(milliseconds, int | float) and 0 < milliseconds < _YEAR_3000
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if is_time else None


def _model(name: str, origin: Origin, *ends: str) -> str:
    """The model that a resource is named after: `<factory>-<environment>-<model>`, then one of `ends` if there are any."""
    for end in ends or ("",):
        if model := origin.model_in(name, end):
            return model
    what = f"{' or '.join(ends)} of " if ends else ""
    raise InvalidMessageError(f"detail: the event is not about {what}a model of {origin.prefix}")


def _model_package(version: _Version, origin: Origin) -> str | None:
    """The ARN of the event's version, which has to be in this account and in the event's group."""
    arn = version.ModelPackageArn
    if arn is None:
        return None
    group = f":{origin.account}:model-package/{version.ModelPackageGroupName.lower()}"
    if not arn.rpartition("/")[0].endswith(group):
        raise InvalidMessageError("detail.ModelPackageArn: it is not a version of detail.ModelPackageGroupName")
    return arn


def _model_of_parameter(name: str) -> str:
    model = re.sub(f"^{re.escape(PARAMETER_PREFIX)}", "", name)
    if model == name or not is_model_name(model):
        raise InvalidMessageError(f"detail: the event is not about a parameter below {PARAMETER_PREFIX}")
    return model
