"""Appends records to the chains of a bucket: claims the next number, and writes the marker in the index.

Several invocations may append to one chain at the same time. PutObject with If-None-Match lets one of them write a number; the
others read the new head and take the next one ('Conditional write behavior', S3 user guide: 412 when the key exists, 409 when a
delete or another write of the key came between; both can be tried again).
"""

# pyright: reportMissingTypeStubs=false

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError
from drafts import Draft
from shared import chain
from shared.errors import error_code
from shared.s3 import put_once

ATTEMPTS = 40
"""Ten invocations run at the same time. One of them gets a number in each round, so the last one needs ten."""
LONGEST_PAUSE = 0.2
"""Seconds between two attempts, times a random number."""
COMPARED = 20
"""Most records that are read to find an event that has no marker: the attempt before was a few minutes ago."""
CLOCK_DIFFERENCE = timedelta(minutes=15)
"""An event is recorded after it happened. AWS refuses requests of clocks that are more than that apart."""
_MISSING = ("NoSuchKey", "404", "AccessDenied")
"""S3's code for a key that does not exist is AccessDenied where the caller may not list the bucket."""
logger = Logger(child=True)


class ChainBusyError(Exception):
    """Other writers took the number each time; the message has to be delivered again."""


@dataclass(frozen=True)
class Written:
    """Key of the event's record. `new`: this call wrote it."""

    key: str
    new: bool


@dataclass(frozen=True)
class _Link:
    """A record of a chain: number, bytes, and content, empty where the bytes are no JSON object."""

    sequence: int
    body: bytes
    content: dict[str, Any]


class Chains:
    """The chains of one bucket, with a client of S3."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def has(self, draft: Draft) -> bool:
        """Whether the event has a record with its marker; a record without one is found by `append`."""
        return self._marked(draft) is not None

    def append(self, draft: Draft, *, again: bool) -> Written:
        """Write the record of an event and its marker, unless it has them; safe to repeat at any point.

        `again`: the message was received before, so that an attempt may have ended between record and marker. Raises
        ChainBusyError, and errors of S3.
        """
        if (marked := self._marked(draft)) is not None:
            return Written(chain.record_key(draft.model, marked), new=False)
        compared = None
        for _ in range(ATTEMPTS):
            head = self._head(draft.model)
            if compared is None:
                compared = head.sequence - (COMPARED if again else 1) if head else 0
            if (sequence := self._recorded(draft, head, compared)) is not None:
                # An earlier attempt ended before it wrote the marker, or S3's answer to it was lost.
                self._mark(draft, sequence)
                return Written(chain.record_key(draft.model, sequence), new=False)
            sequence, previous = (head.sequence + 1, chain.digest(head.body)) if head else (chain.FIRST, None)
            key = chain.record_key(draft.model, sequence)
            if self._claim(key, chain.encode(draft.record(sequence, previous, chain.SCHEMA))):
                self._mark(draft, sequence)
                return Written(key, new=True)
            compared = sequence - 1
            time.sleep(random.random() * LONGEST_PAUSE)  # noqa: S311  # no secret
        raise ChainBusyError(f"{ATTEMPTS} other records were written meanwhile to {chain.chain_prefix(draft.model)}")

    def has_marker(self, draft: Draft) -> bool:
        """Whether the index has a record, of whatever event, of the draft's model, kind, time in seconds, and version."""
        return bool(self._s3.list_objects_v2(Bucket=self._bucket, Prefix=_marker(draft, ""), MaxKeys=1).get("Contents"))

    def _head(self, model: str) -> _Link | None:
        """The newest record. Keys start with the numbers that are left, so it is the first of a list."""
        listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=chain.chain_prefix(model), MaxKeys=1)
        keys = [entry["Key"] for entry in listed.get("Contents", [])]
        return self._link(keys[0]) if keys else None

    def _link(self, key: str) -> _Link:
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        try:
            content: Any = json.loads(body)
        except ValueError:
            content = None
        is_object = isinstance(content, dict)
        return _Link(chain.sequence_of(key), body, cast(dict[str, Any], content) if is_object else {})

    def _marked(self, draft: Draft) -> int | None:
        """Number of the event's record by its marker."""
        prefix = _marker(draft, "")
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for entry in (entry for page in pages for entry in page.get("Contents", [])):
            sequence = int(entry["Key"].removeprefix(prefix))
            if _is_of(self._link(chain.record_key(draft.model, sequence)), draft):
                return sequence
        return None

    def _recorded(self, draft: Draft, head: _Link | None, compared: int) -> int | None:
        """Number of the event's record among the newest ones; those up to number `compared` are known to be others."""
        since = draft.time - CLOCK_DIFFERENCE
        for link in self._newest(draft.model, head, compared):
            if _is_of(link, draft):
                return link.sequence
            if _recorded_before(link, since):
                return None
        return None

    def _newest(self, model: str, head: _Link | None, compared: int) -> Iterator[_Link]:
        if head is None or head.sequence <= compared:
            return
        yield head
        for sequence in range(head.sequence - 1, max(compared, chain.FIRST - 1), -1):
            key = chain.record_key(model, sequence)
            try:
                yield self._link(key)
            except ClientError as error:
                if error_code(error) not in _MISSING:
                    raise
                logger.error("a record of the chain is missing", key=key)  # noqa: TRY400  # `model-factory audit` reports it

    def _claim(self, key: str, body: bytes) -> bool:
        """Write a record whose key no record has: whether this call wrote it."""
        return put_once(self._s3, self._bucket, key, body, ContentType="application/json")

    def _mark(self, draft: Draft, sequence: int) -> None:
        self._claim(_marker(draft, str(sequence)), b"")


def _marker(draft: Draft, sequence: str) -> str:
    return f"{chain.index_prefix(draft.model, draft.kind)}{draft.time:%Y%m%dT%H%M%SZ}-v{draft.version or 0}-{sequence}"


def _is_of(link: _Link, draft: Draft) -> bool:
    return link.content.get("id") == draft.id and link.content.get("kind") == draft.kind


def _recorded_before(link: _Link, time: datetime) -> bool:
    try:
        return datetime.fromisoformat(link.content["recorded"]) < time
    except (KeyError, TypeError, ValueError):
        return False
