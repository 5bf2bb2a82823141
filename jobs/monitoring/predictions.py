"""Predictions of captured requests, kept until their labels arrive: a key, the version, the time and the scores of each record.

Each monitor run writes its predictions to one parquet file below `<reports>/answers/`; later runs join labels with them, so a
captured request is read only once. Memory and files are bounded by a sample that predictions and labels share: a key is a hash
of the record's id, and of too many records those with the smallest keys are kept (bottom-k sampling, Cohen and Kaplan 2007).
A label's own key therefore says whether its record can be in the sample.
"""

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .. import s3

MAX_SCORES = 8_000_000
"""Scores in memory for a window, 64 MB; a file has at most a quarter of them."""
MAX_RECORDS = 1_000_000
LARGEST_KEY = 2**64 - 1


def record_keys(ids: Any, records: np.ndarray) -> np.ndarray:
    """uint64 keys of (inference id, number of the record in its request, from 0)."""
    hashed = pd.util.hash_array(np.asarray(ids, dtype=object), categorize=False)
    mixed = hashed ^ (records.astype("uint64") * np.uint64(0x9E3779B97F4A7C15))
    # The last step of splitmix64 (Steele, Lea and Flood 2014), so that the records of one request get unrelated keys.
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@dataclass(frozen=True)
class ScoredRequest:
    """One request with its inference id, its time in seconds since 1970, and the scores of its records (records x classes).

    `named`: the version that its answer names, 0 for none.
    """

    id: str
    seconds: int
    scores: np.ndarray
    named: int = 0


@dataclass(frozen=True)
class Predictions:
    """Records and their scores. `scores`: (records x classes), one column unless multiclass; `seconds` since 1970."""

    keys: np.ndarray
    versions: np.ndarray
    seconds: np.ndarray
    scores: np.ndarray

    @classmethod
    def empty(cls, width: int = 1) -> Self:
        """No records, with `width` columns of scores."""
        return cls(np.empty(0, "uint64"), np.empty(0, "int32"), np.empty(0, "int64"), np.empty((0, width)))

    @classmethod
    def of(
        cls, requests: Sequence[ScoredRequest], versions_of: Callable[[np.ndarray, np.ndarray], np.ndarray]
    ) -> Iterator[Self]:
        """From requests: one table per width of scores. `versions_of` is `Attribution.versions`."""
        by_width: defaultdict[int, list[ScoredRequest]] = defaultdict(list)
        for request in requests:
            by_width[request.scores.shape[1]].append(request)
        for same_width in by_width.values():
            counts = [len(request.scores) for request in same_width]
            ids = np.repeat(np.asarray([request.id for request in same_width], dtype=object), counts)
            records = np.concatenate([np.arange(count) for count in counts])
            seconds = np.asarray([request.seconds for request in same_width], "int64")
            versions = versions_of(np.asarray([request.named for request in same_width], "int32"), seconds)
            yield cls(
                record_keys(ids, records),
                np.repeat(versions, counts),
                np.repeat(seconds, counts),
                np.concatenate([request.scores for request in same_width]),
            )

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def metric_scores(self) -> np.ndarray:
        """The scores as `metrics` takes them: one column is a vector."""
        return self.scores if self.scores.shape[1] > 1 else self.scores[:, 0]

    def take(self, chosen: np.ndarray) -> Self:
        """Some of the records, by index or mask."""
        return type(self)(self.keys[chosen], self.versions[chosen], self.seconds[chosen], self.scores[chosen])

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """All records of `parts`, which have the same width of scores."""
        columns = ("keys", "versions", "seconds", "scores")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


class PredictionSample:
    """At most `capacity` records with `width` scores each: those with the smallest keys, none above `threshold`."""

    def __init__(self, width: int, capacity: int) -> None:
        self.width, self.capacity, self.threshold = width, capacity, LARGEST_KEY
        self.other_width = 0
        self._parts: list[Predictions] = []

    def add(self, offered: Predictions) -> None:
        """Offer records. Those with another width, as of a version with other classes, are counted and left out."""
        if offered.scores.shape[1] != self.width:
            self.other_width += len(offered)
            return
        self._parts.append(offered.take(offered.keys <= np.uint64(self.threshold)))
        if sum(map(len, self._parts)) > 2 * self.capacity:
            self._cut()

    def lower_threshold(self, threshold: int) -> None:
        """Drop larger keys: a file whose sample was cut at `threshold` has none of them."""
        self.threshold = min(self.threshold, threshold)

    def _cut(self) -> None:
        kept = Predictions.concatenate(self._parts or [Predictions.empty(self.width)])
        kept = kept.take(kept.keys <= np.uint64(self.threshold))
        if len(kept) > self.capacity:
            self.threshold = int(np.partition(kept.keys, self.capacity - 1)[self.capacity - 1])
            kept = kept.take(kept.keys <= np.uint64(self.threshold))
        self._parts = [kept]

    def predictions(self) -> Predictions:
        """The records of the sample, in the order they were offered."""
        self._cut()
        return self._parts[0]


@dataclass(frozen=True)
class StoredPredictions:
    """Predictions of earlier runs, sorted by key, one per key; `threshold`: the largest key that a sample could keep."""

    predictions: Predictions
    threshold: int

    @property
    def sampled(self) -> bool:
        """Whether records are missing because there were too many."""
        return self.threshold < LARGEST_KEY

    def positions(self, keys: np.ndarray) -> np.ndarray:
        """The index of the record with each key, -1 where there is none."""
        stored = self.predictions.keys
        if not len(stored):
            return np.full(len(keys), -1)
        positions = np.minimum(np.searchsorted(stored, keys), len(stored) - 1)
        return np.where(stored[positions] == keys, positions, -1)


def capacity(width: int, share: int = 1) -> int:
    """Records that are kept when each has `width` scores; with `share`, that part of them."""
    return max(1, min(MAX_RECORDS, MAX_SCORES // width) // share)


def write(sample: PredictionSample, reports_uri: str, scheduled: datetime, execution_id: str) -> None:
    """Write a run's records for later runs. The file name starts with the time, so that a listing can start at a day."""
    kept = sample.predictions()
    if not len(kept):
        return
    columns = {"key": kept.keys, "version": kept.versions, "seconds": kept.seconds}
    table = pa.table(columns | {f"score_{index}": column for index, column in enumerate(kept.scores.T)})
    table = table.replace_schema_metadata({"threshold": json.dumps(sample.threshold)})
    body = io.BytesIO()
    pq.write_table(table, body)
    bucket, folder = s3.split(reports_uri)
    name = f"{scheduled:%Y-%m-%dT%H:%M:%SZ}-{execution_id or 'run'}.parquet"
    s3.client().put_object(Bucket=bucket, Key=f"{folder}/answers/{name}", Body=body.getvalue())


def read(reports_uri: str, since: datetime, width: int) -> StoredPredictions:
    """The predictions that runs since `since` have written. Of several for one record, the earliest."""
    sample = PredictionSample(width, capacity(width))
    for table in _files(reports_uri, since):
        metadata: dict[bytes, bytes] = table.schema.metadata or {}
        sample.lower_threshold(json.loads(metadata.get(b"threshold", str(LARGEST_KEY))))
        sample.add(_from_table(table))
    kept = sample.predictions()
    kept = kept.take(np.lexsort((kept.seconds, kept.keys)))
    is_first = np.append(True, kept.keys[1:] != kept.keys[:-1])[: len(kept)]
    return StoredPredictions(kept.take(is_first), sample.threshold)


def _files(reports_uri: str, since: datetime) -> Iterator[pa.Table]:
    uri = f"{reports_uri}/answers/"
    bucket, folder = s3.split(uri)
    for entry in s3.below(uri, after=f"{folder}{since:%Y-%m-%dT%H:%M:%SZ}"):
        body = s3.client().get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        yield pq.read_table(io.BytesIO(body))


def _from_table(table: Any) -> Predictions:
    names = [name for name in table.column_names if name.startswith("score_")]
    scores = np.column_stack([table.column(name).to_numpy() for name in names])
    key, version, seconds = (table.column(name).to_numpy() for name in ("key", "version", "seconds"))
    return Predictions(key, version, seconds, scores)
