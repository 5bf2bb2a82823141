"""Rows of one CSV, parquet or JSON Lines file in S3, in chunks of bounded size: the reader of training data and of labels."""

import gzip
import io
import json
import tempfile
import zlib
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from . import csv_text, s3
from .failures import JobFailure
from .s3 import S3Object


class _NoJson(ValueError):
    """A line is no JSON object."""


CHUNK_ROWS = 50_000
BUFFER_BYTES = 1 << 20
UNREADABLE = (pa.ArrowException, UnicodeDecodeError, csv_text.Malformed, OSError, EOFError, zlib.error, _NoJson)


def chunks(source: S3Object, data_format: str, digest: Any = None) -> Iterator[pd.DataFrame]:
    """The rows of one object, at most CHUNK_ROWS at a time. `data_format`: csv (columns of strings), parquet (its types) or jsonl
    (an object of columns in each line).

    `digest`: a hash of hashlib that gets the bytes of the file, before the first chunk. Raises JobFailure when the object is
    empty or cannot be read.
    """
    rows = 0
    reader = {"csv": _csv, "jsonl": _json_lines}.get(data_format, _parquet)
    with tempfile.NamedTemporaryFile() as file:  # the connection would time out while slow features are computed
        for block in s3.open_version(source).iter_chunks(BUFFER_BYTES):
            file.write(block)
            if digest is not None:
                digest.update(block)
        if not file.tell():
            raise JobFailure(f"{source.short} is empty: the file has no bytes")
        file.flush()
        file.seek(0)
        try:
            for chunk in reader(file, source):
                rows += len(chunk)
                if len(chunk):
                    yield chunk
        except UNREADABLE as error:
            raise JobFailure(f"{source.short} is not readable as {data_format}: {error}") from error
    if rows == 0:
        raise JobFailure(f"{source.short} is empty: it has no rows. Remove it or wait for its data")


def _csv(file: Any, source: S3Object) -> Iterator[pd.DataFrame]:
    plain: Any = gzip.GzipFile(fileobj=file) if source.key.endswith(".gz") else file
    with io.TextIOWrapper(plain, encoding="utf-8-sig", newline="") as lines:
        yield from csv_text.tables(lines, CHUNK_ROWS)


def _json_lines(file: Any, source: S3Object) -> Iterator[pd.DataFrame]:
    plain: Any = gzip.GzipFile(fileobj=file) if source.key.endswith(".gz") else file
    lines = ((number, line) for number, line in enumerate(plain, 1) if line.strip())
    for taken in csv_text.batches(lines, CHUNK_ROWS):
        rows = [_object(number, line) for number, line in taken]
        names = list(dict.fromkeys(name for row in rows for name in row))
        yield csv_text.table([[row.get(name) for name in names] for row in rows], names)


def _object(number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _NoJson(f"line {number} is not JSON: {error}") from None
    if not isinstance(row, dict):
        raise _NoJson(f"line {number} must be {{column: value, …}}")
    return row


def _parquet(file: Any, source: S3Object) -> Iterator[pd.DataFrame]:
    # By file name and with a buffer, so that no row group is whole in memory: pyarrow keeps the bytes of a Python file object.
    opened = pq.ParquetFile(file.name, buffer_size=BUFFER_BYTES)
    names = opened.schema_arrow.names
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise pa.ArrowInvalid(f"it has the column {twice[0]!r} twice")
    for group in range(opened.num_row_groups):  # one iterator over all groups would keep what it has read
        for batch in opened.iter_batches(CHUNK_ROWS, row_groups=[group], use_threads=False):
            # Integers beside missing values stay integers, dates become times.
            yield pa.Table.from_batches([batch]).to_pandas(integer_object_nulls=True, date_as_object=False)
