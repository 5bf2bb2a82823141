"""The rows that Prepare wrote, of one channel of a training job or part of an evaluation: as one DataFrame, or in batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .failures import JobFailure
from .table_files import BUFFER_BYTES

BATCH_ROWS = 65_536
TEXT_BYTES = 8
"""Size of a reference to an object. Texts that are equal share an object, so their own size says nothing."""


@dataclass(frozen=True)
class Rows:
    """Parquet files with the same columns, in the order of their names.

    Iterating gives DataFrames of at most 65,536 rows, in the same order each time; memory has one of them.
    """

    files: tuple[Path, ...]

    @classmethod
    def of(cls, folder: Path, missing: str) -> "Rows":
        """The files of a folder. Raises JobFailure with the message `missing` when there are none."""
        files = tuple(sorted(folder.glob("*.parquet")))
        if not files:
            raise JobFailure(missing)
        return cls(files)

    def __len__(self) -> int:
        """Number of rows, from the files' metadata."""
        return sum(pq.read_metadata(file).num_rows for file in self.files)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return self.batches()

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._schema().names)

    @property
    def minimum_bytes(self) -> int:
        """What `frame` needs at least: numbers in full, and a reference for each text."""
        return len(self) * sum(map(_width, self._schema().types))

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[pd.DataFrame]:
        """DataFrames of at most `rows` rows."""
        for file in self.files:
            with pq.ParquetFile(file, buffer_size=BUFFER_BYTES) as opened:  # else Arrow reads much of the file ahead
                for batch in opened.iter_batches(batch_size=rows):
                    # Arrow gives views of its own memory where it can, which cannot be written to.
                    yield pa.Table.from_batches([batch]).to_pandas().copy()

    def frame(self) -> pd.DataFrame:
        """All rows. Columns are read one after the other, so that memory has the frame and one column in Arrow's form."""
        return pd.DataFrame({name: self.column(name) for name in self.columns}, copy=False)

    def column(self, name: str) -> pd.Series:
        """All values of one column."""
        parts: list[pd.Series] = [pq.read_table(file, columns=[name]).to_pandas()[name] for file in self.files]
        return pd.concat(parts, ignore_index=True)

    def _schema(self) -> pa.Schema:
        return pq.read_schema(self.files[0])


def _width(column: pa.DataType) -> int:
    """Bytes of a value in a DataFrame."""
    return max(1, column.bit_width // 8) if pa.types.is_primitive(column) else TEXT_BYTES
