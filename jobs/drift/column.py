"""The profile of one column: counts on bins, moments, nulls."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .arrays import NUMERIC, numbers_of, strings
from .counting import Kernel, Moments, texts

OTHER, MISSING = "(other)", "(missing)"


@dataclass
class ColumnProfile:
    """One column. `counts` are of the bins between `edges` (numeric), or of `categories` and then OTHER (else).

    In a reference, `counts` and `counted_nulls` are of the rows that did not decide the bins; `rows`, `nulls` and the moments
    are of all rows. `known` are all values of a text column, when they are few enough to list.
    """

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
    finite: int = 0
    minimum: float | None = None
    maximum: float | None = None
    quantiles: list[float] = field(default_factory=list)
    known: list[str] = field(default_factory=list)

    @property
    def numeric(self) -> bool:
        """Whether the bins are ranges of numbers."""
        return self.type in NUMERIC

    @property
    def present(self) -> int:
        """Number of rows with a value."""
        return self.rows - self.nulls

    @property
    def std(self) -> float:
        """Population standard deviation."""
        return float(np.sqrt(self.m2 / self.finite)) if self.finite else 0.0

    def table(self) -> np.ndarray:
        """Counts of all bins as float64, missing values last."""
        return np.asarray([*self.counts, self.counted_nulls], dtype="float64")

    def label(self, index: int) -> str:
        """The name of a bin of `table`, for reports."""
        if index == len(self.counts):
            return MISSING
        if not self.numeric:
            return [*self.categories, OTHER][index]
        if not self.edges:
            return "any number"
        if index == 0:
            return f"up to {self.edges[0]:.4g}"
        if index == len(self.edges):
            return f"above {self.edges[-1]:.4g}"
        return f"{self.edges[index - 1]:.4g} to {self.edges[index]:.4g}"

    def count(self, values: Any, kernel: Kernel) -> None:
        """Count a column of a table that `arrays.as_table` returned."""
        if self.numeric:
            counts, missing, moments = kernel.numbers(numbers_of(values), self.edges)
            self.add_moments(moments)
        else:
            counts, missing = texts(values, strings(tuple(self.categories)))
        self.rows += len(values)
        self.nulls += missing
        self.counted_nulls += missing
        self.counts = (np.asarray(self.counts or 0) + counts).tolist()

    def add_moments(self, more: Moments) -> None:
        """Merge the count, mean, squares and range of further rows."""
        both = Moments(self.finite, self.mean, self.m2, self.minimum, self.maximum).merged(more)
        self.finite, self.mean, self.m2 = both.count, both.mean, both.m2
        self.minimum, self.maximum = both.minimum, both.maximum

    def merge(self, other: "ColumnProfile") -> None:
        """Add the counts of other rows on the same bins. Raises ValueError when the bins differ."""
        if (self.type, self.edges, self.categories) != (other.type, other.edges, other.categories):
            raise ValueError("profiles can only be merged when they count on the same bins")
        if other.counts:
            self.counts = (np.asarray(self.counts or 0) + other.counts).tolist()
        self.rows += other.rows
        self.nulls += other.nulls
        self.counted_nulls += other.counted_nulls
        self.add_moments(Moments(other.finite, other.mean, other.m2, other.minimum, other.maximum))
