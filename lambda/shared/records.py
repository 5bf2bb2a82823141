"""Audit records: what functions and the command send to the recorder (`lambda/recorder`), which writes them."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from botocore.exceptions import ClientError

from . import chain
from .clients import ClientProvider, client
from .errors import error_status


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


def send_refusal(record: Record, what: str, error: ClientError, queue: RecorderQueue | None = None) -> None:
    """Send a record that refers to one that was sent: AWS refused what it announces. `what`: what was not done.

    Sends nothing when the error leaves open what the service did, such as an internal error.
    """
    if 400 <= error_status(error) < 500:
        facts = {"refused": record.id, "what": what, "error": str(error)}
        send_record(replace(record, id=f"{record.id}#refused", time=datetime.now(UTC), facts=facts), queue)
