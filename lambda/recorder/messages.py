"""Messages of the recorder queue that are records of our own senders; `events` has those of AWS.

Every name that is used later is validated here; anything else is refused.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

from aws_lambda_powertools.utilities.parser import BaseModel
from drafts import By, Draft
from events import Event, read_event
from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter
from shared.chain import KINDS
from shared.messages import InvalidMessageError, ModelName, Origin, parse_body

FASTEST_CLOCK = timedelta(minutes=5)
"""AWS refuses requests of senders whose clock is further off."""


@dataclass(frozen=True)
class Received:
    """A message, and SQS's name of who sent it: `<role id>:<session>`, or a user's id."""

    body: str
    sender: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)
    source: str = Field(max_length=2048)
    version_id: str | None


class _Record(BaseModel):
    """What `shared.records.send_record` sends."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    id: str = Field(min_length=1, max_length=1024)
    time: AwareDatetime
    model: ModelName | Literal[""]
    version: int | None = Field(ge=1)
    subject: str | None = Field(max_length=2048)
    by: str | None = Field(max_length=2048)
    facts: dict[str, Any]
    evidence: dict[str, _File]


_RECORD = TypeAdapter(_Record)


def parse(message: Received, origin: Origin) -> Draft | Event | None:
    """The record or event that a message is; None for an event about no model. Raises InvalidMessageError with the reason."""
    if _is_event(message.body):
        return read_event(message.body, origin)
    record = parse_body(_RECORD, message.body)
    if record.kind not in KINDS:
        raise InvalidMessageError(f"kind: {record.kind!r} is none of {', '.join(KINDS)}")
    if record.time > datetime.now(UTC) + FASTEST_CLOCK:
        raise InvalidMessageError(f"time: {record.time.isoformat()} is in the future")
    return Draft(
        kind=record.kind,
        id=record.id,
        time=record.time.astimezone(UTC),
        by=By(message.sender, "sqs-sender", record.by),
        model=record.model,
        version=record.version,
        subject=record.subject,
        facts=record.facts,
        evidence={name: file.model_dump() for name, file in record.evidence.items()},
    )


def _is_event(body: str) -> bool:
    """Whether a body is an event of EventBridge."""
    try:
        content: Any = json.loads(body)
    except ValueError:
        return False
    return isinstance(content, dict) and "detail-type" in cast(dict[str, Any], content)
