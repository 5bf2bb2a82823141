"""Prepare: ingest, analyse, validate, transform and split the raw data, one bounded chunk at a time.

Test rows are kept raw, so that models with different features can be compared on the same rows.
"""

import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from .. import csv_text, paths, project, table_files
from ..columns import Column, Problem, canonical, declared, label_column, violations
from ..drift import profile, statistics_json
from ..failures import JobFailure
from ..s3 import S3Object
from . import ingest, row_wise, split
from .parts import Writer

MIN_ROWS = 100
SAMPLE_ROWS = 5_000
MAX_PROBLEMS = 10
MAX_LABELS = 10_000


@dataclass
class Progress:
    """Seconds and result of each phase; they interleave, so each adds up its own time."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    results: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time of a block to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - started

    def report(self) -> list[dict[str, Any]]:
        """Phases for report.json, in their order."""
        names = ("ingest", "analyse", "validate", "transform", "split")
        return [{"name": n, "seconds": round(self.seconds[n], 3), "result": self.results.get(n, "")} for n in names]


class Preparation:
    """One run over the data."""

    def __init__(self, model: project.Project) -> None:
        self.model, self.settings = model, model.settings
        self.columns: list[Column] = []
        self.label = Column(model.label)
        self.progress, self.writer = Progress(), Writer()
        self.labels: Counter[Any] = Counter()
        self.problems: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], str] = {}
        self.nulls: Counter[str] = Counter()
        self.baseline = profile.Builder({})
        self.rows = 0
        self._checked_row_wise = False

    def add(self, found: S3Object) -> int:
        """Take in one object; its rows."""
        rows = 0
        stream = table_files.chunks(found, self.settings["data"]["format"])
        while True:
            with self.progress.phase("ingest"):
                chunk = next(stream, None)
            if chunk is None:
                return rows
            self._chunk(chunk, found, rows)
            rows += len(chunk)
            self.rows += len(chunk)

    def _chunk(self, chunk: pd.DataFrame, found: S3Object, first_row: int) -> None:
        with self.progress.phase("validate"):
            raw, label = self._valid(chunk, found, first_row)
        if self.problems:
            return  # the run fails in the end, with all there is to say
        with self.progress.phase("analyse"):
            self.baseline.update(raw)
        with self.progress.phase("transform"):
            if not self._checked_row_wise:
                row_wise.check(self.model, raw)
                self._checked_row_wise = True
            features = self.model.features(raw)
        with self.progress.phase("split"):
            self._write(raw, features, label)

    def _valid(self, chunk: pd.DataFrame, found: S3Object, first_row: int) -> tuple[pd.DataFrame, pd.Series]:
        """Canonical inputs and label of a chunk; what is wrong with it is noted."""
        self._columns_of(chunk, found)
        raw, problems = canonical(chunk, self.columns)
        labels, label_problems = canonical(chunk, [self.label])
        problems += label_problems + violations(raw, self.columns) + violations(labels, [self.label])
        for problem in problems:
            self._note(problem, found, first_row)
        for name in raw:
            self.nulls[str(name)] += int(raw[name].isna().sum())
        if self.model.problem != "regression":
            self.labels.update(labels[self.label.name].dropna().tolist())
            if len(self.labels) > MAX_LABELS:
                many = f"label {self.model.label!r} has more than {MAX_LABELS} different values"
                raise JobFailure(f"{many}; is this a regression?")
        return raw, labels[self.label.name]

    def _columns_of(self, chunk: pd.DataFrame, found: S3Object) -> None:
        """Settle the columns with the first chunk; every file must have them. Raises JobFailure."""
        names = [str(name) for name in chunk.columns]
        label = self.model.label
        wanted = [c.name for c in self.columns] or list(self.settings["data"].get("schema", {}))
        missing = [name for name in [label, *wanted] if name not in names]
        if label in missing:
            raise JobFailure(f"{found.short}: label {label!r} is not in the data; the columns are {', '.join(names)}")
        if missing:
            raise JobFailure(
                f"{found.short}: column {', '.join(map(repr, missing))} is missing; it has {', '.join(names)}"
            )
        if not self.columns:
            typed = csv_text.guessed(chunk) if self.settings["data"]["format"] == "csv" else chunk
            self.columns = declared(self.settings, names, typed)
            self.label = label_column(self.settings, typed)
            if not self.columns:
                raise JobFailure(f"{found.short}: there is no column beside the label {label!r} and those left out")
            if self.model.problem == "regression" and not self.label.numeric:
                raise JobFailure(f"label {label!r} holds values of type {self.label.type}; regression needs numbers")
            self.baseline = profile.Builder({c.name: c.type for c in self.columns if c.type != "timestamp"})

    def _note(self, problem: Problem, found: S3Object, first_row: int) -> None:
        key = (problem.column, problem.what)
        self.problems[key] += problem.count
        self.examples.setdefault(key, f"first {problem.first!r} in {found.short}, row {first_row + problem.row + 1}")

    def _write(self, raw: pd.DataFrame, features: pd.DataFrame, label: pd.Series) -> None:
        if self.model.label in features:
            raise JobFailure(f"model.py: features(raw) made a column {self.model.label!r}, which is the label's name")
        training = self.settings["training"]
        keyed = raw.assign(**{self.model.label: label})
        part = split.assign(keyed, training["seed"], training["validation_fraction"], training["test_fraction"])
        table = features.assign(**{self.model.label: label.to_numpy()})
        self.writer.write("train", table[part == 0])
        self.writer.write("validation", table[part == 1])
        self.writer.write("test", keyed[part == 2])

    def finish(self) -> None:
        """Say what is wrong with the data as a whole. Raises JobFailure."""
        self.writer.close()
        for column in self.columns:
            share = self.nulls[column.name] / max(1, self.rows)
            if share > column.max_null_fraction:
                key = (column.name, f"are missing, {share:.1%} of all, more than {column.max_null_fraction:.1%}")
                self.problems[key] = self.nulls[column.name]
        if self.problems:
            listed = [
                f"{name}: {n} values {what} ({self.examples.get((name, what), 'in all')})"
                for (name, what), n in self.problems.most_common(MAX_PROBLEMS)
            ]
            raise JobFailure("the data breaks its schema: " + "; ".join(listed))
        if self.rows < MIN_ROWS:
            raise JobFailure(f"there are only {self.rows} rows; at least {MIN_ROWS} are needed to train and test")
        if self.model.problem != "regression" and len(self.labels) < 2:
            raise JobFailure(
                f"label {self.model.label!r} has only the value {next(iter(self.labels))!r}; nothing can be learned"
            )
        if self.model.problem == "binary_classification" and len(self.labels) > 2:
            raise JobFailure(
                f"label {self.model.label!r} has {len(self.labels)} values; binary_classification needs two"
            )
        if empty := [part for part in split.PARTS if not self.writer.rows[part]]:
            raise JobFailure(
                f"none of the {self.rows} rows fell into the part {empty[0]!r}: equal rows stay together, and too few "
                "of them differ"
            )
        results = self.progress.results
        results["ingest"] = f"{self.rows} rows"
        results["analyse"] = f"{len(self.columns)} columns"
        results["validate"] = "every value is as the schema says"
        results["transform"] = "features(raw)"
        results["split"] = ", ".join(f"{self.writer.rows[part]} {part}" for part in split.PARTS)


def run() -> None:
    """The job. Raises JobFailure."""
    model = project.load()
    raw_uri = f"{os.environ['DATA_URI']}/raw/"
    preparation = Preparation(model)
    with preparation.progress.phase("ingest"):
        objects = ingest.choose(raw_uri, model.settings["retrain"]["window"], os.environ.get("DATA_MANIFEST", ""))
    counted = []
    for found in objects:
        counted.append(found.to_dict() | {"rows": preparation.add(found)})
        print(f"ingest    {found.short}: {counted[-1]['rows']} rows", flush=True)
    preparation.finish()
    for phase in preparation.progress.report():
        print(f"{phase['name']:<9} {phase['seconds']:.2f} s  {phase['result']}", flush=True)
    _write_results(preparation, objects, counted)


def _write_results(preparation: Preparation, objects: list[S3Object], counted: list[dict[str, Any]]) -> None:
    report, baseline = paths.processing_output("report"), paths.processing_output("baseline")
    digest = ingest.digest(objects)
    (report / "manifest.json").write_text(json.dumps({"data_digest": digest, "objects": counted}, indent=1))
    content = {
        "data_digest": digest,
        "rows": preparation.rows,
        "partitions": sorted({found.partition for found in objects}),
        "parts": dict(preparation.writer.rows),
        "labels": {str(value): count for value, count in preparation.labels.most_common(50)},
        "phases": preparation.progress.report(),
    }
    (report / "report.json").write_text(json.dumps(content, indent=1))
    made = preparation.baseline.build()
    (baseline / "profile.json").write_text(json.dumps(made.to_dict()))
    if (sample := preparation.baseline.rows(SAMPLE_ROWS)) is not None:
        pq.write_table(sample, baseline / "sample.parquet")
    (baseline / "statistics.json").write_text(json.dumps(statistics_json.statistics(made), indent=1))
    (baseline / "constraints.json").write_text(
        json.dumps(statistics_json.constraints(made, preparation.columns), indent=1)
    )
    columns = [column.to_dict() for column in preparation.columns]
    (baseline / "columns.json").write_text(json.dumps({"columns": columns, "label": preparation.model.label}, indent=1))
