"""Captured requests of an endpoint: which objects are new since the last run, and their rows and scores."""

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from .. import payload, s3
from ..columns import Column
from . import predictions

OVERLAP = timedelta(hours=1)
"""Objects may become visible out of order: so far back from the newest one analysed, keys are compared one by one."""
QUARANTINED_LINES, QUARANTINED_CHARACTERS = 20, 2_000
BYTES_AT_ONCE = 4 << 20


@dataclass
class Batch:
    """What one captured object holds; `bad` are the first of the lines that could not be read, as they are."""

    key: str
    rows: pd.DataFrame | None
    scores: np.ndarray
    bad_lines: int
    first_error: str = ""
    lines: int = 0
    bad: list[dict[str, str]] = field(default_factory=list)
    answered: list[predictions.Request] = field(default_factory=list)


@dataclass
class Watermark:
    """What the last run had analysed."""

    newest: datetime | None = None
    keys: set[str] = field(default_factory=set)

    @classmethod
    def from_report(cls, report: dict[str, Any] | None) -> "Watermark":
        """From the last run's latest.json; everything is new before the first."""
        if not report:
            return cls()
        mark = report["watermark"]
        return cls(datetime.fromisoformat(mark["newest"]) if mark["newest"] else None, set(mark["keys"]))

    def is_new(self, entry: dict[str, Any]) -> bool:
        """Whether an object has not been analysed yet."""
        if self.newest is None or entry["LastModified"] > self.newest:
            return True
        return entry["LastModified"] > self.newest - OVERLAP and entry["Key"] not in self.keys

    def moved(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        """The watermark after these objects, for latest.json."""
        times: list[datetime] = [entry["LastModified"] for entry in entries]
        newest = max([*times, self.newest] if self.newest else times, default=None)
        keys = self.keys | {entry["Key"] for entry in entries}
        return {"newest": newest.isoformat() if newest else None, "keys": sorted(keys)[-20_000:]}


def new_objects(data_uri: str, endpoint: str, mark: Watermark) -> list[dict[str, Any]]:
    """Captured objects that no run has analysed, oldest first."""
    found = [entry for entry in s3.below(f"{data_uri}/captured/{endpoint}/") if mark.is_new(entry)]
    return sorted(found, key=lambda entry: (entry["LastModified"], entry["Key"]))


def read(bucket: str, key: str, columns: list[Column]) -> Batch:
    """The object's requests as one table; lines that cannot be read are counted, not fatal."""
    found = _Lines(key, columns)
    for line in s3.client().get_object(Bucket=bucket, Key=key)["Body"].iter_lines():
        found.add(line)
    return found.batch()


@dataclass
class _Request:
    """A line that has been read, but for what its values mean."""

    number: int
    line: bytes
    values: list[list[Any]]
    scores: np.ndarray
    answered: predictions.Request | None


class _Lines:
    """The lines of one object.

    Most requests have one row, and a table has its price: values are typed for many requests at once.
    """

    def __init__(self, key: str, columns: list[Column]) -> None:
        self._key, self._columns = key, columns
        self._lines, self._bad_lines, self._bytes = 0, 0, 0
        self._bad: list[tuple[int, str, bytes]] = []
        self._waiting: list[_Request] = []
        self._tables: list[pd.DataFrame] = []
        self._scores: list[np.ndarray] = []
        self._answered: list[predictions.Request] = []

    def add(self, line: bytes) -> None:
        """Read the next line."""
        self._lines += 1
        try:
            self._waiting.append(_request(self._lines, line, self._columns))
        except (payload.BadRequest, ValueError, KeyError, TypeError) as error:
            self._bad_lines += 1
            self._bad.append((self._lines, str(error), line))
        self._bytes += len(line)
        if self._bytes >= BYTES_AT_ONCE:
            self._type()

    def batch(self) -> Batch:
        """All that was read."""
        self._type()
        rows = pd.concat(self._tables, ignore_index=True) if self._tables else None
        scores = np.concatenate(self._scores) if self._scores else np.empty(0)
        first = f"{self._key}, line {self._bad[0][0]}: {self._bad[0][1]}" if self._bad else ""
        bad = [
            {"object": self._key, "line": str(number), "error": error, "text": _shown(line)}
            for number, error, line in self._bad
        ]
        return Batch(self._key, rows, scores, self._bad_lines, first, self._lines, bad, self._answered)

    def _type(self) -> None:
        """Give the waiting values their types; a request with a value that has none is a bad line, and the only one."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        table, wrong = self._typed(waiting)
        if wrong:
            for request in (waiting[index] for index in sorted(wrong)[:QUARANTINED_LINES]):
                _, problems = payload.typed(request.values, self._columns)
                self._bad.append((request.number, payload.why_bad(problems), request.line))
            self._bad_lines += len(wrong)
            waiting = [request for index, request in enumerate(waiting) if index not in wrong]
            table, _ = self._typed(waiting)
        self._bad = sorted(self._bad)[:QUARANTINED_LINES]
        if table is not None:
            self._tables.append(table)
            self._scores += [each.scores if each.scores.ndim == 1 else each.scores.max(axis=1) for each in waiting]
            self._answered += [each.answered for each in waiting if each.answered]

    def _typed(self, requests: list[_Request]) -> tuple[pd.DataFrame | None, set[int]]:
        """All rows in canonical form, and which requests have one that has none."""
        if not requests:
            return None, set()
        table, problems = payload.typed([row for each in requests for row in each.values], self._columns)
        owners = np.repeat(np.arange(len(requests)), [len(each.values) for each in requests])
        return table, {int(index) for problem in problems for index in owners[problem.rows]}


def _request(number: int, line: bytes, columns: list[Column]) -> _Request:
    """A request's values, its scores (none when answers are not captured), and what its labels will be joined with."""
    content = json.loads(line)
    data = content["captureData"]
    rows = payload.rows(_body(data["endpointInput"]), data["endpointInput"]["observedContentType"], columns)
    if "endpointOutput" not in data:
        return _Request(number, line, rows, np.empty(0), None)
    output, meta = data["endpointOutput"], content.get("eventMetadata") or {}
    scores = payload.parse_response(_body(output), output["observedContentType"])
    if len(scores) != len(rows):
        raise ValueError(f"{len(rows)} rows were answered with {len(scores)} scores")
    # As Model Monitor has it: the caller's id where there is one, else SageMaker's.
    identifier = meta.get("inferenceId") or meta.get("eventId")
    if not identifier or "inferenceTime" not in meta:
        return _Request(number, line, rows, scores, None)
    seconds = int(datetime.fromisoformat(meta["inferenceTime"]).timestamp())
    answered = predictions.Request(str(identifier), seconds, scores.reshape(len(scores), -1))
    return _Request(number, line, rows, scores, answered)


def _shown(line: bytes) -> str:
    return line.decode("utf-8", errors="replace")[:QUARANTINED_CHARACTERS]


def _body(side: dict[str, Any]) -> str:
    if side["encoding"] == "BASE64":
        try:
            return base64.b64decode(side["data"], validate=True).decode("utf-8", errors="replace")
        except binascii.Error as error:
            raise ValueError(f"not base64: {error}") from None
    return side["data"]
