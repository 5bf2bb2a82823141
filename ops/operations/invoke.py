"""Predictions of a live endpoint, real-time, serverless or asynchronous, for a file of records or for JSON."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ..project import EnvironmentSession, UsageError
from .invoke_async import ask_async

CONTENT_TYPES = {
    ".csv": "text/csv; header=present",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".parquet": "application/x-parquet",
}
"""By a file's suffix. Files of training data can be sent: columns that the model does not take are left out."""
INFERENCE_ID = re.compile(r"[ -~]{1,64}")


VERSION = re.compile(r"model-version=(\d+)")
"""Custom attribute of a response, as jobs/serve.py sets it."""


@dataclass(frozen=True)
class Answer:
    """The endpoint's response as parsed JSON, and the version that answered; None for one that does not name itself."""

    content: Any
    version: int | None


def invoke(
    session: EnvironmentSession, model: str, body: str | bytes, content_type: str, inference_id: str | None = None
) -> Any:
    """The endpoint's response as parsed JSON; arguments and errors are those of `ask`."""
    return ask(session, model, body, content_type, inference_id).content


def ask(
    session: EnvironmentSession,
    model: str,
    body: str | bytes,
    content_type: str,
    inference_id: str | None = None,
    *,
    labels: bool = False,
    log: Callable[[str], None] = lambda _: None,
) -> Answer:
    """The endpoint's response, with the version that answered, which that of an asynchronous endpoint does not say.

    `labels`: each prediction has the label and the score of each class. `inference_id` is captured with the request; labels that
    are uploaded later refer to it. `log` gets a line while an asynchronous request waits. Raises UsageError with the container's
    error message when it rejects the request.
    """
    if inference_id is not None and not INFERENCE_ID.fullmatch(inference_id):
        raise UsageError("--inference-id must have 1 to 64 printable ASCII characters")
    optional = {"InferenceId": inference_id} if inference_id else {}
    endpoint = session.names.model(model).endpoint
    accept = "application/json; labels=true" if labels else "application/json"
    content = body.encode() if isinstance(body, str) else body
    config = session.project.models.get(model)
    if config and config.serving.mode == "async":
        return Answer(ask_async(session, model, content, content_type, accept, inference_id, log), None)
    try:
        response = session.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint,
            Body=content,
            ContentType=content_type,
            Accept=accept,
            **optional,
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ModelError":
            status = error.response.get("OriginalStatusCode")
            raise UsageError(f"{endpoint} returned {status}: {_container_message(error)}") from None
        if code in ("ValidationError", "ValidationException"):
            raise UsageError(
                f"there is no endpoint {endpoint!r} yet; it is created with the first approved version "
                f"(model-factory status, model-factory retrain {model})"
            ) from None
        raise
    named = VERSION.fullmatch(response.get("CustomAttributes", ""))
    return Answer(json.loads(response["Body"].read()), int(named[1]) if named else None)


def read_rows(path: Path) -> tuple[bytes, str]:
    """A file's content and its content type, by the file's suffix. Raises UsageError."""
    content_type = CONTENT_TYPES.get(path.suffix)
    if content_type is None:
        raise UsageError(f"{path}: unsupported file type; it must end in {' or '.join(CONTENT_TYPES)}")
    try:
        return path.read_bytes(), content_type
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def _container_message(error: ClientError) -> str:
    message = error.response.get("OriginalMessage") or error.response["Error"]["Message"]
    try:
        return str(json.loads(message)["error"])
    except (ValueError, KeyError, TypeError):
        return str(message)
