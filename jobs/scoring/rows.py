"""Raw rows of an object, in batches: Parquet, CSV with a header, and JSON Lines, as they were put into the bucket."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa

from .. import table_files
from ..columns import as_text
from ..failures import JobFailure
from ..s3 import S3Object
from .names import FORMATS

BATCH_ROWS, BATCH_VALUES = 200_000, 10_000_000


def format_of(key: str) -> str:
    """parquet, csv or jsonl, by the object's name. Raises JobFailure."""
    found = next((kind for ending, kind in FORMATS.items() if key.lower().endswith(ending)), None)
    if found is None:
        raise JobFailure(f"its name must end in {', '.join(FORMATS)}")
    return found


def batches(
    source: S3Object, needed: list[str], kept: list[str], digest: Any = None
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """For each batch the columns that the model takes, and those of `kept` that the object has. Raises JobFailure.

    `digest`: a hash of hashlib that gets the bytes of the object, before the first batch.
    """
    waiting: list[pd.DataFrame] = []
    rows = 0
    for chunk in table_files.chunks(source, format_of(source.key), digest):
        missing = [name for name in needed if name not in chunk]
        if missing:
            raise JobFailure(f"it has no column {missing[0]!r}; the model takes {', '.join(needed)}")
        waiting.append(chunk)
        rows += len(chunk)
        if rows >= min(BATCH_ROWS, max(1, BATCH_VALUES // len(needed))):
            yield _tables(waiting, needed, kept)
            waiting, rows = [], 0
    if waiting:
        yield _tables(waiting, needed, kept)


def _tables(chunks: list[pd.DataFrame], needed: list[str], kept: list[str]) -> tuple[pa.Table, pa.Table]:
    table = pd.concat(chunks, ignore_index=True) if len(chunks) > 1 else chunks[0]
    present = [name for name in kept if name in table]
    return _arrow(table[needed]), _arrow(table[present])


def _arrow(table: pd.DataFrame) -> pa.Table:
    """As Arrow has it; a column with values of several types becomes text, which the model's columns read the same."""
    columns = {}
    for name in table:
        try:
            columns[name] = pa.Array.from_pandas(table[name])
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            columns[name] = pa.array(
                [
                    None if missing else as_text(value)
                    for value, missing in zip(table[name], table[name].isna(), strict=True)
                ],
                pa.string(),
            )
    return pa.table(columns) if columns else pa.table({"_": pa.nulls(len(table))}).select([])
