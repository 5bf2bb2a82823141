"""Profiles of tables, which are compared with each other: made in one pass, in bounded memory, and mergeable.

The reference decides the bins (`Builder`); current data is counted on them (`Profile.update`). Profiles of parts, such as row
groups, files or instances, merge into the profile of the whole: counts exactly, moments up to rounding.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa

from .arrays import Data, as_table, compute, numbers_of
from .column import ColumnProfile
from .counting import Kernel
from .sampling import RowSample

SAMPLE_CELLS = 8_000_000
"""Cells of the sample that is counted: about 64 MB, 400,000 rows of 20 columns."""
MAX_SAMPLE_ROWS = 1_000_000
DECIDING_SHARE, MAX_DECIDING_ROWS = 0.2, 20_000
BINS = 20
MAX_CATEGORIES = 100
MAX_KNOWN = 1_000
MAX_TRACKED = 10_000
QUANTILES = 11


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

    @property
    def types(self) -> dict[str, str]:
        """Type of each column."""
        return {name: column.type for name, column in self.columns.items()}

    def empty_like(self, names: Iterable[str] | None = None) -> "Profile":
        """A profile with the same bins, of all columns or of `names`, without counts."""
        columns = {
            name: ColumnProfile(column.type, edges=column.edges, categories=column.categories)
            for name in (self.columns if names is None else names)
            for column in [self.columns[name]]
        }
        return Profile(0, columns)

    def update(self, data: Data, kernel: Kernel | None = None) -> None:
        """Count a chunk; columns that it does not have count as missing."""
        kernel = kernel or Kernel()
        table = as_table(data, self.types)
        self.rows += len(data)
        for name, column in self.columns.items():
            column.count(table.column(name), kernel)

    def merge(self, other: "Profile") -> None:
        """Add the counts of other rows, of all columns or some, on the same bins. Raises ValueError when the bins differ."""
        self.rows += other.rows
        for name, column in other.columns.items():
            self.columns[name].merge(column)


class Builder:
    """Builds a reference from chunks: exact moments and nulls of all rows, bins and counts of a uniform sample.

    A fifth of the sample decides the bins, and the other rows are counted on them. Rows that decide must not be counted: the
    most frequent categories of a sample are partly so by chance, and compared with a million rows that would look like drift.
    """

    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = dict(types)
        self._columns = {name: ColumnProfile(kind) for name, kind in types.items()}
        self._tracked: dict[str, Counter[str]] = {n: Counter() for n, c in self._columns.items() if not c.numeric}
        self._sample = RowSample(min(MAX_SAMPLE_ROWS, SAMPLE_CELLS // max(1, len(types))))
        self._kernel = Kernel()
        self._seen = 0

    def update(self, data: Data) -> None:
        """Add a chunk."""
        table = as_table(data, self._types)
        self._seen += len(data)
        for name, column in self._columns.items():
            values = table.column(name)
            column.rows += len(values)
            if column.numeric:
                _, missing, moments = self._kernel.numbers(numbers_of(values), [])
                column.add_moments(moments)
            else:
                missing = values.null_count
                self._track(name, values)
            column.nulls += missing
        if self._types:
            self._sample.update(table)

    def _track(self, name: str, values: Any) -> None:
        tracked = self._tracked[name]
        if len(tracked) < MAX_TRACKED:
            for entry in compute.value_counts(values).to_pylist():
                if entry["values"] is not None:
                    tracked[entry["values"]] += entry["counts"]

    def rows(self, count: int) -> pa.Table | None:
        """A uniform sample of at most `count` rows; None when there are no rows."""
        table = self._sample.table()
        return None if table is None else table.slice(0, count)

    def build(self) -> Profile:
        """The reference profile."""
        sample = self._sample.table()
        for name, column in self._columns.items():
            if sample is None:
                continue
            deciding = min(MAX_DECIDING_ROWS, int(np.ceil(DECIDING_SHARE * len(sample))))
            values = sample.column(name)
            if column.numeric:
                numbers = numbers_of(values)
                column.edges = edges(_finite(numbers[:deciding]))
                finite = _finite(numbers)
                column.distinct = len(np.unique(finite))
                if len(finite):
                    column.quantiles = np.quantile(finite, np.linspace(0, 1, QUANTILES)).tolist()
            else:
                self._categories(name, column, values.slice(0, deciding))
            counted = ColumnProfile(column.type, edges=column.edges, categories=column.categories)
            counted.count(values.slice(deciding), self._kernel)
            column.counts, column.counted_nulls = counted.counts, counted.nulls
        return Profile(self._seen, self._columns)

    def _categories(self, name: str, column: ColumnProfile, deciding: Any) -> None:
        counts = [
            (e["counts"], e["values"]) for e in compute.value_counts(deciding).to_pylist() if e["values"] is not None
        ]
        counts.sort(key=lambda each: (-each[0], each[1]))
        column.categories = [value for _, value in counts[:MAX_CATEGORIES]]
        tracked = self._tracked[name]
        column.distinct = len(tracked)
        if len(tracked) <= MAX_KNOWN:
            column.known = sorted(tracked)


def _finite(numbers: np.ndarray) -> np.ndarray:
    return numbers[np.isfinite(numbers)]


def edges(numbers: np.ndarray) -> list[float]:
    """Inner edges of at most BINS bins of about equal counts; a column of few values gets a bin for each, and two outside."""
    if not len(numbers):
        return []
    distinct = np.unique(numbers)
    if len(distinct) <= BINS:
        middles = (distinct[:-1] + distinct[1:]) / 2
        return [float(np.nextafter(distinct[0], -np.inf)), *middles.tolist(), float(distinct[-1])]
    return np.unique(np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1])).tolist()
