"""Captured requests of an endpoint in S3, found by their inference id within a range of hours."""

import base64
import difflib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from model_factory.functions.shared.endpoints import SHADOW

from ..project import EnvironmentSession, UsageError

PARALLEL = 8
MAX_OBJECTS = 5_000
"""Objects that are read in one search; SageMaker writes some hundred a day for each instance with traffic."""
MAX_IDS = 20_000
"""Ids that are kept to name the nearest."""
LATE = timedelta(hours=1)
"""Objects are filed under the hour in which they are written, which may be the one after the request."""
_ID = re.compile(rb'"(?:inferenceId|eventId)"\s*:\s*"([^"]{1,128})"')
_VERSION = re.compile(r";\s*model-version=(\d{1,9})\s*(?:;|$)")


@dataclass(frozen=True)
class Captured:
    """A captured request with its answer. `time`: when it was answered. `version`: the one that its answer names."""

    inference_id: str
    key: str
    time: datetime
    body: str
    content_type: str
    answer: str | None
    answer_type: str
    version: int | None
    others: int = 0
    """Further requests with the same id in the range; this one is the newest."""


@dataclass(frozen=True)
class Range:
    """Hours to search, both included."""

    first: datetime
    last: datetime

    def __str__(self) -> str:
        return f"{self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M} UTC"


def search_range(since: str | None, day: datetime | None, now: datetime) -> Range:
    """The hours of `--date` (a whole UTC day), or from `--since` on; default: the last 24 hours. Raises UsageError.

    `since` is a time such as 2026-11-24T05:00 (UTC without a zone), or a duration such as 6h or 3d.
    """
    if day and since:
        raise UsageError("give either --date or --since")
    if day:
        start = day.replace(tzinfo=UTC)
        return Range(start, min(now, start + timedelta(days=1)))
    if duration := re.fullmatch(r"(\d{1,4})([hd])", since or "24h"):
        hours = int(duration[1]) * (24 if duration[2] == "d" else 1)
        return Range(now - timedelta(hours=hours), now)
    try:
        time = datetime.fromisoformat(since or "")
    except ValueError:
        raise UsageError(
            f"--since {since!r} is no time; give 2026-11-24T05:00, or a duration such as 6h or 3d"
        ) from None
    start = time if time.tzinfo else time.replace(tzinfo=UTC)
    if start >= now:
        raise UsageError(f"--since {since!r} is not in the past")
    return Range(start, now)


def find(session: EnvironmentSession, model: str, inference_id: str, within: Range) -> Captured:
    """The captured request with this inference id, or SageMaker's event id; the newest of several. Copies for a version on trial,
    whose answers reached nobody, do not count.

    Raises UsageError that says what was searched, why the request may not be there, and the nearest ids.
    """
    keys = [key for key in _searched(session, model, within) if f"/{SHADOW}/" not in key]
    wanted, ids = inference_id.encode(), set[bytes]()
    found: list[Captured] = []
    for key, content in _contents(session, keys):
        if len(ids) < MAX_IDS:
            ids.update(_ID.findall(content))
        if wanted in content:
            lines = content.splitlines()
            found += [each for line in lines if wanted in line and (each := _read(line, key, inference_id))]
    if not found:
        raise UsageError(_missing(session, model, inference_id, within, keys, ids))
    newest = max(found, key=lambda each: each.time)
    return replace(newest, others=len(found) - 1)


def files_with(
    session: EnvironmentSession, model: str, inference_id: str, within: Range
) -> Iterator[tuple[str, bytes]]:
    """Key and content of each file with a request that has this inference id. Raises UsageError for too many files."""
    for key, content in _contents(session, _searched(session, model, within)):
        if any(is_of(line, inference_id) for line in content.splitlines()):
            yield key, content


def is_of(line: bytes, inference_id: str) -> bool:
    """Whether a line is a request with this inference id, or event id; also one whose other members cannot be read."""
    if inference_id.encode() not in line:
        return False
    try:
        event = json.loads(line)["eventMetadata"]
        return inference_id in (event.get("inferenceId"), event.get("eventId"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return True


def _searched(session: EnvironmentSession, model: str, within: Range) -> list[str]:
    """Keys of the files of these hours. Raises UsageError for too many."""
    prefix = f"{model}/captured/{session.names.model(model).endpoint}/"
    keys = list(_keys(session.client("s3"), session.names.bucket("data"), prefix, within))
    if len(keys) > MAX_OBJECTS:
        raise UsageError(
            f"{len(keys):,} objects were captured from {within}, more than {MAX_OBJECTS:,} that one search reads; narrow it "
            "with --date or --since"
        )
    return keys


def _contents(session: EnvironmentSession, keys: list[str]) -> Iterator[tuple[str, bytes]]:
    s3, bucket = session.client("s3"), session.names.bucket("data")
    with ThreadPoolExecutor(PARALLEL) as threads:
        contents = threads.map(lambda key: s3.get_object(Bucket=bucket, Key=key)["Body"].read(), keys)
        yield from zip(keys, contents, strict=True)


def _keys(s3: Any, bucket: str, prefix: str, within: Range) -> Iterator[str]:
    """Keys below each variant, one list a day: `<prefix><variant>/yyyy/mm/dd/hh/…`."""
    variants = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/").get("CommonPrefixes", [])
    last = within.last + LATE
    for variant in (each["Prefix"] for each in variants):
        day = within.first.replace(hour=0, minute=0, second=0, microsecond=0)
        while day <= last:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{variant}{day:%Y/%m/%d/}")
            for entry in (entry for page in pages for entry in page.get("Contents", [])):
                hour = entry["Key"].removeprefix(variant)[:13]
                if f"{within.first:%Y/%m/%d/%H}" <= hour <= f"{last:%Y/%m/%d/%H}":
                    yield entry["Key"]
            day += timedelta(days=1)


def _read(line: bytes, key: str, inference_id: str) -> Captured | None:
    """The request of a line; None for another one, and for a line that cannot be read."""
    try:
        content = json.loads(line)
        event, data = content["eventMetadata"], content["captureData"]
        if inference_id not in (event.get("inferenceId"), event.get("eventId")):
            return None
        given, answer = data["endpointInput"], data.get("endpointOutput")
        answer_type = answer["observedContentType"] if answer else ""
        named = _VERSION.search(answer_type)
        return Captured(
            inference_id,
            key,
            datetime.fromisoformat(event["inferenceTime"]),
            _body(given),
            given["observedContentType"],
            _body(answer) if answer else None,
            answer_type,
            int(named[1]) if named else None,
        )
    except (ValueError, KeyError, TypeError):
        return None


def _body(side: dict[str, Any]) -> str:
    return base64.b64decode(side["data"]).decode() if side["encoding"] == "BASE64" else side["data"]


def _missing(
    session: EnvironmentSession, model: str, inference_id: str, within: Range, keys: list[str], ids: set[bytes]
) -> str:
    """What was searched, the reasons that there may be, and the nearest ids."""
    config = session.project.models.get(model)
    lines = [f"no captured request of {model} in {session.environment.name} has the inference id {inference_id!r}"]
    lines.append(f"searched: {len(keys):,} objects from {within}; --date and --since search other hours")
    near = difflib.get_close_matches(inference_id, [each.decode(errors="replace") for each in ids], n=3)
    if near:
        lines.append(f"the nearest ids: {', '.join(near)}")
    serving = config.serving if config else None
    if serving and serving.mode != "realtime":
        lines.append(f"serving.mode is {serving.mode}: SageMaker captures requests of real-time endpoints only")
    elif serving and serving.capture_percent < 100:
        lines.append(f"serving.capture_percent is {serving.capture_percent}: other requests are not captured")
    kept = session.environment.captured_retention
    if kept and within.first < datetime.now(UTC) - kept:
        lines.append(f"captured requests are deleted after {kept.days} days (captured_retention)")
    if within.last > datetime.now(UTC) - timedelta(hours=1):
        lines.append("a request of the last minutes may not be written yet")
    return "; ".join(lines)
