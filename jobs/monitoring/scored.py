"""Rows that the job score has scored, as the monitor reads captured requests: each row is a request of one record."""

import io
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from .. import s3
from ..columns import Column, canonical
from ..scoring.store import INPUT, SCORE
from .captured import Batch
from .predictions import ScoredRequest


def read(bucket: str, key: str, columns: list[Column], live: int | None = None) -> Batch:
    """The rows of one object; `columns` are those of version `live`.

    Rows that cannot be read with them are bad lines, or when another version scored them rows of others; they do not raise.
    """
    body = s3.client().get_object(Bucket=bucket, Key=key)["Body"].read()
    table = pq.read_table(io.BytesIO(body))
    described: dict[bytes, bytes] = table.schema.metadata or {}
    version, seconds = int(described[b"version"]), int(described[b"seconds"])
    raw = table.select([name for name in table.column_names if name.startswith(INPUT)]).to_pandas(
        integer_object_nulls=True, date_as_object=False
    )
    raw.columns = [name.removeprefix(INPUT) for name in raw]
    scores = np.column_stack([table.column(name).to_numpy() for name in table.column_names if name.startswith(SCORE)])
    ids = table.column("id").to_pylist()
    missing = next((column.name for column in columns if column.name not in raw), None)
    if missing is not None:
        return _unreadable(key, version, live, len(table), f"there is no column {missing!r}")
    rows, problems = canonical(raw, columns)
    good = np.ones(len(rows), dtype=bool)
    for problem in problems:
        good &= ~problem.rows
    batch = _unreadable(key, version, live, int((~good).sum()), problems[0].what if problems else "", len(table))
    if not good.any():
        return batch
    batch.rows = rows[good].reset_index(drop=True)
    batch.scores = scores[good].max(axis=1)
    batch.scored = [
        ScoredRequest(ids[row], seconds, scores[row].reshape(1, -1), version) for row in np.flatnonzero(good).tolist()
    ]
    batch.named = np.full(int(good.sum()), version, "int32")
    batch.seconds = np.full(int(good.sum()), seconds, "int64")
    return batch


def _unreadable(key: str, version: int, live: int | None, bad: int, error: str, lines: int | None = None) -> Batch:
    """A batch without rows, in which `bad` of the rows cannot be read."""
    batch = Batch(key, None, np.empty(0), 0, lines=bad if lines is None else lines)
    if bad and live not in (None, version):
        batch.others[version] = bad
    elif bad:
        batch.bad_lines, batch.first_error = bad, f"{key}: {error}"
        first: dict[str, Any] = {"object": key, "line": "", "error": error, "text": f"{bad} rows"}
        batch.bad = [first]
    return batch
