"""CloudFormation's protocol for custom resources: the request, validated, and the response that CloudFormation waits for."""

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.parser import BaseModel, ValidationError
from pydantic import Field

from .messages import InvalidMessageError, describe_errors

ATTEMPTS = 4
MAX_REASON_LENGTH = 500
"""CloudFormation accepts 4096 bytes in all."""


class Request(BaseModel):
    """A request of CloudFormation."""

    kind: Literal["Create", "Update", "Delete"] = Field(alias="RequestType")
    url: str = Field(alias="ResponseURL", pattern=r"^https?://[!-~]+$", max_length=8192)
    stack: str = Field(alias="StackId", pattern=r"^arn:aws[a-z-]*:cloudformation:[a-z0-9-]+:\d{12}:stack/")
    id: str = Field(alias="RequestId", min_length=1)
    logical_id: str = Field(alias="LogicalResourceId", min_length=1)
    physical_id: str | None = Field(default=None, alias="PhysicalResourceId", min_length=1)
    properties: dict[str, Any] = Field(alias="ResourceProperties")


def handle(
    event: object, context: Any, logger: Logger, delete: Callable[[Request], None], *, name_property: str
) -> None:
    """Call `delete` for a Delete request, and respond in every case: without a response the stack waits for an hour.

    `name_property`: as of `respond`. Raises InvalidMessageError for an event that is not a request of CloudFormation and has no
    URL to respond to.
    """
    try:
        request = parse(event, context.invoked_function_arn.split(":")[4])
    except InvalidMessageError as error:
        logger.error("request refused", reason=str(error))  # noqa: TRY400 (the sender's mistake, not ours)
        raise
    status, reason = "SUCCESS", ""
    try:
        if request.kind == "Delete":
            delete(request)
    except Exception as error:
        logger.exception("deletion failed")
        status, reason = "FAILED", f"{type(error).__name__}: {error}; see log stream {context.log_stream_name}"
    http = respond(request, status, reason, name_property=name_property)
    logger.info("responded", status=status, http=http)


def parse(event: object, account: str) -> Request:
    """The request in an event. Raises InvalidMessageError with the reason."""
    request = validate(Request, event)
    if request.stack.split(":")[4] != account:
        raise InvalidMessageError("StackId: the request comes from another account")
    return request


def respond(request: Request, status: Literal["SUCCESS", "FAILED"], reason: str, *, name_property: str) -> int:
    """Send the response to CloudFormation, in up to ATTEMPTS attempts; the HTTP status. Raises OSError after the last one.

    `name_property`: the property that identifies the resource. A changed one is a new resource: after such an update
    CloudFormation requests the deletion of the old one.
    """
    name = str(request.properties.get(name_property) or request.logical_id)
    physical_id = request.physical_id if request.kind == "Delete" else None
    content = {
        "Status": status,
        "Reason": reason[:MAX_REASON_LENGTH],
        "PhysicalResourceId": physical_id or name[:MAX_REASON_LENGTH],
        "StackId": request.stack,
        "RequestId": request.id,
        "LogicalResourceId": request.logical_id,
    }
    put = urllib.request.Request(request.url, json.dumps(content).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310 (http or https: validated)
    for attempt in range(1, ATTEMPTS):
        try:
            return _send(put)
        except OSError:  # URLError is one, as is a connection that ends without an answer
            time.sleep(0.2 * 2**attempt)
    return _send(put)


def _send(put: urllib.request.Request) -> int:
    with urllib.request.urlopen(put, timeout=4) as response:  # noqa: S310 (http or https: validated)
        return response.status


def validate[Model: BaseModel](model: type[Model], content: object) -> Model:
    """Content as `model`. Raises InvalidMessageError with the reason."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise InvalidMessageError(describe_errors(error, "event")) from None
