"""The version that answered a captured request: the one that its answer names, else the one that was live at its time.

Answers of artifacts that were trained before answers named their version have none. Of those, requests within a shift of traffic
are ambiguous: two versions answered in turn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import numpy as np

from .live_version import LiveVersion

UNKNOWN, AMBIGUOUS = 0, -1
"""In place of a version: it was live before any that is known; one of two versions that shared the traffic."""


@dataclass(frozen=True)
class Attribution:
    """Which version answered.

    `before` was live until `shift_start`, `live` alone from `shift_end` on; between them either answered (seconds since 1970).
    `changing_since`: the start of a change of the endpoint that has not ended, None without one.
    """

    live: int
    before: int = UNKNOWN
    shift_start: int = 0
    shift_end: int = 0
    changing_since: int | None = None

    @classmethod
    def after(cls, report: Mapping[str, Any] | None, live: LiveVersion) -> Self:
        """From the last run's latest.json, None for the first run, and the live version now.

        A shift starts when the model of the version was created, or when the last run saw another version live, whichever is
        later; it ends when the endpoint was modified last. Once it is known it stays: scaling modifies the endpoint, too.
        """
        changing = _seconds(live.changing_since) if live.changing_since else None
        known = (report or {}).get("shift")
        seen = (report or {}).get("version")
        start = _seconds(live.deployed)
        if known and seen == live.version:
            return cls(live.version, known["before"], known["start"], known["end"], changing)
        if seen is None or seen == live.version:  # the first run, or the first of this release
            before = (report or {}).get("version_before", UNKNOWN)
            return cls(live.version, before, start, start if seen else _end(live), changing)
        start = max(start, _seconds(datetime.fromisoformat((report or {})["scheduled_time"])))
        return cls(live.version, seen, start, max(start, _end(live)), changing)

    def to_dict(self) -> dict[str, int]:
        """For latest.json."""
        return {"before": self.before, "start": self.shift_start, "end": self.shift_end}

    def versions(self, named: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        """Versions (int32) by those that answers name, 0 where they name none, and times in seconds, 0 where there is none."""
        by_time = np.full(len(seconds), self.live, "int32")
        by_time[seconds < self.shift_end] = AMBIGUOUS
        by_time[seconds < self.shift_start] = self.before
        if self.changing_since is not None:
            by_time[seconds >= self.changing_since] = AMBIGUOUS
        by_time[seconds == 0] = AMBIGUOUS
        return np.where(named > 0, named, by_time).astype("int32")


def _seconds(time: datetime) -> int:
    return int(time.timestamp())


def _end(live: LiveVersion) -> int:
    return _seconds(live.settled or live.deployed)
