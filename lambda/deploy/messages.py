"""Messages of the deploy queue: SageMaker's events about an approved version and a stable endpoint, and manual requests.

Every message has the same effect: reconcile this model's endpoint. Only the model's name is used; it is validated here.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from aws_lambda_powertools.utilities.parser import BaseModel
from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter
from shared.messages import MAX_REASON_LENGTH, InvalidMessageError, ModelName, Origin, parse_body

_MANUAL = "manual"
_VERSION_EVENT = "SageMaker Model Package State Change"
_ENDPOINT_EVENT = "SageMaker Endpoint State Change"

Id = Annotated[str, Field(pattern=r"^[!-~]+$", max_length=128)]


@dataclass(frozen=True)
class Request:
    """The model whose endpoint to reconcile, and why: an approved version, a manual request, or the end of an update."""

    id: str
    model: str
    kind: Literal["approved", "manual", "settled"]


class _ManualRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: ModelName
    trigger: Literal["manual"]
    reason: str = Field(max_length=MAX_REASON_LENGTH)
    id: Id


class _Event(BaseModel):
    id: Id
    source: Literal["aws.sagemaker"]
    account: str


class _Version(BaseModel):
    ModelPackageGroupName: str = Field(max_length=63)
    ModelApprovalStatus: Literal["Approved"]


class _VersionApproved(_Event):
    detail_type: Literal["SageMaker Model Package State Change"] = Field(alias="detail-type")
    detail: _Version


class _Endpoint(BaseModel):
    EndpointName: str = Field(max_length=63)
    EndpointStatus: Literal["IN_SERVICE", "FAILED"]


class _EndpointSettled(_Event):
    detail_type: Literal["SageMaker Endpoint State Change"] = Field(alias="detail-type")
    detail: _Endpoint


def _tag(content: Any) -> str | None:
    """The type that a message is validated as, so that errors concern that type only."""
    if not isinstance(content, dict):
        return None
    message = cast(dict[str, Any], content)
    tag: Any = message.get("detail-type", _MANUAL)
    return tag if isinstance(tag, str) else None


_BODY: TypeAdapter[_ManualRequest | _VersionApproved | _EndpointSettled] = TypeAdapter(
    Annotated[
        Annotated[_ManualRequest, Tag(_MANUAL)]
        | Annotated[_VersionApproved, Tag(_VERSION_EVENT)]
        | Annotated[_EndpointSettled, Tag(_ENDPOINT_EVENT)],
        Discriminator(_tag),
    ]
)


def parse(body: str, origin: Origin) -> Request:
    """The request in a message body. Raises InvalidMessageError with the reason."""
    message = parse_body(_BODY, body)
    if isinstance(message, _ManualRequest):
        return Request(message.id, message.model, "manual")
    if message.account != origin.account:
        raise InvalidMessageError("account: the event comes from another account")
    if isinstance(message, _VersionApproved):
        return Request(message.id, _model(message.detail.ModelPackageGroupName, origin), "approved")
    return Request(message.id, _model(message.detail.EndpointName, origin), "settled")


def _model(name: str, origin: Origin) -> str:
    """The model of a model package group or endpoint; both are named `<factory>-<environment>-<model>`."""
    if model := origin.model_in(name):
        return model
    raise InvalidMessageError(f"detail: the event is not about a model of {origin.prefix}")
