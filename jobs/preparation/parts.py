"""The parts train, validation and test: one parquet file each, one row group per chunk; memory has one chunk."""

from collections import Counter

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .. import paths
from ..failures import JobFailure

RAW_PARTS = ("test",)
"""Parts with raw columns and the label; the others have features and the label."""


class Writer:
    """Appends rows to parts. The first rows of features decide the types of all later ones, and so do the first raw rows."""

    def __init__(self) -> None:
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._schemas: dict[bool, pa.Schema] = {}
        self.rows: Counter[str] = Counter()

    def write(self, part: str, rows: pd.DataFrame) -> None:
        """Append rows to a part. Raises JobFailure when they do not have the columns and types of the rows before."""
        if not len(rows):
            return
        raw = part in RAW_PARTS
        table = self._table(rows)
        schema = self._schemas.setdefault(raw, _without_nulls(table.schema))
        if part not in self._writers:
            self._writers[part] = pq.ParquetWriter(paths.processing_output(part) / "part-0.parquet", schema)
        self._writers[part].write_table(_cast(table, schema))
        self.rows[part] += len(rows)

    @staticmethod
    def _table(rows: pd.DataFrame) -> pa.Table:
        try:
            return pa.Table.from_pandas(rows, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise JobFailure(f"model.py: features(raw) made values of mixed types: {error}") from error

    def close(self) -> None:
        """Finish the files."""
        for writer in self._writers.values():
            writer.close()


def _without_nulls(schema: pa.Schema) -> pa.Schema:
    """Columns without any value become strings: only a column of strings can be without a type."""
    for index, each in enumerate(schema):
        if pa.types.is_null(each.type):
            schema = schema.set(index, each.with_type(pa.string()))
    return schema


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    if table.schema.names != schema.names:
        differ = sorted(set(table.schema.names) ^ set(schema.names)) or table.schema.names
        raise JobFailure(f"model.py: features(raw) made other columns for other rows: {', '.join(differ)}")
    for name in schema.names:
        wanted, given = schema.field(name).type, table.schema.field(name).type
        try:
            table.column(name).cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise JobFailure(
                f"model.py: feature {name!r} was {wanted} in the first rows and is {given} in later ones; "
                "give it one type for all rows, for instance with astype('float64')"
            ) from None
    return table.cast(schema)
