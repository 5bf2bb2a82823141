"""Audit records: JSON objects below a model's `records_uri`, in a bucket that keeps every version of them."""

# pyright: reportMissingTypeStubs=false

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from .s3 import split_uri

_EXISTS, _BEING_WRITTEN = "PreconditionFailed", "ConditionalRequestConflict"
"""S3's codes when an object of this name exists, and when it is being written at the same time."""


def record_name(kind: str, time: datetime, version: int) -> str:
    """Name of a record below the model's `records_uri`: `<kind>/<time>-v<version>.json`."""
    return f"{kind}/{time:%Y%m%dT%H%M%SZ}-v{version}.json"


def write_record(
    s3: Any,
    records_uri: str,
    kind: str,
    package: dict[str, Any],
    facts: dict[str, Any],
    *,
    time: datetime | None = None,
) -> str:
    """Write `<records_uri><kind>/<time>-v<version>.json` about a described model package; the record's URI.

    The record has the time, `facts`, and the package's ARN and version. A second record of the same second has the next
    second in its name; none is replaced. `time`: default now.
    """
    time = time or datetime.now(UTC)
    record = {
        "time": time.isoformat(),
        **facts,
        "ModelPackageArn": package["ModelPackageArn"],
        "ModelPackageVersion": package["ModelPackageVersion"],
    }
    while not _put_if_free(
        s3, uri := f"{records_uri}{record_name(kind, time, package['ModelPackageVersion'])}", record
    ):
        time += timedelta(seconds=1)
    return uri


def _put_if_free(s3: Any, uri: str, record: dict[str, Any]) -> bool:
    """Write a record unless its name has another one, or gets another one at the same time; whether this call wrote it."""
    try:
        return put_once(s3, uri, record)
    except ClientError as error:
        if _code(error) != _BEING_WRITTEN:
            raise
        return False


def put_once(s3: Any, uri: str, content: dict[str, Any]) -> bool:
    """Write a JSON object unless it exists: whether this call wrote it.

    A conditional write needs s3:PutObject only ('How to prevent object overwrites with conditional writes', S3 user guide).
    Raises ClientError, also ConditionalRequestConflict: somebody is writing the object, and that write may fail yet.
    """
    bucket, key = split_uri(uri)
    try:
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=json.dumps(content, indent=2, default=str).encode(),
            ContentType="application/json",
            IfNoneMatch="*",
            ChecksumAlgorithm="SHA256",  # S3 requires a checksum where an object lock is set
        )
    except ClientError as error:
        if _code(error) != _EXISTS:
            raise
        return False
    return True


def _code(error: ClientError) -> str:
    response: Any = error.response
    return response["Error"]["Code"]


def write_correction(s3: Any, record_uri: str, outcome: str, error: ClientError) -> None:
    """Write `<record>-<outcome>.json`: the call that a record announced was refused.

    Writes nothing when the error leaves open what the service did, such as an internal error.
    """
    response: Any = error.response
    if 400 <= response["ResponseMetadata"]["HTTPStatusCode"] < 500:
        content = {"time": datetime.now(UTC).isoformat(), "record": record_uri, "error": str(error)}
        put_once(s3, f"{record_uri.removesuffix('.json')}-{outcome}.json", content)
