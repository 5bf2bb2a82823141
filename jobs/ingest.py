"""The first phase: which objects are trained on, pinned by version, and their rows in chunks of bounded size."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from . import s3
from .failures import JobFailure
from .s3 import S3Object

CHUNK_ROWS = 50_000


def choose(raw_uri: str, window: int | None, manifest_uri: str = "") -> list[S3Object]:
    """The objects to train on: those of a manifest, or the newest `window` partitions (None: all). Raises JobFailure."""
    if manifest_uri:
        listed = s3.read_json(manifest_uri)["objects"]
        fields = ("bucket", "key", "version_id", "etag", "size")
        return [S3Object(**{name: entry[name] for name in fields}) for entry in listed]
    found = s3.newest_versions(raw_uri)
    if not found:
        raise JobFailure(f"there is no data below {raw_uri}; put files into {raw_uri}dt=<date>/")
    partitions = sorted({each.partition for each in found})
    kept = set(partitions[-window:]) if window else set(partitions)
    return sorted((each for each in found if each.partition in kept), key=lambda each: each.key)


def digest(objects: list[S3Object]) -> str:
    """SHA-256 over the objects that were read: key, version and content hash of each, in order."""
    lines = [json.dumps([each.key, each.version_id, each.etag]) for each in objects]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def chunks(found: S3Object, data_format: str) -> Iterator[pd.DataFrame]:
    """The rows of one object, at most CHUNK_ROWS at a time. Raises JobFailure when it is empty or unreadable."""
    rows = 0
    reader = _csv if data_format == "csv" else _parquet
    try:
        for chunk in reader(found):
            rows += len(chunk)
            if len(chunk):
                yield chunk
    except (pd.errors.ParserError, pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise JobFailure(f"{found.short} is not readable as {data_format}: {error}") from error
    except pd.errors.EmptyDataError:
        raise JobFailure(f"{found.short} is empty: the file has no bytes") from None
    if rows == 0:
        raise JobFailure(f"{found.short} is empty: it has no rows. Remove it or wait for its data")


def _csv(found: S3Object) -> Iterator[pd.DataFrame]:
    reader: Any = pd.read_csv(s3.open_version(found), chunksize=CHUNK_ROWS, low_memory=False)
    with reader:
        yield from reader


def _parquet(found: S3Object) -> Iterator[pd.DataFrame]:
    with tempfile.TemporaryFile() as file:
        for block in s3.open_version(found).iter_chunks(1 << 20):
            file.write(block)
        file.seek(0)
        for batch in pq.ParquetFile(file).iter_batches(CHUNK_ROWS):
            yield pa.Table.from_batches([batch]).to_pandas()
