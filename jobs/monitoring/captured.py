"""Captured requests of an endpoint: which objects are new since the last run, and the rows and scores in them."""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from .. import answers, payload, s3
from ..columns import Column
from .predictions import ScoredRequest

OVERLAP = timedelta(hours=1)
"""Objects may become visible out of order: within this time before the newest one analysed, keys are compared one by one."""
MAX_KEYS = 20_000
QUARANTINED_LINES, QUARANTINED_CHARACTERS = 20, 2_000
BYTES_AT_ONCE = 4 << 20


@dataclass
class Batch:
    """The content of one captured object.

    `rows` are canonical, None when no line could be read; `scores` has one score per row, the largest of several classes.
    Of each score, `named` has the version that the answer names, 0 for none, and `seconds` the time since 1970, 0 for none;
    both are empty for answers of the live version alone. `others`: requests that cannot be read with the columns of the live
    version, and were answered by another one, by version; they are no bad lines. `bad` are the first lines that could not be
    read, as quarantine.jsonl has them.
    """

    key: str
    rows: pd.DataFrame | None
    scores: np.ndarray
    bad_lines: int
    first_error: str = ""
    lines: int = 0
    bad: list[dict[str, str]] = field(default_factory=list)
    scored: list[ScoredRequest] = field(default_factory=list)
    named: np.ndarray = field(default_factory=lambda: np.empty(0, "int32"))
    seconds: np.ndarray = field(default_factory=lambda: np.empty(0, "int64"))
    others: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class Watermark:
    """Which objects are analysed: the time of the newest one, and the keys of the latest."""

    newest: datetime | None = None
    keys: frozenset[str] = frozenset()

    @classmethod
    def from_report(cls, report: dict[str, Any] | None) -> "Watermark":
        """From the last run's latest.json; without one, every object is new."""
        if not report:
            return cls()
        mark = report["watermark"]
        return cls(datetime.fromisoformat(mark["newest"]) if mark["newest"] else None, frozenset(mark["keys"]))

    def to_dict(self) -> dict[str, Any]:
        """For latest.json."""
        return {"newest": self.newest.isoformat() if self.newest else None, "keys": sorted(self.keys)[-MAX_KEYS:]}

    def is_new(self, entry: dict[str, Any]) -> bool:
        """Whether an object, an entry of ListObjectsV2, is not analysed yet.

        A file that was written again, without requests that had to be forgotten, is none.
        """
        if entry["Key"] in self.keys:
            return False
        return self.newest is None or entry["LastModified"] > self.newest - OVERLAP

    def after(self, entries: list[dict[str, Any]]) -> "Watermark":
        """The watermark when these objects are analysed, too."""
        times: list[datetime] = [entry["LastModified"] for entry in entries]
        newest = max([*times, self.newest] if self.newest else times, default=None)
        return Watermark(newest, self.keys | {entry["Key"] for entry in entries})


def new_objects(data_uri: str, endpoint: str, watermark: Watermark) -> list[dict[str, Any]]:
    """Captured objects that are not analysed yet, oldest first, as entries of ListObjectsV2."""
    new = [entry for entry in s3.below(f"{data_uri}/captured/{endpoint}/") if watermark.is_new(entry)]
    return sorted(new, key=lambda entry: (entry["LastModified"], entry["Key"]))


def read(bucket: str, key: str, columns: list[Column], live: int | None = None) -> Batch:
    """The requests of one object as one table; `columns` are those of version `live`.

    Lines that cannot be read are counted and do not raise.
    """
    reader = _Reader(key, columns, live)
    for line in s3.lines(s3.client().get_object(Bucket=bucket, Key=key)["Body"]):
        reader.add(line.rstrip(b"\r\n"))
    return reader.batch()


@dataclass(frozen=True)
class _Request:
    """A captured request whose values have no types yet."""

    number: int
    line: bytes
    values: list[Sequence[Any]]
    scores: np.ndarray
    scored: ScoredRequest | None
    named: int = 0
    seconds: int = 0


@dataclass(frozen=True, order=True)
class _BadLine:
    """A line that cannot be read, by its number from 1."""

    number: int
    error: str
    line: bytes


class _Reader:
    """Reads the lines of one object.

    Most requests have one row, and making a table takes longer than reading a line: requests wait until there are
    BYTES_AT_ONCE of them, and their values are typed as one table.
    """

    def __init__(self, key: str, columns: list[Column], live: int | None) -> None:
        self._key, self._columns, self._live = key, columns, live
        self._lines, self._bad_lines = 0, 0
        self._others: Counter[int] = Counter()
        self._answers: list[tuple[int, int, int]] = []
        self._bad: list[_BadLine] = []
        self._waiting: list[_Request] = []
        self._waiting_bytes = 0
        self._tables: list[pd.DataFrame] = []
        self._scores: list[np.ndarray] = []
        self._scored: list[ScoredRequest] = []

    def add(self, line: bytes) -> None:
        """Read the next line."""
        self._lines += 1
        try:
            self._waiting.append(_parse(self._lines, line, self._columns))
        except (payload.BadRequest, ValueError, KeyError, TypeError) as error:
            if not self._is_of_other_version(_named(line)):
                self._bad_lines += 1
                self._bad.append(_BadLine(self._lines, str(error), line))
        self._waiting_bytes += len(line)
        if self._waiting_bytes >= BYTES_AT_ONCE:
            self._type_waiting()

    def batch(self) -> Batch:
        """The content of all lines that were added."""
        self._type_waiting()
        rows = pd.concat(self._tables, ignore_index=True) if self._tables else None
        scores = np.concatenate(self._scores) if self._scores else np.empty(0)
        first_error = f"{self._key}, line {self._bad[0].number}: {self._bad[0].error}" if self._bad else ""
        bad = [
            {"object": self._key, "line": str(bad.number), "error": bad.error, "text": _shortened(bad.line)}
            for bad in self._bad
        ]
        numbers = np.asarray(self._answers, "int64").reshape(-1, 3)
        named, seconds = (np.repeat(numbers[:, column], numbers[:, 0]) for column in (1, 2))
        return Batch(
            self._key,
            rows,
            scores,
            self._bad_lines,
            first_error,
            self._lines,
            bad,
            self._scored,
            named.astype("int32"),
            seconds,
            self._others,
        )

    def _is_of_other_version(self, version: int) -> bool:
        """Whether another version than the live one answered; such a request is counted here."""
        if not version or self._live in (None, version):
            return False
        self._others[version] += 1
        return True

    def _type_waiting(self) -> None:
        """Type the values of the waiting requests. A request with a value of a wrong type is a bad line; the others are kept."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if waiting:
            table, wrong = self._typed(waiting)
            if wrong:
                self._add_bad_values([waiting[index] for index in sorted(wrong)])
                waiting = [request for index, request in enumerate(waiting) if index not in wrong]
                table, _ = self._typed(waiting)
            self._keep(waiting, table)
        self._bad = sorted(self._bad)[:QUARANTINED_LINES]

    def _typed(self, requests: list[_Request]) -> tuple[pd.DataFrame | None, set[int]]:
        """All rows in canonical form, and the indexes of the requests with a value of a wrong type."""
        if not requests:
            return None, set()
        table, problems = payload.typed([row for request in requests for row in request.values], self._columns)
        request_of_row = np.repeat(np.arange(len(requests)), [len(request.values) for request in requests])
        return table, {int(index) for problem in problems for index in request_of_row[problem.rows]}

    def _add_bad_values(self, requests: list[_Request]) -> None:
        """Count the requests as bad lines; the first of them are typed alone, which gives the error of each."""
        requests = [request for request in requests if not self._is_of_other_version(request.named)]
        self._bad_lines += len(requests)
        for request in requests[:QUARANTINED_LINES]:
            _, problems = payload.typed(request.values, self._columns)
            self._bad.append(_BadLine(request.number, payload.why_bad(problems), request.line))

    def _keep(self, requests: list[_Request], table: pd.DataFrame | None) -> None:
        if table is None:
            return
        self._tables.append(table)
        self._scores += [_largest(request.scores) for request in requests]
        self._scored += [request.scored for request in requests if request.scored]
        self._answers += [(len(request.scores), request.named, request.seconds) for request in requests]


def _parse(number: int, line: bytes, columns: list[Column]) -> _Request:
    """A line's values, its scores (none when responses are not captured), and its id, time and scores for joining labels."""
    content = json.loads(line)
    data = content["captureData"]
    rows = payload.rows(_body(data["endpointInput"]), data["endpointInput"]["observedContentType"], columns)
    if "endpointOutput" not in data:
        return _Request(number, line, rows, np.empty(0), None)
    output = data["endpointOutput"]
    scores = answers.read(_body(output), output["observedContentType"])
    if len(scores) != len(rows):
        raise ValueError(f"{len(rows)} rows were answered with {len(scores)} scores")
    event = content.get("eventMetadata") or {}
    named = answers.version_in(output["observedContentType"]) or 0
    seconds = int(datetime.fromisoformat(event["inferenceTime"]).timestamp()) if "inferenceTime" in event else 0
    return _Request(number, line, rows, scores, _scored(event, scores, seconds, named), named, seconds)


def _scored(event: dict[str, Any], scores: np.ndarray, seconds: int, named: int) -> ScoredRequest | None:
    """As in Model Monitor, the id is the caller's inference id, else SageMaker's event id; None without id or time."""
    identifier = event.get("inferenceId") or event.get("eventId")
    if not identifier or not seconds:
        return None
    return ScoredRequest(str(identifier), seconds, scores.reshape(len(scores), -1), named)


def _named(line: bytes) -> int:
    """The version that the answer in an unreadable line names, 0 for none."""
    try:
        return answers.version_in(json.loads(line)["captureData"]["endpointOutput"]["observedContentType"]) or 0
    except (ValueError, KeyError, TypeError):
        return 0


def _largest(scores: np.ndarray) -> np.ndarray:
    return scores if scores.ndim == 1 else scores.max(axis=1)


def _shortened(line: bytes) -> str:
    return line.decode("utf-8", errors="replace")[:QUARANTINED_CHARACTERS]


def _body(side: dict[str, Any]) -> str | bytes:
    if side["encoding"] == "BASE64":
        try:
            return base64.b64decode(side["data"], validate=True)
        except binascii.Error as error:
            raise ValueError(f"not base64: {error}") from None
    return side["data"]
