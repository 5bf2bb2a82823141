"""What the endpoint answered, kept small until its labels come: a key, the version, the time and the scores of each record.

A monitor run writes what it saw to one parquet file below `<reports>/answers/`, and later runs join labels with them, so the
captured requests are read once. Memory and files are bounded by a sample that both sides agree on: a key is a hash of the
record's id, and where there are too many, those with the smallest keys are kept (bottom-k sampling, Cohen and Kaplan 2007).
Whether a label's record would have been kept can be told from the label's own key.
"""

import io
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .. import s3

KEPT_VALUES = 8_000_000
"""Scores held of a window, 64 MB; a file holds at most a quarter of them."""
KEPT_ROWS = 1_000_000
EVERY_KEY = 2**64 - 1


def keys(ids: Any, records: np.ndarray) -> np.ndarray:
    """uint64 keys of (inference id, number of the record in its request, from 0)."""
    hashed = pd.util.hash_array(np.asarray(ids, dtype=object), categorize=False)
    mixed = hashed ^ (records.astype("uint64") * np.uint64(0x9E3779B97F4A7C15))
    # splitmix64's last step (Steele, Lea and Flood 2014): neighbours in a request shall not be neighbours in the sample.
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@dataclass(frozen=True)
class Request:
    """One request that was answered: its id, when it was asked, and the scores of its records (records x classes)."""

    id: str
    seconds: int
    scores: np.ndarray


@dataclass(frozen=True)
class Answers:
    """Records that were answered. `scores` are (records x classes), one column but for many classes; `seconds` since 1970."""

    keys: np.ndarray
    versions: np.ndarray
    seconds: np.ndarray
    scores: np.ndarray

    @classmethod
    def none(cls, width: int = 1) -> Self:
        """Of no record."""
        return cls(np.empty(0, "uint64"), np.empty(0, "int32"), np.empty(0, "int64"), np.empty((0, width)))

    @classmethod
    def of(cls, requests: Sequence[Request], version_at: Callable[[int], int]) -> Iterator[Self]:
        """Of requests, one table for each width of scores; `version_at` tells which version answered at a time."""
        by_width: defaultdict[int, list[Request]] = defaultdict(list)
        for request in requests:
            by_width[request.scores.shape[1]].append(request)
        for each in by_width.values():
            counts = [len(request.scores) for request in each]
            ids = np.repeat(np.asarray([request.id for request in each], dtype=object), counts)
            records = np.concatenate([np.arange(count) for count in counts])
            yield cls(
                keys(ids, records),
                np.repeat(np.asarray([version_at(request.seconds) for request in each], "int32"), counts),
                np.repeat(np.asarray([request.seconds for request in each], "int64"), counts),
                np.concatenate([request.scores for request in each]),
            )

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, chosen: np.ndarray) -> Self:
        """Some of the records, by index or mask."""
        return type(self)(self.keys[chosen], self.versions[chosen], self.seconds[chosen], self.scores[chosen])

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """All records of `parts`, which have scores of one width."""
        columns = ("keys", "versions", "seconds", "scores")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


class Sample:
    """The records with the smallest keys, of one width of scores: at most `rows`."""

    def __init__(self, width: int, rows: int) -> None:
        self.width, self.rows, self.threshold = width, rows, EVERY_KEY
        self.other_width = 0
        self._parts: list[Answers] = []

    def add(self, given: Answers) -> None:
        """Offer records; those of another width, as of a version with other classes, are counted and left out."""
        if given.scores.shape[1] != self.width:
            self.other_width += len(given)
            return
        self._parts.append(given.take(given.keys <= np.uint64(self.threshold)))
        if sum(map(len, self._parts)) > 2 * self.rows:
            self._cut()

    def below(self, threshold: int) -> None:
        """Keep no larger keys from here on: a file that was cut has no others."""
        self.threshold = min(self.threshold, threshold)

    def _cut(self) -> None:
        found = Answers.together(self._parts or [Answers.none(self.width)])
        found = found.take(found.keys <= np.uint64(self.threshold))
        if len(found) > self.rows:
            self.threshold = int(np.partition(found.keys, self.rows - 1)[self.rows - 1])
            found = found.take(found.keys <= np.uint64(self.threshold))
        self._parts = [found]

    def answers(self) -> Answers:
        """The sample."""
        self._cut()
        return self._parts[0]


def rows_for(width: int, share: int = 1) -> int:
    """Records that are kept of scores of this width."""
    return max(1, min(KEPT_ROWS, KEPT_VALUES // max(1, width)) // share)


def write(sample: Sample, scheduled: datetime) -> None:
    """Keep a run's records for later ones. The name begins with the time, so that a list can begin at a day."""
    found = sample.answers()
    if not len(found):
        return
    columns = {"key": found.keys, "version": found.versions, "seconds": found.seconds}
    table = pa.table(columns | {f"score_{index}": column for index, column in enumerate(found.scores.T)})
    table = table.replace_schema_metadata({"threshold": json.dumps(sample.threshold)})
    body = io.BytesIO()
    pq.write_table(table, body)
    bucket, folder = s3.split(os.environ["REPORTS_URI"])
    name = f"{scheduled:%Y-%m-%dT%H:%M:%SZ}-{os.environ.get('PIPELINE_EXECUTION_ID') or 'run'}.parquet"
    s3.client().put_object(Bucket=bucket, Key=f"{folder}/answers/{name}", Body=body.getvalue())


def read(since: datetime, width: int) -> tuple[Answers, int]:
    """What runs since then kept, by key, and the largest key that would have been kept.

    Of a record that was asked for twice under one id, the first answer.
    """
    sample = Sample(width, rows_for(width))
    for table in _files(since):
        metadata: dict[bytes, bytes] = table.schema.metadata or {}
        sample.below(json.loads(metadata.get(b"threshold", str(EVERY_KEY))))
        sample.add(_answers(table))
    found = sample.answers()
    found = found.take(np.lexsort((found.seconds, found.keys)))
    return found.take(np.append(True, found.keys[1:] != found.keys[:-1])[: len(found)]), sample.threshold


def _files(since: datetime) -> Iterator[pa.Table]:
    uri = f"{os.environ['REPORTS_URI']}/answers/"
    bucket, folder = s3.split(uri)
    for entry in s3.below(uri, after=f"{folder}{since:%Y-%m-%dT%H:%M:%SZ}"):
        body = s3.client().get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        yield pq.read_table(io.BytesIO(body))


def _answers(table: Any) -> Answers:
    names: Iterable[str] = [name for name in table.column_names if name.startswith("score_")]
    scores = np.column_stack([table.column(name).to_numpy() for name in names])
    key, version, seconds = (table.column(name).to_numpy() for name in ("key", "version", "seconds"))
    return Answers(key, version, seconds, scores)
