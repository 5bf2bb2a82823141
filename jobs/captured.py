"""Captured requests of an endpoint: which objects are new since the last run, and their rows and scores."""

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from . import answers, payload, s3
from .columns import Column

OVERLAP = timedelta(hours=1)
"""Objects may become visible out of order: so far back from the newest one analysed, keys are compared one by one."""
QUARANTINED_LINES, QUARANTINED_CHARACTERS = 20, 2_000


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
    answered: list[answers.Request] = field(default_factory=list)


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
    body = s3.client().get_object(Bucket=bucket, Key=key)["Body"]
    tables: list[pd.DataFrame] = []
    answered: list[answers.Request] = []
    scores: list[np.ndarray] = []
    bad: list[dict[str, str]] = []
    bad_lines, number, first_error = 0, 0, ""
    for number, line in enumerate(body.iter_lines(), 1):
        try:
            rows, scored, request = _line(line, columns)
        except (payload.BadRequest, ValueError, KeyError, TypeError) as error:
            bad_lines += 1
            first_error = first_error or f"{key}, line {number}: {error}"
            if len(bad) < QUARANTINED_LINES:
                text = line.decode("utf-8", errors="replace")[:QUARANTINED_CHARACTERS]
                bad.append({"object": key, "line": str(number), "error": str(error), "text": text})
            continue
        tables.append(rows)
        scores.append(scored if scored.ndim == 1 else scored.max(axis=1))
        answered += [request] if request else []
    rows = pd.concat(tables, ignore_index=True) if tables else None
    every_score = np.concatenate(scores) if scores else np.empty(0)
    return Batch(key, rows, every_score, bad_lines, first_error, number, bad, answered)


def _line(line: bytes, columns: list[Column]) -> tuple[pd.DataFrame, np.ndarray, answers.Request | None]:
    """A request's rows, their scores (none when answers are not captured), and what its labels will be joined with."""
    content = json.loads(line)
    data = content["captureData"]
    rows = payload.parse(_body(data["endpointInput"]), data["endpointInput"]["observedContentType"], columns)
    if "endpointOutput" not in data:
        return rows, np.empty(0), None
    output, meta = data["endpointOutput"], content.get("eventMetadata") or {}
    scores = payload.parse_response(_body(output), output["observedContentType"])
    if len(scores) != len(rows):
        raise ValueError(f"{len(rows)} rows were answered with {len(scores)} scores")
    # As Model Monitor has it: the caller's id where there is one, else SageMaker's.
    identifier = meta.get("inferenceId") or meta.get("eventId")
    if not identifier or "inferenceTime" not in meta:
        return rows, scores, None
    seconds = int(datetime.fromisoformat(meta["inferenceTime"]).timestamp())
    return rows, scores, answers.Request(str(identifier), seconds, scores.reshape(len(scores), -1))


def _body(side: dict[str, Any]) -> str:
    if side["encoding"] == "BASE64":
        try:
            return base64.b64decode(side["data"], validate=True).decode("utf-8", errors="replace")
        except binascii.Error as error:
            raise ValueError(f"not base64: {error}") from None
    return side["data"]
