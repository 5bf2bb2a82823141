"""The format of audit records: one JSON object for each event, chained by sequence number and SHA-256, one chain per model.

Record n of a model has the SHA-256 of record n-1, so that a record that is altered, deleted, inserted or moved breaks the chain.
A record is written with If-None-Match, which also claims its number: two writers cannot write the same one. Nothing here
calls AWS.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

SCHEMA = "model-factory/record/1"
FIRST = 1
"""Number of the first record of a chain; its `previous` is null."""
_LAST = 9_999_999_999
"""Greatest number. S3 lists keys in ascending order, so keys start with what is left to it: the newest record comes first."""
KINDS = (
    "training",
    "gate",
    "registration",
    "approval",
    "rejection",
    "promotion",
    "deployment",
    "trial",
    "scoring",
    "alarm",
    "retrain",
    "configuration",
    "reproduction",
    "deletion",
    "forgetting",
)
"""Kinds of records (docs/reference/records.md)."""
ENVIRONMENT = "_environment"
"""Folder of the chain of records that are about no model. Names of models have no underscore."""
LINEAGE = "_lineage"
"""Folder of the markers that say which trainings read an object, and which runs scored it."""
SCORED_BY = "score-"
"""Beginning of the execution in the marker of an object that was scored."""

_MARKER = re.compile(r"[^/]+/index/[a-z]+/(\d{8}T\d{6}Z)-v(0|[1-9]\d*)-([1-9]\d*)")


def chain_prefix(model: str) -> str:
    """Prefix of the keys of a model's records; those of the environment where `model` is empty."""
    return f"{model or ENVIRONMENT}/chain/"


def record_key(model: str, sequence: int) -> str:
    """Key of record `sequence`, such as `sales/chain/9999999957-42.json`. Raises ValueError for a number out of range."""
    if not FIRST <= sequence <= _LAST:
        raise ValueError(f"record {sequence} is not between {FIRST} and {_LAST}")
    return f"{chain_prefix(model)}{_LAST - sequence:010d}-{sequence}.json"


def sequence_of(key: str) -> int:
    """Number of the record with this key. Raises ValueError when `record_key` would not have made it."""
    model, _, name = key.partition("/chain/")
    number = name.removesuffix(".json").partition("-")[2]
    if not (number.isascii() and number.isdigit()) or record_key(model, int(number)) != key:
        raise ValueError(f"{key} is no key of a record")
    return int(number)


def index_prefix(model: str, kind: str) -> str:
    """Prefix of the markers of a model's records of a kind, in order of time: `sales/index/deployment/`."""
    return f"{model or ENVIRONMENT}/index/{kind}/"


def marker_prefix(model: str, kind: str, time: datetime, version: int | None) -> str:
    """Prefix of the markers of records with this time, in seconds, and version; the record's number follows."""
    return f"{index_prefix(model, kind)}{time.astimezone(UTC):%Y%m%dT%H%M%SZ}-v{version or 0}-"


def index_key(record: Mapping[str, Any]) -> str:
    """Key of the empty marker of a record: `sales/index/deployment/20261126T030000Z-v7-42`, version 0 for none.

    Needs `model`, `kind`, `time`, `version` and `sequence`. Raises ValueError for a time that is not ISO 8601.
    """
    time = datetime.fromisoformat(record["time"])
    return f"{marker_prefix(record['model'], record['kind'], time, record['version'])}{record['sequence']}"


def read_index_key(key: str) -> tuple[datetime, int, int]:
    """Time, version (0 for none) and sequence number in the key of a marker. Raises ValueError for another key."""
    found = _MARKER.fullmatch(key)
    if found is None:
        raise ValueError(f"{key} is no key of a marker")
    return datetime.strptime(f"{found[1]}+0000", "%Y%m%dT%H%M%SZ%z"), int(found[2]), int(found[3])


def events_prefix(model: str) -> str:
    """Prefix of the keys that say which events a model's chain has: `sales/events/`."""
    return f"{model or ENVIRONMENT}/events/"


def event_key(model: str, kind: str, identifier: str) -> str:
    """Key that an event claims before its record is written: `sales/events/<SHA-256 of kind and id>`."""
    return f"{events_prefix(model)}{digest(encode({'event': [kind, identifier]}))}"


def evidence_key(model: str, digest: str) -> str:
    """Key of a file that records name by its SHA-256 (hexadecimal): `sales/evidence/<sha256>`."""
    return f"{model}/evidence/{digest}"


def encode(record: Mapping[str, Any]) -> bytes:
    """The bytes of a record: JSON in UTF-8 with sorted keys and without spaces, so that equal records have equal bytes."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(content: bytes) -> str:
    """SHA-256 as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def lineage_prefix(uri: str, version_id: str = "") -> str:
    """Prefix of the markers of trainings that read an object of S3: of one version of it, or of all."""
    prefix = f"{LINEAGE}/{digest(uri.encode())}/"
    return f"{prefix}{version_id}/" if version_id else prefix


def lineage_key(uri: str, version_id: str, model: str, execution: str, version: int | None) -> str:
    """Key of the empty marker that says that a training read a version of an object.

    `execution`: id of the pipeline's execution. `version`: the version of the model that it registered; None without one.
    """
    return f"{lineage_prefix(uri, version_id)}{model}/{execution}-v{version or 0}"


def read_lineage_key(key: str) -> tuple[str, str, str, int | None]:
    """Version id of the object, model, execution id, and version of the model. Raises ValueError for another key."""
    folder, _, rest = key.partition("/")
    parts = rest.split("/")
    execution, separator, number = parts[-1].rpartition("-v")
    if folder != LINEAGE or len(parts) != 4 or not separator or not number.isdecimal():
        raise ValueError(f"{key} is no key of a lineage marker")
    return parts[1], parts[2], execution, int(number) or None
