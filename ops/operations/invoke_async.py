"""Predictions of an asynchronous endpoint: the request and its answer are objects of the bucket for data."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from model_factory.core.names import ASYNC
from model_factory.functions.shared.s3 import has_object, split_uri

from ..project import EnvironmentSession, UsageError
from ..waiting import wait_for

INVOCATION_SECONDS = 3600
"""InvocationTimeoutSeconds of the requests: the longest that SageMaker allows."""
WAIT_SECONDS = 30 * 60
"""Time for which the command waits: an endpoint without instances starts one first, which takes minutes."""
SUFFIXES = {"text/csv": ".csv", "application/json": ".json", "application/jsonlines": ".jsonl"}


def ask_async(
    session: EnvironmentSession,
    model: str,
    body: bytes,
    content_type: str,
    accept: str,
    inference_id: str | None,
    log: Callable[[str], None],
) -> Any:
    """Put a request into the queue of a model's endpoint and wait; the answer as parsed JSON. `log` gets where it will be.

    Raises UsageError with the reason when the request fails, when there is no such endpoint, and after WAIT_SECONDS.
    """
    endpoint, bucket = session.names.model(model).endpoint, session.names.bucket("data")
    suffix = SUFFIXES.get(content_type.partition(";")[0], "")
    key = f"{model}/{ASYNC}/input/{uuid.uuid4()}{suffix}"
    session.client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
    try:
        queued = session.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName=endpoint,
            InputLocation=f"s3://{bucket}/{key}",
            ContentType=content_type,
            Accept=accept,
            InvocationTimeoutSeconds=INVOCATION_SECONDS,
            **({"InferenceId": inference_id} if inference_id else {}),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationError", "ValidationException"):
            raise
        raise UsageError(
            f"there is no asynchronous endpoint {endpoint!r} yet: {error.response['Error']['Message']} It is created with the "
            f"first approved version, and again after a change of serving.mode (model-factory status)"
        ) from None
    log(f"waiting in the queue of {endpoint}; the answer will be {queued['OutputLocation']}")
    content, failed = wait_for(
        f"the answer of {endpoint}; it may still come, as {queued['OutputLocation']} or {queued['FailureLocation']}",
        lambda: _result(session.client("s3"), queued),
        WAIT_SECONDS,
    )
    if failed:
        raise UsageError(f"{endpoint} did not answer: {content.decode(errors='replace')}")
    return json.loads(content)


def _result(s3: Any, queued: dict[str, Any]) -> tuple[bytes, bool] | None:
    """The object that a request has become, and whether it is a failure; None while there is none.

    Objects are listed first: GetObject of one that does not exist is 403 for who may list a part of the bucket only.
    """
    for name, failed in (("OutputLocation", False), ("FailureLocation", True)):
        bucket, key = split_uri(queued[name])
        if has_object(s3, bucket, key):
            return s3.get_object(Bucket=bucket, Key=key)["Body"].read(), failed
    return None
