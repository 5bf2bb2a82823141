"""The window of one run: captured requests counted on the baseline's bins and checked against the schema."""

from collections import Counter, defaultdict
from typing import Any

import pandas as pd

from ..columns import declared, violations
from ..drift.arrays import as_table
from ..drift.joint import SAMPLE_ROWS
from ..drift.sampling import RowSample
from .captured import Batch
from .live_version import LiveVersion
from .predictions import Predictions, PredictionSample, capacity

MAX_NEW_VALUES = 1_000
QUARANTINED_LINES = 20
RUNS_PER_WINDOW = 4
"""A run keeps at most this fraction, a quarter, of the predictions that are judged together."""


class Window:
    """Adds up captured objects; memory has one object and the samples.

    `data` and `scores` are profiles on the baseline's bins. `problems` counts invalid values by (column, description), and
    `new_values` counts values that the baseline does not know, by column.
    """

    def __init__(self, live: LiveVersion, settings: dict[str, Any], version_before: int = 0) -> None:
        self.data, self.scores = live.baseline.empty_like(), live.score_baseline.empty_like()
        self.sample = RowSample(SAMPLE_ROWS, (1,))
        self.predictions = PredictionSample(live.width, capacity(live.width, RUNS_PER_WINDOW))
        self.new_values: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.problems: Counter[tuple[str, str]] = Counter()
        self.bad_by_object: dict[str, int] = {}
        self.quarantine: list[dict[str, str]] = []
        self.lines, self.first_error = 0, ""
        self._settings = settings
        self._known = {name: set(column.known) for name, column in live.baseline.columns.items() if column.known}
        self._deployed, self._version, self._version_before = (
            int(live.deployed.timestamp()),
            live.version,
            version_before,
        )

    @property
    def bad_lines(self) -> int:
        """Number of captured requests that could not be read."""
        return sum(self.bad_by_object.values())

    @property
    def bad_share(self) -> float:
        """`bad_lines` as a share of all captured requests."""
        return self.bad_lines / self.lines if self.lines else 0.0

    def add(self, batch: Batch) -> None:
        """Add one object."""
        self.lines += batch.lines
        if batch.bad_lines:
            self.bad_by_object[batch.key] = batch.bad_lines
            self.quarantine += batch.bad[: QUARANTINED_LINES - len(self.quarantine)]
        self.first_error = self.first_error or batch.first_error
        if batch.rows is None:
            return
        self._add_rows(batch.rows)
        if len(batch.scores):
            self.scores.update(pd.DataFrame({"score": batch.scores}))
        for predicted in Predictions.of(batch.scored, self._version_at):
            self.predictions.add(predicted)

    def _add_rows(self, rows: pd.DataFrame) -> None:
        table = as_table(rows, self.data.types)
        self.data.update(table)
        self.sample.update(table)
        for problem in violations(rows, declared(self._settings, list(rows.columns), rows)):
            self.problems[problem.column, problem.what] += problem.count
        self._count_new_values(rows)

    def _version_at(self, seconds: int) -> int:
        """The version that was live at a time in seconds since 1970."""
        return self._version if seconds >= self._deployed else self._version_before

    def _count_new_values(self, rows: pd.DataFrame) -> None:
        for name, known in self._known.items():
            if name in rows and len(self.new_values[name]) < MAX_NEW_VALUES:
                counts = rows[name].dropna().astype(str).value_counts()
                unknown = {str(value): int(n) for value, n in counts.items() if value not in known}
                self.new_values[name].update(unknown)

    @property
    def violations(self) -> list[tuple[str, str]]:
        """(column, description) of values that break the schema, the most frequent first."""
        return [(name, f"{count} values {what}") for (name, what), count in self.problems.most_common()]
