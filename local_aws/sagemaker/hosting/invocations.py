"""Requests of InvokeEndpoint: what a container gets of them, their limits, and the error of a container."""

import json
import uuid

from werkzeug.wrappers import Request, Response

from ...json_api import ServiceError
from ..state import State
from .fleet import CUSTOM_ATTRIBUTES, Answer
from .variants import Variant

REALTIME_BYTES, SERVERLESS_BYTES = 6_291_456, 4_194_304
"""API reference, InvokeEndpoint (Body), and developer guide, "Invoke a serverless endpoint": of a request and of a response."""
HEADER_LENGTHS = {"Custom-Attributes": 1024, "Inference-Id": 64}


class PayloadTooLargeError(Exception):
    """The request's body is larger than SageMaker takes."""


class Received:
    """A request, as containers and captured data get it."""

    def __init__(self, request: Request) -> None:
        self.body = request.get_data()
        self.content_type = request.headers.get("Content-Type", "")
        self.attributes = request.headers.get(CUSTOM_ATTRIBUTES, "")
        self.inference_id = request.headers.get("X-Amzn-SageMaker-Inference-Id")
        self._accept = request.headers.get("X-Amzn-SageMaker-Accept") or request.headers.get("Accept", "")

    def send_to(self, variant: Variant) -> Answer:
        """Invoke a variant with it."""
        return variant.fleet.invoke(self.body, self.content_type, self._accept, self.attributes)


def check(request: Request, size: int, serverless: bool) -> None:
    """Check the limits of InvokeEndpoint. Raises ServiceError, PayloadTooLargeError."""
    check_headers(request)
    if size > largest_body(serverless):
        if serverless:
            raise ServiceError(f"Request {uuid.uuid4()} has oversize body.")
        raise PayloadTooLargeError(f"HTTP content length exceeded {REALTIME_BYTES} bytes.")


def check_headers(request: Request) -> None:
    """Check the lengths of what callers say of a request. Raises ServiceError."""
    for name, longest in HEADER_LENGTHS.items():
        if len(request.headers.get(f"X-Amzn-SageMaker-{name}", "")) > longest:
            member = name[0].lower() + name[1:].replace("-", "")
            raise ServiceError(
                f"1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length less "
                f"than or equal to {longest}"
            )


def largest_body(serverless: bool) -> int:
    """The largest body of a request or response, in bytes."""
    return SERVERLESS_BYTES if serverless else REALTIME_BYTES


def error_text(state: State, name: str, variant: str, status: int, message: str | None) -> str:
    """What SageMaker says of a container's error; `message` is its response, None when SageMaker cannot load that."""
    kind = "client" if 400 <= status < 500 else "server"
    console = f"https://{state.region}.console.aws.amazon.com/cloudwatch/home?region={state.region}"
    group = f"{console}#logEventViewer:group=/aws/sagemaker/Endpoints/{name}"
    why = f'with message "{message[:1000]}"' if message is not None else "and could not load the entire response body"
    return (
        f"Received {kind} error ({status}) from {variant} {why}. "
        f"See {group} in account {state.account} for more information."
    )


def model_error(state: State, name: str, variant: str, status: int, message: str | None) -> Response:
    """The error of a container; `message` is its response, None when SageMaker cannot load that."""
    body = {
        "OriginalStatusCode": status,
        "OriginalMessage": message or "",
        "LogStreamArn": f"arn:aws:logs:{state.region}:{state.account}:log-group:/aws/sagemaker/Endpoints/{name}",
        "message": error_text(state, name, variant, status, message),
    }
    return Response(json.dumps(body), 424, {"x-amzn-ErrorType": "ModelError"}, content_type="application/json")
