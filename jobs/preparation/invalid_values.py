"""Invalid values of the whole data: counts by column and kind, each with its first example."""

from collections import Counter

from ..columns import Problem
from ..failures import JobFailure
from ..s3 import S3Object

SHOWN_PROBLEMS = 10


class InvalidValues:
    """Adds up the problems of all chunks, so that the job fails once and names them all."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._examples: dict[tuple[str, str], str] = {}

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, problem: Problem, source: S3Object, first_row: int) -> None:
        """Add a problem of a chunk; `first_row` is the number of the chunk's first row in its object, from 0."""
        key = (problem.column, problem.what)
        row = first_row + problem.row + 1
        self._counts[key] += problem.count
        self._examples.setdefault(key, f"first {problem.first!r} in {source.short}, row {row}")

    def add_total(self, column: str, what: str, count: int) -> None:
        """Set a problem of the data as a whole."""
        self._counts[column, what] = count

    def raise_if_any(self) -> None:
        """Raise JobFailure with the most frequent problems."""
        if self:
            listed = [
                f"{column}: {count} values {what} ({self._examples.get((column, what), 'in all')})"
                for (column, what), count in self._counts.most_common(SHOWN_PROBLEMS)
            ]
            raise JobFailure("the data breaks its schema: " + "; ".join(listed))
