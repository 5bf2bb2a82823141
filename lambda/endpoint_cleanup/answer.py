"""CloudFormation's protocol for custom resources: its request, checked, and the answer it waits for."""

import json
import time
import urllib.error
import urllib.request
from typing import Any, Literal

from aws_lambda_powertools.utilities.parser import BaseModel, ValidationError
from pydantic import Field

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
ATTEMPTS = 4
MAX_REASON = 500
"""CloudFormation takes 4096 bytes in all."""


class Refused(ValueError):
    """The event is not a request of CloudFormation in this account."""


class Properties(BaseModel):
    """What the template says about the model."""

    endpoint: str = Field(alias="EndpointName", pattern=NAME, max_length=63)
    model_package_group: str = Field(alias="ModelPackageGroupName", pattern=NAME, max_length=63)
    delete_versions: bool = Field(default=False, alias="DeleteVersions")


class Request(BaseModel):
    """A request of CloudFormation."""

    kind: Literal["Create", "Update", "Delete"] = Field(alias="RequestType")
    url: str = Field(alias="ResponseURL", pattern=r"^https?://[!-~]+$", max_length=8192)
    stack: str = Field(alias="StackId", pattern=r"^arn:aws[a-z-]*:cloudformation:[a-z0-9-]+:\d{12}:stack/")
    id: str = Field(alias="RequestId", min_length=1)
    logical_id: str = Field(alias="LogicalResourceId", min_length=1)
    physical_id: str | None = Field(default=None, alias="PhysicalResourceId", min_length=1)
    properties: dict[str, Any] = Field(alias="ResourceProperties")


def read(event: object, account: str) -> Request:
    """The request in an event. Raises Refused, which says what is wrong with it."""
    request = _checked(Request, event)
    if request.stack.split(":")[4] != account:
        raise Refused("StackId: the request comes from another account")
    return request


def properties(request: Request) -> Properties:
    """The properties of a request. Raises Refused."""
    return _checked(Properties, request.properties)


def _checked[Model: BaseModel](model: type[Model], content: object) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        found = [f"{'.'.join(map(str, e['loc'])) or 'event'}: {e['msg']}" for e in error.errors(include_input=False)]
        raise Refused("; ".join(found[:4])) from None


def answer(request: Request, status: Literal["SUCCESS", "FAILED"], reason: str) -> int:
    """Tell CloudFormation how it ended, a few times if need be; the HTTP status. Raises URLError in the end."""
    # Another endpoint is another resource: after such an update CloudFormation asks to delete the one before.
    name = str(request.properties.get("EndpointName") or request.logical_id)
    physical_id = request.physical_id if request.kind == "Delete" else None
    content = {
        "Status": status,
        "Reason": reason[:MAX_REASON],
        "PhysicalResourceId": physical_id or name[:MAX_REASON],
        "StackId": request.stack,
        "RequestId": request.id,
        "LogicalResourceId": request.logical_id,
    }
    put = urllib.request.Request(request.url, json.dumps(content).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310 (http or https: checked)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(put, timeout=4) as response:  # noqa: S310 (http or https: checked)
                return response.status
        except (urllib.error.URLError, TimeoutError):
            if attempt == ATTEMPTS:
                raise
            time.sleep(0.2 * 2**attempt)
    raise AssertionError
