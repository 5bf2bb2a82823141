"""Uniform samples of a stream of rows, in bounded memory and mergeable: the rows with the smallest random keys."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pyarrow as pa


class RowSample:
    """At most `capacity` rows. The same rows and seed give the same sample, whatever the size of the chunks."""

    def __init__(self, capacity: int, seed: Sequence[int] = (0,)) -> None:
        self.capacity = capacity
        self._seed, self._seen = list(seed), 0
        self._bound = 1.0
        self._keys: list[np.ndarray] = []
        self._rows: list[pa.Table] = []

    def update(self, rows: pa.Table) -> None:
        """Offer rows, all of the same columns."""
        keys = self._draw(len(rows))
        chosen = np.flatnonzero(keys < self._bound)
        if len(chosen) == 0:
            return
        self._add(keys[chosen], rows if len(chosen) == len(rows) else rows.take(pa.array(chosen)))

    def _draw(self, count: int) -> np.ndarray:
        """Random keys of the next rows: row i gets the generator's number i."""
        bits = np.random.PCG64(self._seed)
        bits.advance(self._seen)
        self._seen += count
        return np.random.Generator(bits).random(count)

    def _add(self, keys: np.ndarray, rows: pa.Table) -> None:
        self._keys.append(keys)
        self._rows.append(rows)
        if sum(map(len, self._keys)) > 2 * self.capacity:
            self._cut()

    def _cut(self) -> None:
        """Keep the rows with the smallest keys, in the order of their keys."""
        keys = np.concatenate(self._keys)
        order = np.argsort(keys, kind="stable")[: self.capacity]
        if len(order) == self.capacity:
            self._bound = float(keys[order[-1]])
        self._rows = [pa.concat_tables(self._rows).take(pa.array(order)).combine_chunks()]
        self._keys = [keys[order]]

    def merge(self, other: Self) -> None:
        """Add the sample of other rows, which must have another seed."""
        for keys, rows in zip(other._keys, other._rows, strict=True):
            self._add(keys, rows)
        self._seen += other._seen

    def table(self) -> pa.Table | None:
        """The sample in random order; None when there are no rows."""
        if not self._rows:
            return None
        self._cut()
        return self._rows[0]
