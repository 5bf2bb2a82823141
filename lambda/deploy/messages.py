"""What may stand in the deploy queue: SageMaker's events about an approved version and a settled endpoint, or a request by hand.

Every message says the same: reconcile this model's endpoint. Only the model's name is used, and it has been checked here.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from aws_lambda_powertools.utilities.parser import BaseModel, ValidationError
from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter

MODEL_NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
MAX_MODEL_NAME = 24
MAX_BODY = 256 * 1024
Id = Annotated[str, Field(pattern=r"^[!-~]+$", max_length=128)]


class Refused(ValueError):
    """The message is not one of ours; trying it again will not change that."""


@dataclass(frozen=True)
class Origin:
    """Whose events are taken: this account's, and those of what `<factory>-<environment>` is called."""

    account: str
    prefix: str


@dataclass(frozen=True)
class Request:
    """Whose endpoint to reconcile, and why: a version was approved, a person asks, or an update of the endpoint ended."""

    id: str
    model: str
    kind: Literal["approved", "manual", "settled"]


class _ByHand(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str = Field(pattern=MODEL_NAME, max_length=MAX_MODEL_NAME)
    trigger: Literal["manual"]
    reason: str = Field(max_length=1024)
    id: Id


class _Event(BaseModel):
    id: Id
    source: Literal["aws.sagemaker"]
    account: str


class _Version(BaseModel):
    ModelPackageGroupName: str = Field(max_length=63)
    ModelApprovalStatus: Literal["Approved"]


class _Approved(_Event):
    detail_type: Literal["SageMaker Model Package State Change"] = Field(alias="detail-type")
    detail: _Version


class _Endpoint(BaseModel):
    EndpointName: str = Field(max_length=63)
    EndpointStatus: Literal["IN_SERVICE", "FAILED"]


class _Settled(_Event):
    detail_type: Literal["SageMaker Endpoint State Change"] = Field(alias="detail-type")
    detail: _Endpoint


def _kind(content: Any) -> str | None:
    """Which of the three a message wants to be; so that a refusal speaks of that one only."""
    if not isinstance(content, dict):
        return None
    message = cast(dict[str, Any], content)
    kind: Any = message.get("detail-type", "by hand")
    return kind if isinstance(kind, str) else None


_BODY: TypeAdapter[_ByHand | _Approved | _Settled] = TypeAdapter(
    Annotated[
        Annotated[_ByHand, Tag("by hand")]
        | Annotated[_Approved, Tag("SageMaker Model Package State Change")]
        | Annotated[_Settled, Tag("SageMaker Endpoint State Change")],
        Discriminator(_kind),
    ]
)


def parse(body: str, origin: Origin) -> Request:
    """The request in a message body. Raises Refused, which says what is wrong with it."""
    if len(body) > MAX_BODY:
        raise Refused(f"body: {len(body)} characters are more than {MAX_BODY}")
    try:
        message = _BODY.validate_json(body)
    except ValidationError as error:
        found = [
            f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}"
            for e in error.errors(include_input=False, include_context=False)
        ]
        raise Refused("; ".join(found[:4])[:1000]) from None
    if isinstance(message, _ByHand):
        return Request(message.id, message.model, "manual")
    if message.account != origin.account:
        raise Refused("account: the event comes from another account")
    if isinstance(message, _Approved):
        return Request(message.id, _model(message.detail.ModelPackageGroupName, origin), "approved")
    return Request(message.id, _model(message.detail.EndpointName, origin), "settled")


def _model(name: str, origin: Origin) -> str:
    """The model whose model package group, or endpoint, is called `name`: both are `<factory>-<environment>-<model>`."""
    model = name.removeprefix(f"{origin.prefix}-")
    if model == name or len(model) > MAX_MODEL_NAME or not re.fullmatch(MODEL_NAME, model):
        raise Refused(f"detail: the event is not about a model of {origin.prefix}")
    return model
