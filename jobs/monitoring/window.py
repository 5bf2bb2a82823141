"""The requests of one monitor run: counted on the baseline's bins, checked against the schema, a sample of rows kept."""

from collections import Counter, defaultdict
from typing import Any

import pandas as pd

from ..columns import declared, violations
from ..drift.arrays import as_table
from ..drift.joint import SAMPLE_ROWS
from ..drift.sampling import RowSample
from . import captured, live, predictions

MAX_NEW_VALUES = 1_000
SHOWN_BAD = 20
KEPT_SHARE = 4
"""One run keeps at most so small a part of the answers that are judged together."""


class Window:
    """Memory holds one captured object and the sample."""

    def __init__(self, found: live.Live, settings: dict[str, Any], version_before: int = 0) -> None:
        self.data, self.scores = found.baseline.empty_like(), found.score_baseline.empty_like()
        self._settings = settings
        self._known = {name: set(c.known) for name, c in found.baseline.columns.items() if c.known}
        self.sample = RowSample(SAMPLE_ROWS, (1,))
        self.new_values: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.problems: Counter[tuple[str, str]] = Counter()
        self.bad_by_object: dict[str, int] = {}
        self.quarantine: list[dict[str, str]] = []
        self.lines, self.first_error = 0, ""
        self.answers = predictions.Sample(found.width, predictions.rows_for(found.width, KEPT_SHARE))
        self._versions = (found.deployed.timestamp(), version_before, found.version)

    @property
    def bad_lines(self) -> int:
        """Captured requests that could not be read."""
        return sum(self.bad_by_object.values())

    @property
    def bad_share(self) -> float:
        """Share of all captured requests."""
        return self.bad_lines / self.lines if self.lines else 0.0

    def add(self, batch: captured.Batch) -> None:
        """Count one object."""
        self.lines += batch.lines
        if batch.bad_lines:
            self.bad_by_object[batch.key] = batch.bad_lines
            self.quarantine += batch.bad[: SHOWN_BAD - len(self.quarantine)]
        self.first_error = self.first_error or batch.first_error
        if batch.rows is None:
            return
        table = as_table(batch.rows, self.data.types)
        self.data.update(table)
        self.sample.update(table)
        for answered in predictions.Answers.of(batch.answered, self._version_at):
            self.answers.add(answered)
        if len(batch.scores):
            self.scores.update(pd.DataFrame({"score": batch.scores}))
        for problem in violations(batch.rows, declared(self._settings, list(batch.rows.columns), batch.rows)):
            self.problems[problem.column, problem.what] += problem.count
        self._note_new_values(batch.rows)

    def _version_at(self, seconds: int) -> int:
        """Which version answered then: the live one since its model was made, the one before until then."""
        deployed, before, now = self._versions
        return now if seconds >= int(deployed) else before

    def _note_new_values(self, rows: pd.DataFrame) -> None:
        for name, known in self._known.items():
            if name in rows and len(self.new_values[name]) < MAX_NEW_VALUES:
                counts = rows[name].dropna().astype(str).value_counts()
                unknown = {str(value): int(n) for value, n in counts.items() if value not in known}
                self.new_values[name].update(unknown)

    @property
    def violations(self) -> list[tuple[str, str]]:
        """(column, description) of values that break the schema."""
        return [(name, f"{count} values {what}") for (name, what), count in self.problems.most_common()]
