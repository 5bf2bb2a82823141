"""The JSON schema of a record, as pydantic models.

`python -m model_factory.ops.records.schema > docs/reference/record.schema.json` writes the published schema.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator

from model_factory.functions.shared.chain import FIRST, KINDS, SCHEMA

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal digits."""
Time = Annotated[AwareDatetime, WithJsonSchema({"type": "string", "format": "date-time"})]
"""ISO 8601 with an offset."""
Kind = Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class By(_Part):
    """Who caused the event."""

    identity: str | None = Field(description="ARN or name, as the service gives it; null: the service names nobody.")
    source: str = Field(description="Where the identity is from, such as `sqs-sender`, `sagemaker` or `eventbridge`.")
    claimed: str | None = Field(description="Who the message says it is from; nobody has verified it.")


class Evidence(_Part):
    """A file that the record is about, kept by its SHA-256 at `<model>/evidence/<sha256>`."""

    sha256: Digest
    size: int = Field(ge=0, description="Bytes.")
    source: str = Field(description="Where the file was copied from, such as s3://bucket/key.")
    version_id: str | None = Field(description="S3 version id of the source; null: none.")


class Record(_Part):
    """One event, in a chain with the other events of the same model."""

    schema_: Literal["model-factory/record/1"] = Field(alias="schema")
    sequence: int = Field(ge=FIRST, description="Number of the record in its chain, from 1.")
    previous: Digest | None = Field(description="SHA-256 of the bytes of the record before it; null in the first.")
    id: str = Field(min_length=1, description="Unique id of the event.")
    kind: Kind
    time: Time = Field(description="When the event happened.")
    recorded: Time = Field(description="When the record was written.")
    factory: str
    environment: str
    model: str = Field(description="Name of the model; empty: the record is about the environment.")
    version: Annotated[int, Field(ge=1)] | None = Field(description="Version of the model; null: none.")
    subject: str | None = Field(description="ARN of what the event is about; null: none.")
    by: By
    facts: dict[str, Any] = Field(description="What is known of the event; depends on its kind.")
    evidence: dict[str, Evidence] = Field(description="Files by name.")

    @model_validator(mode="after")
    def _kind_is_known(self) -> Self:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(KINDS)}")
        return self

    @model_validator(mode="after")
    def _first_has_no_previous(self) -> Self:
        if (self.previous is None) != (self.sequence == FIRST):
            raise ValueError("previous is null in the first record of a chain, and only there")
        return self


def mistakes(content: bytes) -> list[str]:
    """What is wrong with the bytes of a record, one sentence each: `by.source: Field required`. Empty: nothing."""
    try:
        Record.model_validate_json(content)
    except ValidationError as error:
        return [f"{_place(each['loc'])}{_text(each['msg'])}" for each in error.errors()]
    return []


def parse(content: bytes) -> dict[str, Any]:
    """The record in these bytes; empty when they are no JSON object."""
    try:
        found: Any = json.loads(content)
    except ValueError:
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def facts_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a record; empty when it has none, as an altered one may."""
    found: Any = record.get("facts")
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def json_schema() -> str:
    """The content of docs/reference/record.schema.json."""
    schema = Record.model_json_schema(by_alias=True)
    return (
        json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **schema}, indent=2)
        + "\n"
    )


def time_of(record: Mapping[str, Any], field: Literal["time", "recorded"] = "time") -> datetime | None:
    """A time of a record, with its offset; None when the record has none or it is not ISO 8601 with an offset."""
    try:
        time = datetime.fromisoformat(record[field])
    except (KeyError, TypeError, ValueError):
        return None
    return time if time.tzinfo else None


def _place(location: tuple[int | str, ...]) -> str:
    return f"{'.'.join(map(str, location))}: " if location else ""


def _text(message: str) -> str:
    return re.sub(r"^Value error, ", "", message)


if __name__ == "__main__":
    print(json_schema(), end="")
