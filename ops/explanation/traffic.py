"""Which version answered a captured request: the one that its answer names, else by the records of deployments.

Answers of artifacts from before answers named their version have none. Between the start and the end of a deployment two
versions answered in turn, so both are candidates.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..operations.versions import version_in
from ..project import EnvironmentSession
from ..records.chain import records


@dataclass(frozen=True)
class Interval:
    """A recorded deployment: from `start` to `end` the versions `before` and `version` shared the traffic; then `after` had it.

    `before` and `after` are None where no version answered, or none that the records name.
    """

    start: datetime
    end: datetime
    before: int | None
    version: int
    after: int | None


def intervals(session: EnvironmentSession, model: str) -> list[Interval]:
    """The recorded deployments of a model, oldest first, from its chain and from the files of earlier releases."""
    bucket = session.names.bucket("records")
    of_chain = (entry.record for entry in records(session, bucket, model, kinds={"deployment"}) if entry.record)
    known = {each.start: each for each in map(_interval, map(_flat, of_chain)) if each}
    for record in _files(session.client("s3"), bucket, f"{model}/deployments/"):
        if found := _interval(record):
            known.setdefault(found.start, found)
    return sorted(known.values(), key=lambda each: each.start)


def candidates(time: datetime, deployments: Iterable[Interval]) -> list[int]:
    """The versions that may have answered at a time: one, two during a deployment, none before the first."""
    last = None
    for each in deployments:
        if each.start <= time:
            last = each
    if last is None:
        return []
    if time < last.end:
        return [version for version in (last.before, last.version) if version is not None]
    return [last.after] if last.after is not None else []


def _interval(record: dict[str, Any]) -> Interval | None:
    """From the content of a record; None for one that has no times or no version."""
    try:
        start, end = (datetime.fromisoformat(record[name]) for name in ("started", "time"))
        version, outcome = int(record["ModelPackageVersion"]), record["outcome"]
    except (KeyError, TypeError, ValueError):
        return None
    before = version_in(record.get("previous") or "")
    after = {"succeeded": version, "rolled back": before}.get(outcome)
    return Interval(start, max(start, end), before, version, after)


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record of the chain in the form of the files of earlier releases."""
    facts = record.get("facts", {})
    return {"ModelPackageVersion": record.get("version"), "time": record.get("time")} | facts


def _files(s3: Any, bucket: str, prefix: str) -> Iterable[dict[str, Any]]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for entry in (entry for page in pages for entry in page.get("Contents", [])):
        try:
            yield json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
        except ValueError:
            continue
