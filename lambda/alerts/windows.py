"""The window of each cause: one S3 object, whose conditional writes decide which of several events is told.

S3 refuses a write with If-None-Match or If-Match when another event has written meanwhile; that message is delivered again.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.clients import client
from shared.s3 import split_uri, was_written


@dataclass(frozen=True)
class Claim:
    """Whether an event is told, with the number of events of its cause that were not told before or since.

    `since`: when the cause was last told; None for its first time.
    """

    first: bool
    suppressed: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class Windows:
    """Windows of `length` as objects below `uri`."""

    uri: str
    length: timedelta

    @classmethod
    def from_environment(cls) -> "Windows":
        """The windows that the stack configures. Raises KeyError."""
        return cls(os.environ["WINDOWS_URI"], timedelta(seconds=float(os.environ["WINDOW_SECONDS"])))

    def claim(self, key: str, event_id: str) -> Claim:
        """Claim the window of a cause for an event. The same event gets the same answer when its message is delivered again.

        Raises ClientError when another event wrote at the same time.
        """
        now = datetime.now(UTC)
        if self._put(key, _told(now, event_id), IfNoneMatch="*"):
            return Claim(first=True)
        # The bucket's lifecycle deletes windows after a week, so that NoSuchKey may come: then the message is delivered again.
        answer = client("s3").get_object(**self._object(key))
        state, etag = json.loads(answer["Body"].read()), answer["ETag"]
        told, suppressed = datetime.fromisoformat(state["told"]), int(state["suppressed"])
        if state["event"] == event_id:
            since = datetime.fromisoformat(state["since"]) if state["since"] else None
            return Claim(first=True, suppressed=int(state["before"]), since=since)
        if event_id in state["not_told"]:
            return Claim(first=False, suppressed=suppressed, since=told)
        if state["ended"] or now - told >= self.length:
            self._replace(key, etag, _told(now, event_id, before=suppressed, since=state["told"]))
            return Claim(first=True, suppressed=suppressed, since=told)
        # The ids of the newest events: enough to know a message that is delivered again.
        not_told = [*state["not_told"], event_id][-10:]
        self._replace(key, etag, state | {"suppressed": suppressed + 1, "not_told": not_told})
        return Claim(first=False, suppressed=suppressed + 1, since=told)

    def end(self, key: str) -> None:
        """End the window of a cause, so that its next event is told."""
        now = datetime.now(UTC)
        # Not GetObject: without s3:ListBucket, S3 answers 403 for an object that does not exist.
        if self._put(key, _told(now, "") | {"ended": True}, IfNoneMatch="*"):
            return
        answer = client("s3").get_object(**self._object(key))
        self._replace(key, answer["ETag"], json.loads(answer["Body"].read()) | {"ended": True})

    def _replace(self, key: str, etag: str, state: dict[str, Any]) -> None:
        if not self._put(key, state, IfMatch=etag):
            raise ConflictError(f"another event of {key} was handled at the same time")

    def _put(self, key: str, state: dict[str, Any], **condition: str) -> bool:
        body = json.dumps(state).encode()
        target = self._object(key) | condition
        return was_written(lambda: client("s3").put_object(**target, Body=body, ContentType="application/json"))

    def _object(self, key: str) -> dict[str, str]:
        bucket, prefix = split_uri(self.uri)
        return {"Bucket": bucket, "Key": f"{prefix}{key}.json"}


class ConflictError(Exception):
    """Another event of the same cause was handled at the same time; the message has to be delivered again."""


def _told(now: datetime, event_id: str, before: int = 0, since: str | None = None) -> dict[str, Any]:
    return {
        "told": now.isoformat(),
        "event": event_id,
        "before": before,
        "since": since,
        "suppressed": 0,
        "not_told": [],
        "ended": False,
    }
