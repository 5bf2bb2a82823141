"""Labels that arrive after the predictions: files below `<data>/<model>/ground-truth/`, read in chunks of bounded size.

Two forms are accepted. Model Monitor's JSON lines ('Ingest Ground Truth labels', SageMaker developer guide), where one line may
have the labels of all records of a request, one line of CSV or one item of JSON each:
    {"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "..."}, "eventVersion": "0"}
And tables (CSV with a header, parquet, JSON lines) with a column `inference_id`, a column with the label's name, and, where a
request had several records, `record`: the number of the record in its request, from 0.
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
from .predictions import record_keys

CHUNK_LINES = 50_000
JSON_LINES, TABLES = (".jsonl", ".json", ".ndjson"), {".csv": "csv", ".parquet": "parquet"}
ID_COLUMNS = ("inference_id", "inferenceId", "event_id", "eventId")
TYPES = {bool: "boolean", int: "number", float: "number"}


@dataclass(frozen=True)
class Label:
    """The label: its column's name, and the classes in the order of the scores (empty in regression)."""

    name: str
    classes: list[Any]
    regression: bool = False

    @property
    def column(self) -> Column:
        """The label's column, with the type that the classes have."""
        if self.regression:
            return Column(self.name, "number")
        types = {type(each) for each in self.classes}
        if len(types) == 1:
            return Column(self.name, TYPES.get(types.pop(), "string"))
        return Column(self.name, "number" if types <= {int, float} else "string")

    def truth(self, values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Labels as metrics take them, and which have no value.

        The labels are class indexes, or the numbers of a regression: float64, NaN where a value is missing or not a label.
        """
        table, problems = canonical(pd.DataFrame({self.name: values}), [self.column])
        labels = table[self.name]
        missing = labels.isna().to_numpy()
        for problem in problems:
            missing &= ~problem.rows
        if self.regression:
            return labels.to_numpy(dtype="float64"), missing
        classes = [float(each) for each in self.classes] if self.column.numeric else self.classes
        indexes = pd.Index(classes).get_indexer(pd.Index(labels)).astype("float64")
        return np.where(indexes < 0, np.nan, indexes), missing

    @property
    def allowed(self) -> str:
        """The allowed values, for messages."""
        return "a number" if self.regression else f"one of {', '.join(map(str, self.classes[:8]))}"


@dataclass
class LabelReader:
    """Reads files of labels and counts: all labels, those without a value, and those that cannot be used, by object."""

    label: Label
    labels: int = 0
    missing: int = 0
    bad_by_object: dict[str, int] = field(default_factory=dict)
    first_error: str = ""

    def read(self, data_uri: str, entry: dict[str, Any]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(record keys, labels as `Label.truth` gives them) of the usable labels of one object, an entry of ListObjectsV2."""
        bucket, key = s3.split(data_uri)[0], entry["Key"]
        try:
            for table in self._tables(bucket, key, entry["Size"]):
                yield from self._usable(table, key)
        except (JobFailure, OSError, EOFError) as error:
            self._add_bad(key, 1, str(error))
            self.labels += 1

    def _add_bad(self, key: str, count: int, reason: str) -> None:
        if count:
            self.bad_by_object[key] = self.bad_by_object.get(key, 0) + count
            self.first_error = self.first_error or f"{key}: {reason}"

    def _tables(self, bucket: str, key: str, size: int) -> Iterator[pd.DataFrame]:
        """Tables with the columns id, record and the label's. Raises JobFailure for a file that has none of the forms."""
        plain = key.removesuffix(".gz")
        suffix = plain[plain.rfind(".") :].lower()
        if suffix in JSON_LINES:
            yield from self._json_lines(bucket, key)
            return
        if suffix not in TABLES:
            raise JobFailure(
                f"labels must be .jsonl, .csv (or .csv.gz) or .parquet, not {suffix or 'without an ending'!r}"
            )
        name = self.label.name
        for chunk in table_files.chunks(s3.S3Object(bucket, key, "null", "", size), TABLES[suffix]):
            id_column = next((column for column in ID_COLUMNS if column in chunk), None)
            if id_column is None or name not in chunk:
                raise JobFailure(
                    f"labels need the columns 'inference_id' and {name!r}; there are {', '.join(map(str, chunk))}"
                )
            yield pd.DataFrame({"id": chunk[id_column], "record": chunk.get("record", 0), name: chunk[name]})

    def _json_lines(self, bucket: str, key: str) -> Iterator[pd.DataFrame]:
        body = s3.client().get_object(Bucket=bucket, Key=key)["Body"]
        lines: Iterator[bytes] = gzip.GzipFile(fileobj=body) if key.endswith(".gz") else s3.lines(body)
        number = 0
        while batch := list(islice(lines, CHUNK_LINES)):
            rows: list[tuple[str, int, Any]] = []
            for line in batch:
                number += 1
                try:
                    if line.strip():
                        rows += _parse(json.loads(line), self.label.name)
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                    self.labels += 1
                    self._add_bad(key, 1, f"line {number}: {_describe(error)}")
            yield pd.DataFrame(rows, columns=["id", "record", self.label.name], dtype=object)

    def _usable(self, table: pd.DataFrame, key: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        values = table[self.label.name]
        records = pd.to_numeric(table["record"], errors="coerce").to_numpy(dtype="float64")
        truth, missing = self.label.truth(values)
        wrong = np.isnan(truth) & ~missing
        no_record = ~missing & ~wrong & ~(records >= 0)
        self.labels += len(table)
        self.missing += int(missing.sum())
        if wrong.any():
            first = values.to_numpy()[wrong.argmax()]
            self._add_bad(key, int(wrong.sum()), f"{self.label.name} {first!r} is not {self.label.allowed}")
        self._add_bad(key, int(no_record.sum()), "record must be the record's number in its request, from 0")
        usable = ~missing & ~wrong & ~no_record
        if usable.any():
            ids = table["id"].astype(str).to_numpy(dtype=object)[usable]
            yield record_keys(ids, records[usable].astype("int64")), truth[usable]


def new_files(data_uri: str, since: datetime) -> list[dict[str, Any]]:
    """Files of labels that were written since then, oldest first, as entries of ListObjectsV2."""
    files = [
        entry
        for entry in s3.below(f"{data_uri}/ground-truth/")
        if entry["LastModified"] >= since and s3.is_data(entry["Key"]) and not entry["Key"].endswith("/")
    ]
    return sorted(files, key=lambda entry: (entry["LastModified"], entry["Key"]))


def _describe(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)


def _parse(line: dict[str, Any], label: str) -> list[tuple[str, int, Any]]:
    """(id, record, label) of each record of a JSON line, in either form."""
    if "groundTruthData" not in line:
        id_name = next((name for name in ID_COLUMNS if name in line), "inference_id")
        return [(str(line[id_name]), int(line.get("record", 0)), line[label])]
    event, truth = line["eventMetadata"], line["groundTruthData"]
    identifier = event.get("inferenceId") or event["eventId"]
    if truth.get("encoding", "CSV").upper() == "JSON":
        content = json.loads(truth["data"]) if isinstance(truth["data"], str) else truth["data"]
        values = content if isinstance(content, list) else [content]
    else:
        values = str(truth["data"]).strip().split("\n")
    return [(str(identifier), record, value) for record, value in enumerate(values)]
