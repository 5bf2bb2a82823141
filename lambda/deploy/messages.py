"""What may stand in the deploy queue: SageMaker's event about an approved version, or a request by hand."""

from typing import Literal

from aws_lambda_powertools.utilities.parser import BaseModel, ValidationError
from pydantic import ConfigDict, Field, TypeAdapter

MODEL_NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"


class Request(BaseModel):
    """Which model's endpoint to reconcile: by name, or by its model package group."""

    id: str
    model: str | None = None
    model_package_group: str | None = None


class _ByHand(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str = Field(pattern=MODEL_NAME, max_length=24)
    trigger: Literal["manual"]
    reason: str = Field(max_length=1024)
    id: str = Field(max_length=128)


class _Detail(BaseModel):
    ModelPackageGroupName: str = Field(pattern=MODEL_NAME, max_length=63)
    ModelApprovalStatus: Literal["Approved"]


class _ApprovalEvent(BaseModel):
    id: str = Field(max_length=128)
    source: Literal["aws.sagemaker"]
    detail_type: Literal["SageMaker Model Package State Change"] = Field(alias="detail-type")
    detail: _Detail


_BODY: TypeAdapter[_ByHand | _ApprovalEvent] = TypeAdapter(_ByHand | _ApprovalEvent)


def parse(body: str) -> Request:
    """The request in a message body. Raises ValueError that says what is wrong with it."""
    try:
        message = _BODY.validate_json(body)
    except ValidationError as error:
        found = [f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors(include_input=False)]
        raise ValueError("; ".join(found[:4])) from None
    if isinstance(message, _ByHand):
        return Request(id=message.id, model=message.model)
    return Request(id=message.id, model_package_group=message.detail.ModelPackageGroupName)
