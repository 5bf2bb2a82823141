"""What is kept of a table to compare it with another: counts on bins, moments, nulls. One pass, bounded memory, mergeable.

The reference decides the bins, from a uniform sample of its rows; the current data is counted on these bins.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

NUMERIC = ("integer", "number", "boolean")
SAMPLE_ROWS = 50_000
BINS = 20
MAX_CATEGORIES = 100
MAX_TRACKED = 10_000
OTHER = "(other)"


@dataclass
class ColumnProfile:
    """One column. `counts` are of the bins between `edges` (numeric), or of `categories` and then OTHER (else)."""

    type: str
    rows: int = 0
    nulls: int = 0
    edges: list[float] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    counted_nulls: int = 0
    distinct: int = 0
    mean: float = 0.0
    m2: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    quantiles: list[float] = field(default_factory=list)

    @property
    def numeric(self) -> bool:
        """Whether it is counted on bins of numbers."""
        return self.type in NUMERIC

    @property
    def present(self) -> int:
        """Rows that have a value."""
        return self.rows - self.nulls

    @property
    def std(self) -> float:
        """Population standard deviation."""
        return float(np.sqrt(self.m2 / self.present)) if self.present else 0.0

    def label(self, index: int) -> str:
        """What people call a bin."""
        if not self.numeric:
            return [*self.categories, OTHER][index]
        bounds = [-np.inf, *self.edges, np.inf]
        return f"{bounds[index]:.4g} to {bounds[index + 1]:.4g}"

    def count(self, values: pd.Series) -> None:
        """Add values to counts, nulls and moments."""
        missing = int(values.isna().sum())
        self.rows += len(values)
        self.nulls += missing
        self.counted_nulls += missing
        present = values.dropna()
        if not self.counts:
            self.counts = [0] * (len(self.edges) + 1 if self.numeric else len(self.categories) + 1)
        if not len(present):
            return
        if self.numeric:
            numbers = present.to_numpy(dtype="float64")
            self.add_moments(numbers)
            where = np.searchsorted(self.edges, numbers, side="left")
            added = np.bincount(where, minlength=len(self.counts))
        else:
            codes = pd.Index(self.categories).get_indexer(pd.Index(present.astype(str)))
            added = np.bincount(np.where(codes < 0, len(self.categories), codes), minlength=len(self.counts))
        self.counts = (np.asarray(self.counts) + added).tolist()

    def add_moments(self, numbers: np.ndarray) -> None:
        """Merge mean, squares and range (Chan, Golub, LeVeque 1979). `present` must count the numbers already."""
        n_new, n_all = len(numbers), self.present
        n_old = n_all - n_new
        delta = float(numbers.mean()) - self.mean
        self.m2 += float(((numbers - numbers.mean()) ** 2).sum()) + delta**2 * n_old * n_new / n_all
        self.mean += delta * n_new / n_all
        low, high = float(numbers.min()), float(numbers.max())
        self.minimum = low if self.minimum is None else min(self.minimum, low)
        self.maximum = high if self.maximum is None else max(self.maximum, high)


@dataclass
class Profile:
    """All columns of a table."""

    rows: int
    columns: dict[str, ColumnProfile]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"rows": self.rows, "columns": {name: asdict(column) for name, column in self.columns.items()}}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """From JSON."""
        return cls(content["rows"], {name: ColumnProfile(**column) for name, column in content["columns"].items()})

    def empty_like(self) -> "Profile":
        """The same bins with nothing counted yet."""
        columns = {
            name: ColumnProfile(column.type, edges=column.edges, categories=column.categories)
            for name, column in self.columns.items()
        }
        return Profile(0, columns)

    def update(self, data: pd.DataFrame) -> None:
        """Count a chunk; columns that it does not have count as missing."""
        self.rows += len(data)
        for name, column in self.columns.items():
            column.count(data[name] if name in data else pd.Series([None] * len(data), dtype=object))


class Builder:
    """Builds a reference from chunks: exact moments and nulls of all rows, bins and counts of a uniform sample."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._columns = {name: ColumnProfile(kind) for name, kind in types.items()}
        self._tracked: dict[str, Counter[str]] = {n: Counter() for n, c in self._columns.items() if not c.numeric}
        self._sample: list[pd.DataFrame] = []
        self._keys: list[np.ndarray] = []
        self._seen = 0

    def update(self, data: pd.DataFrame) -> None:
        """Add a chunk."""
        for name, column in self._columns.items():
            values = data[name]
            missing = int(values.isna().sum())
            column.rows += len(values)
            column.nulls += missing
            present = values.dropna()
            if not len(present):
                continue
            if column.numeric:
                column.add_moments(present.to_numpy(dtype="float64"))
            elif len(self._tracked[name]) < MAX_TRACKED:
                self._tracked[name].update(present.astype(str).value_counts().to_dict())
        self._keep(data)

    def _keep(self, data: pd.DataFrame) -> None:
        """Keep the rows with the smallest pseudo-random keys: a uniform sample, the same for the same order of rows."""
        keys = np.random.default_rng(self._seen).random(len(data))
        self._seen += len(data)
        self._sample.append(data[list(self._columns)])
        self._keys.append(keys)
        if sum(map(len, self._keys)) > 2 * SAMPLE_ROWS:
            self._cut()

    def _cut(self) -> None:
        keys, rows = np.concatenate(self._keys), pd.concat(self._sample, ignore_index=True)
        if len(keys) > SAMPLE_ROWS:
            kept = np.sort(np.argpartition(keys, SAMPLE_ROWS)[:SAMPLE_ROWS])
            keys, rows = keys[kept], rows.iloc[kept]
        self._keys, self._sample = [keys], [rows]

    def build(self) -> Profile:
        """The reference profile."""
        self._cut()
        sample = self._sample[0]
        for name, column in self._columns.items():
            values = sample[name]
            present = values.dropna()
            if column.numeric:
                numbers = present.to_numpy(dtype="float64")
                column.edges = edges(numbers)
                column.distinct = len(np.unique(numbers))
                if len(numbers):
                    column.quantiles = np.quantile(numbers, np.linspace(0, 1, 11)).tolist()
            else:
                tracked = self._tracked[name]
                column.categories = [value for value, _ in tracked.most_common(MAX_CATEGORIES)]
                column.distinct = len(tracked)
            counted = ColumnProfile(column.type, edges=column.edges, categories=column.categories)
            counted.count(values)
            column.counts, column.counted_nulls = counted.counts, counted.nulls
        return Profile(self._seen, self._columns)


def edges(numbers: np.ndarray) -> list[float]:
    """Inner edges of at most BINS bins of about equal counts; a column with few values gets a bin for each."""
    if not len(numbers):
        return []
    distinct = np.unique(numbers)
    if len(distinct) <= BINS:
        return ((distinct[:-1] + distinct[1:]) / 2).tolist()
    return np.unique(np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1])).tolist()
