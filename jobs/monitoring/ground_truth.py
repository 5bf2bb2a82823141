"""Labels that came after the answers: files below `<data>/<model>/ground-truth/`, read in chunks of bounded size.

Two forms are taken. Model Monitor's JSON lines ('Ingest Ground Truth labels', SageMaker developer guide), where one line may
hold the labels of all records of a request, a line of CSV or an item of JSON each:
    {"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "..."}, "eventVersion": "0"}
And tables (CSV with a header, parquet, JSON lines) with a column `inference_id`, one with the label's name, and where a request
had several records, `record`: the number of the record in its request, from 0.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from .. import s3, table_files
from ..columns import Column, canonical
from ..failures import JobFailure
from . import predictions

CHUNK_LINES = 50_000
JSON_LINES, TABLES = (".jsonl", ".json", ".ndjson"), {".csv": "csv", ".parquet": "parquet"}
ID_COLUMNS = ("inference_id", "inferenceId", "event_id", "eventId")
TYPES = {bool: "boolean", int: "number", float: "number"}


@dataclass
class Reading:
    """How the labels are written, and what became of them: counts of labels, of those unreadable by object, the first reason."""

    label: str
    classes: list[Any]
    regression: bool = False
    labels: int = 0
    missing: int = 0
    bad_by_object: dict[str, int] = field(default_factory=dict)
    first_error: str = ""

    def column(self) -> Column:
        """The label's column: of the type that the classes have."""
        kinds = {type(each) for each in self.classes}
        kind = TYPES.get(kinds.pop(), "string") if len(kinds) == 1 else "number" if kinds <= {int, float} else "string"
        return Column(self.label, "number" if self.regression else kind)

    def truth(self, values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Labels as metrics take them, class indexes or the numbers of a regression, NaN where there are none; which miss."""
        table, problems = canonical(pd.DataFrame({self.label: values}), [self.column()])
        made = table[self.label]
        missing = made.isna().to_numpy()
        for problem in problems:
            missing &= ~problem.rows
        if self.regression:
            return made.to_numpy(dtype="float64"), missing
        known = [float(each) for each in self.classes] if self.column().numeric else self.classes
        places = pd.Index(known).get_indexer(pd.Index(made)).astype("float64")
        return np.where(places < 0, np.nan, places), missing

    def bad(self, key: str, count: int, why: str) -> None:
        """Count labels of an object that cannot be used."""
        if count:
            self.bad_by_object[key] = self.bad_by_object.get(key, 0) + count
            self.first_error = self.first_error or f"{key}: {why}"


def objects(data_uri: str, since: datetime) -> list[dict[str, Any]]:
    """Files of labels that were written since then, oldest first: of labels for one record the newest counts."""
    found = [
        entry
        for entry in s3.below(f"{data_uri}/ground-truth/")
        if entry["LastModified"] >= since and s3.is_data(entry["Key"]) and not entry["Key"].endswith("/")
    ]
    return sorted(found, key=lambda entry: (entry["LastModified"], entry["Key"]))


def read(data_uri: str, entry: dict[str, Any], reading: Reading) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(keys, truth) of the labels of one file. What cannot be read is counted in `reading`."""
    bucket, key = s3.split(data_uri)[0], entry["Key"]
    try:
        for table in _tables(bucket, key, entry["Size"], reading):
            yield from _labels(table, key, reading)
    except (JobFailure, OSError, EOFError) as error:
        reading.bad(key, 1, str(error))
        reading.labels += 1


def _tables(bucket: str, key: str, size: int, reading: Reading) -> Iterator[pd.DataFrame]:
    """Tables with the columns id, record and the label's. Raises JobFailure for a file that is no table of labels."""
    plain = key.removesuffix(".gz")
    ending = plain[plain.rfind(".") :].lower()
    if ending in JSON_LINES:
        yield from _json_lines(bucket, key, reading)
        return
    if ending not in TABLES:
        raise JobFailure(f"labels must be .jsonl, .csv (or .csv.gz) or .parquet, not {ending or 'without an ending'!r}")
    for chunk in table_files.chunks(s3.S3Object(bucket, key, "null", "", size), TABLES[ending]):
        name = next((name for name in ID_COLUMNS if name in chunk), None)
        if name is None or reading.label not in chunk:
            raise JobFailure(
                f"labels need the columns 'inference_id' and {reading.label!r}; there are {', '.join(map(str, chunk))}"
            )
        yield pd.DataFrame(
            {
                "id": chunk[name],
                "record": chunk.get("record", 0),
                reading.label: chunk[reading.label],
            }
        )


def _json_lines(bucket: str, key: str, reading: Reading) -> Iterator[pd.DataFrame]:
    body = s3.client().get_object(Bucket=bucket, Key=key)["Body"]
    lines: Iterator[bytes] = gzip.GzipFile(fileobj=body) if key.endswith(".gz") else body.iter_lines()
    number = 0
    while batch := list(islice(lines, CHUNK_LINES)):
        found: list[tuple[str, int, Any]] = []
        for line in batch:
            number += 1
            try:
                if line.strip():
                    found += _of_line(json.loads(line), reading.label)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                reading.labels += 1
                reading.bad(key, 1, f"line {number}: {_words(error)}")
        yield pd.DataFrame(found, columns=["id", "record", reading.label], dtype=object)


def _words(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)


def _of_line(line: dict[str, Any], label: str) -> list[tuple[str, int, Any]]:
    """(id, record, label) of a line, in either form."""
    if "groundTruthData" not in line:
        name = next((name for name in ID_COLUMNS if name in line), "inference_id")
        return [(str(line[name]), int(line.get("record", 0)), line[label])]
    meta, truth = line["eventMetadata"], line["groundTruthData"]
    identifier = meta.get("inferenceId") or meta["eventId"]
    if truth.get("encoding", "CSV").upper() == "JSON":
        made = json.loads(truth["data"]) if isinstance(truth["data"], str) else truth["data"]
        values = made if isinstance(made, list) else [made]
    else:
        values = str(truth["data"]).strip().split("\n")
    return [(str(identifier), record, value) for record, value in enumerate(values)]


def _labels(table: pd.DataFrame, key: str, reading: Reading) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    values = table[reading.label]
    records = pd.to_numeric(table["record"], errors="coerce").to_numpy(dtype="float64")
    truth, empty = reading.truth(values)
    reading.labels += len(table)
    reading.missing += int(empty.sum())
    wrong = np.isnan(truth) & ~empty
    if wrong.any():
        allowed = "a number" if reading.regression else f"one of {', '.join(map(str, reading.classes[:8]))}"
        first = values.to_numpy()[wrong.argmax()]
        reading.bad(key, int(wrong.sum()), f"{reading.label} {first!r} is not {allowed}")
    nowhere = ~empty & ~wrong & ~(records >= 0)
    reading.bad(key, int(nowhere.sum()), "record must be the record's number in its request, from 0")
    good = ~empty & ~wrong & ~nowhere
    if good.any():
        ids = table["id"].astype(str).to_numpy(dtype=object)[good]
        yield predictions.keys(ids, records[good].astype("int64")), truth[good]
