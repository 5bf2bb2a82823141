"""Messages of the publisher queue.

Events of EventBridge about a record that was written, or an execution of a pipeline; and events for the HTTP endpoint.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

from aws_lambda_powertools.utilities.parser import BaseModel
from pydantic import AwareDatetime, Discriminator, Field, Tag, TypeAdapter
from shared.chain import ENVIRONMENT, sequence_of
from shared.messages import InvalidMessageError, ModelName, Origin, parse_body
from shared.names import is_model_name
from sinks import EVENT_WRITTEN, FOLDER


@dataclass(frozen=True)
class RecordWritten:
    """Key of a record of a model in the records bucket."""

    model: str
    key: str


@dataclass(frozen=True)
class EventWritten:
    """Key of an OpenLineage event of a model in the artifacts bucket, which the HTTP endpoint takes."""

    model: str
    key: str


@dataclass(frozen=True)
class ExecutionChanged:
    """An execution of a model's pipeline `train` or `monitor` started or ended.

    Args:
        model: Name of the model.
        pipeline: `train` or `monitor`.
        execution: ARN of the execution.
        status: `Executing`, `Succeeded`, `Failed` or `Stopped`.
        started: When it started.
        time: When it reached the status.
    """

    model: str
    pipeline: str
    execution: str
    status: str
    started: datetime
    time: datetime


class _Event(BaseModel):
    account: str
    time: AwareDatetime


class _Named(BaseModel):
    name: str


class _Object(BaseModel):
    key: str = Field(max_length=1024)


class _Created(BaseModel):
    bucket: _Named
    object: _Object


class _ObjectCreated(_Event):
    detail_type: Literal["Object Created"] = Field(alias="detail-type")
    detail: _Created


class _Execution(BaseModel):
    arn: str = Field(
        alias="pipelineExecutionArn",
        pattern=r"^arn:[^:]+:sagemaker:[^:]+:[0-9]{12}:pipeline/[^/:]+/execution/[^/:]+$",
        max_length=2048,
    )
    status: Literal["Executing", "Succeeded", "Failed", "Stopped"] = Field(alias="currentPipelineExecutionStatus")
    started: AwareDatetime | None = Field(default=None, alias="executionStartTime")


class _Changed(_Event):
    detail_type: Literal["SageMaker Model Building Pipeline Execution Status Change"] = Field(alias="detail-type")
    detail: _Execution


class _Written(BaseModel):
    detail_type: Literal["Model Factory OpenLineage Event Written"] = Field(alias="detail-type")
    model: ModelName
    key: str = Field(max_length=1024)


def _tag(content: Any) -> str:
    return str(cast(dict[str, Any], content).get("detail-type")) if isinstance(content, dict) else ""


_EVENT: TypeAdapter[_ObjectCreated | _Changed | _Written] = TypeAdapter(
    Annotated[
        Annotated[_ObjectCreated, Tag("Object Created")]
        | Annotated[_Changed, Tag("SageMaker Model Building Pipeline Execution Status Change")]
        | Annotated[_Written, Tag(EVENT_WRITTEN)],
        Discriminator(_tag),
    ]
)


def parse(body: str, origin: Origin, bucket: str) -> RecordWritten | ExecutionChanged | EventWritten | None:
    """What an event says; None when it is about no model of the environment.

    `bucket`: the records bucket. Raises InvalidMessageError with the reason.
    """
    event = parse_body(_EVENT, body)
    if isinstance(event, _Written):
        if not event.key.startswith(f"{FOLDER}/{event.model}/"):
            raise InvalidMessageError(f"key: it is not below {FOLDER}/{event.model}/")
        return EventWritten(event.model, event.key)
    if event.account != origin.account:
        raise InvalidMessageError("account: the event comes from another account")
    if isinstance(event, _ObjectCreated):
        if event.detail.bucket.name != bucket:
            raise InvalidMessageError("detail.bucket.name: it is not the records bucket")
        return _record(event.detail.object.key)
    return _execution(event, origin)


def _execution(event: _Changed, origin: Origin) -> ExecutionChanged | None:
    detail = event.detail
    *_, account, resource = detail.arn.split(":")
    for pipeline in ("train", "monitor"):
        model = origin.model_in(resource.split("/")[1], f"-{pipeline}")
        if model and account == origin.account:
            started = (detail.started or event.time).astimezone(UTC)
            time = started if detail.status == "Executing" else event.time.astimezone(UTC)
            return ExecutionChanged(model, pipeline, detail.arn, detail.status, started, time)
    return None


def _record(key: str) -> RecordWritten | None:
    model = key.partition("/")[0]
    if model == ENVIRONMENT:
        return None
    try:
        sequence_of(key)
    except ValueError as error:
        raise InvalidMessageError(f"detail.object.key: {error}") from None
    if not is_model_name(model):
        raise InvalidMessageError("detail.object.key: it begins with no model's name")
    return RecordWritten(model, key)
