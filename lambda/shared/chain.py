"""The format of audit records: one JSON object for each event, chained by sequence number and SHA-256, one chain per model.

Record n of a model has the SHA-256 of record n-1, so that a record that is altered, deleted, inserted or moved breaks the chain.
A record is written with If-None-Match, which also claims its number: two writers cannot write the same one. Nothing here
calls AWS.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

SCHEMA = "model-factory/record/1"
FIRST = 1
"""Number of the first record of a chain; its `previous` is null."""
_LAST = 9_999_999_999
"""Greatest number. S3 lists keys in ascending order, so keys start with what is left to it: the newest record comes first."""
ENVIRONMENT = "_environment"
"""Folder of the chain of records that are about no model. Names of models have no underscore."""


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


def evidence_key(model: str, digest: str) -> str:
    """Key of a file that records name by its SHA-256 (hexadecimal): `sales/evidence/<sha256>`."""
    return f"{model}/evidence/{digest}"


def encode(record: Mapping[str, Any]) -> bytes:
    """The bytes of a record: JSON in UTF-8 with sorted keys and without spaces, so that equal records have equal bytes."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(content: bytes) -> str:
    """SHA-256 as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
