"""Appends records to the chains of a bucket: claims the event, then the next number, and writes the marker in the index.

Several invocations may append to one chain at the same time. PutObject with If-None-Match lets one of them write a number; the
others read the new head and take the next one ('Conditional write behavior', S3 user guide: 412 when the key exists, 409 when a
delete or another write of the key came between; both can be tried again). The claim of an event is written in the same way, so
that an event is one record whenever and however often it is delivered (docs/decisions/0068-events-are-claimed-by-their-id.md).
"""

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError
from drafts import Draft
from shared import chain
from shared.errors import error_code
from shared.s3 import has_object, is_gone, put_once

ATTEMPTS = 40
"""Ten invocations run at the same time. One of them gets a number in each round, so the last one needs ten."""
LONGEST_PAUSE = 0.2
"""Seconds between two attempts, times a random number."""
_NOT_LISTED = "AccessDenied"
"""S3's code for a key that does not exist, where the caller may not list the bucket."""
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
        key = _event(draft)
        return has_object(self._s3, self._bucket, key) and self._marked(self._claimed(draft, key)[0]) is not None

    def append(self, draft: Draft) -> Written:
        """Write the record of an event and its marker, unless it has them; safe to repeat at any point.

        A record has the time and the version of the event's first delivery. Raises ChainBusyError, and errors of S3.
        """
        key, head = _event(draft), self._head(draft.model)
        # No record up to number `compared` is the event's: nobody writes one before the claim exists.
        compared = head.sequence if head else 0
        if not self._put(key, _claim(draft, compared)):
            draft, compared = self._claimed(draft, key)
            if (marked := self._marked(draft)) is not None:
                return Written(chain.record_key(draft.model, marked), new=False)
        for _ in range(ATTEMPTS):
            if (recorded := self._recorded(draft, head, compared)) is not None:
                # An earlier attempt ended before it wrote the marker, or S3's answer to it was lost.
                self._mark(draft, recorded)
                return Written(chain.record_key(draft.model, recorded), new=False)
            compared = max(compared, head.sequence if head else 0)
            sequence, previous = (head.sequence + 1, chain.digest(head.body)) if head else (chain.FIRST, None)
            key = chain.record_key(draft.model, sequence)
            if self._put(key, chain.encode(draft.record(sequence, previous, chain.SCHEMA))):
                self._mark(draft, sequence)
                return Written(key, new=True)
            time.sleep(random.random() * LONGEST_PAUSE)  # noqa: S311  # no secret
            head = self._head(draft.model)
        raise ChainBusyError(f"{ATTEMPTS} other records were written meanwhile to {chain.chain_prefix(draft.model)}")

    def has_marker(self, draft: Draft) -> bool:
        """Whether the index has a record, of whatever event, of the draft's model, kind, time in seconds, and version."""
        return has_object(self._s3, self._bucket, _markers(draft))

    def _claimed(self, draft: Draft, key: str) -> tuple[Draft, int]:
        """The draft with the time and the version of the event's first delivery, and the newest record's number at that time."""
        claim = json.loads(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        time = datetime.fromisoformat(claim["time"])
        return replace(draft, time=time, version=claim["version"]), claim["after"]

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
        prefix = _markers(draft)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for entry in (entry for page in pages for entry in page.get("Contents", [])):
            sequence = int(entry["Key"].removeprefix(prefix))
            if _is_of(self._link(chain.record_key(draft.model, sequence)), draft):
                return sequence
        return None

    def _recorded(self, draft: Draft, head: _Link | None, compared: int) -> int | None:
        """Number of the event's record among those after number `compared`."""
        newer = self._newest(draft.model, head, compared)
        return next((link.sequence for link in newer if _is_of(link, draft)), None)

    def _newest(self, model: str, head: _Link | None, compared: int) -> Iterator[_Link]:
        if head is None:
            return
        yield head
        for sequence in range(head.sequence - 1, compared, -1):
            key = chain.record_key(model, sequence)
            try:
                yield self._link(key)
            except ClientError as error:
                if not is_gone(error) and error_code(error) != _NOT_LISTED:
                    raise
                logger.error("a record of the chain is missing", key=key)  # noqa: TRY400  # `model-factory audit` reports it

    def _put(self, key: str, body: bytes) -> bool:
        """Write an object whose key no object has: whether this call wrote it."""
        kind = {"ContentType": "application/json"} if body else {}
        return put_once(self._s3, self._bucket, key, body, **kind)

    def _mark(self, draft: Draft, sequence: int) -> None:
        self._put(f"{_markers(draft)}{sequence}", b"")


def _event(draft: Draft) -> str:
    return chain.event_key(draft.model, draft.kind, draft.id)


def _claim(draft: Draft, after: int) -> bytes:
    """What the claim of an event says: where its record is found."""
    return chain.encode({"after": after, "time": draft.time.isoformat(), "version": draft.version})


def _markers(draft: Draft) -> str:
    return chain.marker_prefix(draft.model, draft.kind, draft.time, draft.version)


def _is_of(link: _Link, draft: Draft) -> bool:
    return link.content.get("id") == draft.id and link.content.get("kind") == draft.kind
