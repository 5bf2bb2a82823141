"""Which version answered a captured request: the one that its answer names, else by the records of deployments.

Answers of artifacts from before answers named their version have none. Between the start and the end of a deployment two
versions answered in turn, so both are candidates.
"""

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
    """The recorded deployments of a model, oldest first."""
    found = records(session, session.names.bucket("records"), model, kinds={"deployment"})
    known = [_interval(entry.record) for entry in found if entry.record]
    return sorted((each for each in known if each), key=lambda each: each.start)


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
    """From a record; None for one that has no times or no version."""
    try:
        facts = record["facts"]
        start, end = (datetime.fromisoformat(each) for each in (facts["started"], record["time"]))
        version, outcome = int(record["version"]), facts["outcome"]
    except (KeyError, TypeError, ValueError):
        return None
    before = version_in(facts.get("previous") or "")
    after = {"succeeded": version, "rolled back": before}.get(outcome)
    return Interval(start, max(start, end), before, version, after)
