"""Audit records: what functions and the command send to the recorder (`lambda/recorder`), which writes them."""

# pyright: reportMissingTypeStubs=false

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from botocore.exceptions import ClientError

from . import chain
from .clients import ClientProvider, client
from .s3 import split_uri

_EXISTS, _BEING_WRITTEN = "PreconditionFailed", "ConditionalRequestConflict"
"""S3's codes when an object of this name exists, and when it is being written at the same time."""


@dataclass(frozen=True)
class Record:
    """What a sender tells the recorder; it becomes one record of the model's chain.

    Args:
        kind: Kind of the record, such as `deployment` (docs/explanation/lineage.md has all).
        id: Id of the event: the same one when it is sent again.
        model: The model. Default: the record is about the environment.
        time: When it happened. Default: now.
        version: Version of the model. Default: none.
        subject: ARN of the resource that it is about. Default: none.
        by: Who did it, as far as the sender knows. SQS says who the sender is. Default: nobody is named.
        facts: What the kind of record has. Default: nothing.
        evidence: Files by name, with SHA-256, size and source. Default: none.
    """

    kind: str
    id: str
    model: str = ""
    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    version: int | None = None
    subject: str | None = None
    by: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class RecorderQueue:
    """The queue `<factory>-<env>-recorder.fifo` of an environment, with a client of SQS that may send to it."""

    sqs: Any
    url: str

    @classmethod
    def own(cls) -> Self:
        """The queue of the function's own environment; its URL is in RECORDER_QUEUE_URL."""
        return cls(client("sqs"), os.environ["RECORDER_QUEUE_URL"])

    @classmethod
    def of(cls, environment: ClientProvider, prefix: str) -> Self:
        """The queue of the environment whose names start with `prefix`. Needs sqs:GetQueueUrl."""
        sqs = environment.client("sqs")
        return cls(sqs, sqs.get_queue_url(QueueName=f"{prefix}-recorder.fifo")["QueueUrl"])


def send_record(record: Record, queue: RecorderQueue | None = None) -> str:
    """Send a record to the recorder, which alone writes to the records bucket; the record's id.

    A message that SQS has accepted is kept until it is written, or an alert says that it was not: an effect may follow. `queue`:
    default the one of the function's own environment. Raises ClientError of SendMessage; then nothing is recorded.
    """
    to = queue or RecorderQueue.own()
    to.sqs.send_message(
        QueueUrl=to.url,
        MessageBody=json.dumps(asdict(record) | {"time": record.time.isoformat()}, default=str),
        MessageGroupId=record.model or chain.ENVIRONMENT,
        MessageDeduplicationId=chain.digest(chain.encode({"event": [record.model, record.kind, record.id]})),
    )
    return record.id


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
