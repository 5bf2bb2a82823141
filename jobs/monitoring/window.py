"""The window of one run: captured requests counted on the baseline's bins and checked against the schema."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ..columns import declared, violations
from ..drift.arrays import as_table
from ..drift.joint import SAMPLE_ROWS
from ..drift.profile import Profile
from ..drift.quality import Finding
from ..drift.sampling import RowSample
from . import live_version
from .attribution import AMBIGUOUS, UNKNOWN, Attribution
from .captured import Batch
from .live_version import LiveVersion
from .predictions import Predictions, PredictionSample, capacity

MAX_NEW_VALUES = 1_000
QUARANTINED_LINES = 20
MAX_OTHER_VERSIONS = 8
"""Versions beside the live one whose baselines are read in a run."""
RUNS_PER_WINDOW = 4
"""A run keeps at most this fraction, a quarter, of the predictions that are judged together."""


class Window:
    """Adds up captured objects; memory has one object and the samples.

    `data` and `scores` are profiles on the baseline's bins. Inputs do not depend on the version that answers them: `data` has all
    rows. `scores` has those of the live version alone, and `other_scores` the baseline and the scores of each other version that
    answered, None without a baseline. `answered` counts rows by version. `problems` counts invalid values by (column,
    description), and `new_values` counts values that the baseline does not know, by column.
    """

    def __init__(self, live: LiveVersion, settings: dict[str, Any], attribution: Attribution | None = None) -> None:
        self.data, self.scores = live.baseline.empty_like(), live.score_baseline.empty_like()
        self.other_scores: dict[int, tuple[Profile, Profile] | None] = {}
        self.answered: Counter[int] = Counter()
        self.unreadable_of_others: Counter[int] = Counter()
        self.sample = RowSample(SAMPLE_ROWS, (1,))
        self.predictions = PredictionSample(live.width, capacity(live.width, RUNS_PER_WINDOW))
        self.new_values: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.problems: Counter[tuple[str, str]] = Counter()
        self.bad_by_object: dict[str, int] = {}
        self.quarantine: list[dict[str, str]] = []
        self.lines, self.first_error = 0, ""
        self._settings = settings
        self._known = {name: set(column.known) for name, column in live.baseline.columns.items() if column.known}
        self._live, self._attribution = live, attribution or Attribution(live.version)

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
        self.unreadable_of_others += batch.others
        if batch.rows is None:
            return
        self._add_rows(batch.rows)
        if len(batch.scores):
            self._add_scores(batch)
        for predicted in Predictions.of(batch.scored, self._attribution.versions):
            self.predictions.add(predicted)

    def _add_scores(self, batch: Batch) -> None:
        """Add each version's scores to its own."""
        versions = np.full(len(batch.scores), self._live.version)
        if len(batch.named):
            versions = self._attribution.versions(batch.named, batch.seconds)
        for version in np.unique(versions).tolist():
            scores = batch.scores[versions == version]
            self.answered[version] += len(scores)
            if profile := self._profile_of(version):
                profile.update(pd.DataFrame({"score": scores}))

    def _profile_of(self, version: int) -> Profile | None:
        """Where the scores of a version are counted; None for those that are compared with nothing."""
        if version == self._live.version:
            return self.scores
        if version not in self.other_scores and len(self.other_scores) < MAX_OTHER_VERSIONS:
            known = version > UNKNOWN and bool(self._live.arn)
            baseline = live_version.score_baseline(self._live.arn, version) if known else None
            self.other_scores[version] = (baseline, baseline.empty_like()) if baseline else None
        found = self.other_scores.get(version)
        return found[1] if found else None

    def answered_findings(self) -> Iterator[Finding]:
        """What answered beside the live version; no violations."""
        for version, rows in sorted(self.answered.items(), reverse=True):
            if version == AMBIGUOUS:
                text = "rows were answered while the traffic moved and do not name their version; their scores are not judged"
            elif version == UNKNOWN:
                text = "rows were answered before the first version that is known; their scores are not judged"
            elif version != self._live.version:
                judged = "are judged by its own baseline" if self.other_scores.get(version) else "are not judged"
                text = f"rows were answered by version {version}; their scores {judged}"
            else:
                continue
            yield Finding("attribution", "", f"{rows:,} {text}", False)
        for version, requests in sorted(self.unreadable_of_others.items(), reverse=True):
            text = f"{requests:,} requests to version {version} cannot be read with the columns of version {self._live.version}"
            yield Finding("attribution", "", text, False)

    def _add_rows(self, rows: pd.DataFrame) -> None:
        table = as_table(rows, self.data.types)
        self.data.update(table)
        self.sample.update(table)
        for problem in violations(rows, declared(self._settings, list(rows.columns), rows)):
            self.problems[problem.column, problem.what] += problem.count
        self._count_new_values(rows)

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
