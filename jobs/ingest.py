"""The first phase: which objects are trained on, pinned by version, and their rows in chunks of bounded size."""

import gzip
import hashlib
import io
import json
import tempfile
import zlib
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from . import csv_text, s3
from .failures import JobFailure
from .s3 import S3Object

CHUNK_ROWS = 50_000
BUFFER_BYTES = 1 << 20
UNREADABLE = (pa.ArrowException, UnicodeDecodeError, csv_text.Malformed, OSError, EOFError, zlib.error)


def choose(raw_uri: str, window: int | None, manifest_uri: str = "") -> list[S3Object]:
    """The objects to train on: those of a manifest, or the newest `window` partitions (None: all). Raises JobFailure."""
    if manifest_uri:
        return _of_manifest(manifest_uri)
    found = [each for each in s3.newest_versions(raw_uri) if s3.is_data(each.short)]
    if not found:
        raise JobFailure(f"there is no data below {raw_uri}; put files into {raw_uri}dt=<date>/")
    partitions = sorted({each.partition for each in found})
    kept = set(partitions[-window:]) if window else set(partitions)
    return sorted((each for each in found if each.partition in kept), key=lambda each: each.key)


def _of_manifest(uri: str) -> list[S3Object]:
    fields = ("bucket", "key", "version_id", "etag", "size")
    try:
        return [S3Object(**{name: entry[name] for name in fields}) for entry in s3.read_json(uri)["objects"]]
    except ClientError as error:
        raise JobFailure(f"the manifest {uri} cannot be read: {error}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise JobFailure(f"{uri} is no manifest of Prepare: {type(error).__name__} {error}") from None


def digest(objects: list[S3Object]) -> str:
    """SHA-256 over the objects that were read: key, version and content hash of each, in order."""
    lines = [json.dumps([each.key, each.version_id, each.etag]) for each in objects]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def chunks(found: S3Object, data_format: str) -> Iterator[pd.DataFrame]:
    """The rows of one object, at most CHUNK_ROWS at a time. Raises JobFailure when it is empty or unreadable.

    Columns of CSV are texts, those of parquet have its types.
    """
    rows = 0
    reader = _csv if data_format == "csv" else _parquet
    with tempfile.NamedTemporaryFile() as file:  # a connection would not wait for slow features
        for block in s3.open_version(found).iter_chunks(BUFFER_BYTES):
            file.write(block)
        if not file.tell():
            raise JobFailure(f"{found.short} is empty: the file has no bytes")
        file.flush()
        file.seek(0)
        try:
            for chunk in reader(file, found):
                rows += len(chunk)
                if len(chunk):
                    yield chunk
        except UNREADABLE as error:
            raise JobFailure(f"{found.short} is not readable as {data_format}: {error}") from error
    if rows == 0:
        raise JobFailure(f"{found.short} is empty: it has no rows. Remove it or wait for its data")


def _csv(file: Any, found: S3Object) -> Iterator[pd.DataFrame]:
    plain: Any = gzip.GzipFile(fileobj=file) if found.key.endswith(".gz") else file
    with io.TextIOWrapper(plain, encoding="utf-8-sig", newline="") as lines:
        yield from csv_text.tables(lines, CHUNK_ROWS)


def _parquet(file: Any, found: S3Object) -> Iterator[pd.DataFrame]:
    # By its name and with a buffer: a row group is never whole in memory, and pyarrow keeps what a Python file gave it.
    opened = pq.ParquetFile(file.name, buffer_size=BUFFER_BYTES)
    names = opened.schema_arrow.names
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise pa.ArrowInvalid(f"it has the column {twice[0]!r} twice")
    for group in range(opened.num_row_groups):  # a reader over all of them keeps what it has read
        for batch in opened.iter_batches(CHUNK_ROWS, row_groups=[group], use_threads=False):
            # Integers beside missing values stay integers, dates become times.
            yield pa.Table.from_batches([batch]).to_pandas(integer_object_nulls=True, date_as_object=False)
