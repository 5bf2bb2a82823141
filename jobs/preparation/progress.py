"""The phases of prepare, with their seconds and results, for report.json."""

import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PHASES = ("ingest", "analyse", "validate", "transform", "split")


@dataclass
class Progress:
    """Seconds and result of each phase. The phases of each chunk follow each other, so a phase adds up its time."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    results: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Add the time of a block to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - started

    def report(self) -> list[dict[str, Any]]:
        """`phases` of report.json."""
        return [
            {"name": name, "seconds": round(self.seconds[name], 3), "result": self.results.get(name, "")}
            for name in PHASES
        ]
