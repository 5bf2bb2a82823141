"""Messages of the recorder queue: records of our own senders, and events of AWS.

Every name that is used later is validated here; anything else is refused.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

from aws_lambda_powertools.utilities.parser import BaseModel
from drafts import By, Draft
from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter
from shared.messages import InvalidMessageError, ModelName, Origin, parse_body

FASTEST_CLOCK = timedelta(minutes=5)
"""AWS refuses requests of senders whose clock is further off."""
Kind = Literal[
    "training",
    "gate",
    "registration",
    "approval",
    "rejection",
    "promotion",
    "deployment",
    "alarm",
    "retrain",
    "configuration",
    "reproduction",
    "deletion",
    "forgetting",
]


@dataclass(frozen=True)
class Received:
    """A message, and SQS's name of who sent it: `<role id>:<session>`, or a user's id."""

    body: str
    sender: str


class _Record(BaseModel):
    """What `shared.records.send_record` sends."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    id: str = Field(min_length=1, max_length=1024)
    time: AwareDatetime
    model: ModelName | Literal[""]
    version: int | None = Field(ge=1)
    subject: str | None = Field(max_length=2048)
    by: str | None = Field(max_length=2048)
    facts: dict[str, Any]
    evidence: dict[str, Any]


_RECORD = TypeAdapter(_Record)


def parse(message: Received, origin: Origin) -> Sequence[Draft]:
    """The records that a message leads to. Raises InvalidMessageError with the reason."""
    if _is_event(message.body):
        raise InvalidMessageError("detail-type: the recorder knows no such event")
    record = parse_body(_RECORD, message.body)
    if record.time > datetime.now(UTC) + FASTEST_CLOCK:
        raise InvalidMessageError(f"time: {record.time.isoformat()} is in the future")
    return [
        Draft(
            kind=record.kind,
            id=record.id,
            time=record.time.astimezone(UTC),
            by=By(message.sender, "sqs-sender", record.by),
            model=record.model,
            version=record.version,
            subject=record.subject,
            facts=record.facts,
            evidence=record.evidence,
        )
    ]


def _is_event(body: str) -> bool:
    """Whether a body is an event of EventBridge."""
    try:
        content: Any = json.loads(body)
    except ValueError:
        return False
    return isinstance(content, dict) and "detail-type" in cast(dict[str, Any], content)
