"""The job prepare: ingests, analyses, validates, transforms and splits the raw data, one chunk of bounded size at a time.

Test rows are written raw, so that models with different features can be compared on the same rows.
"""

import hashlib
import json
import os
from collections import Counter
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from .. import facts, paths, project, table_files
from ..columns import Column, canonical, violations
from ..drift import profile, statistics_json
from ..failures import JobFailure
from ..s3 import S3Object
from . import ingest, raw_columns, row_wise, split
from .invalid_values import InvalidValues
from .parts import Writer
from .progress import Progress
from .raw_columns import RawColumns

MIN_ROWS = 100
SAMPLE_ROWS = 5_000
MAX_LABELS = 10_000
SHOWN_LABELS = 50


class Preparation:
    """Takes in the objects of one training, writes their parts, and checks the data as a whole at the end."""

    def __init__(self, model: project.Project) -> None:
        self.model, self.settings = model, model.settings
        self.columns: RawColumns | None = None
        self.progress, self.writer = Progress(), Writer()
        self.labels: Counter[Any] = Counter()
        self.baseline = profile.Builder({})
        self.rows = 0
        self._invalid = InvalidValues()
        self._nulls: Counter[str] = Counter()
        self._row_wise_checked = False

    def add(self, source: S3Object) -> dict[str, Any]:
        """Prepare one object; its entry in the manifest. Raises JobFailure."""
        rows, digest = 0, hashlib.sha256()
        chunks = table_files.chunks(source, self.settings["data"]["format"], digest)
        while True:
            with self.progress.phase("ingest"):
                chunk = next(chunks, None)
                if not rows:  # all bytes were read before the first chunk
                    ingest.check_content(source, digest.hexdigest())
            if chunk is None:
                return source.to_dict() | {"rows": rows, "sha256": digest.hexdigest()}
            self._add_chunk(chunk, source, rows)
            rows += len(chunk)
            self.rows += len(chunk)

    def _add_chunk(self, chunk: pd.DataFrame, source: S3Object, first_row: int) -> None:
        with self.progress.phase("validate"):
            columns = self._settle_columns(chunk, source)
            raw, label = self._validate(chunk, columns, source, first_row)
        if self._invalid:
            return  # the job fails at the end, with the problems of all chunks
        with self.progress.phase("analyse"):
            self.baseline.update(raw)
        with self.progress.phase("transform"):
            if not self._row_wise_checked:
                row_wise.check(self.model, raw)
                self._row_wise_checked = True
            features = self.model.features(raw)
        with self.progress.phase("split"):
            self._write(raw, features, label)

    def _settle_columns(self, chunk: pd.DataFrame, source: S3Object) -> RawColumns:
        if self.columns is None:
            self.columns = raw_columns.from_first_chunk(self.model, chunk, source)
            self.baseline = profile.Builder(self.columns.profiled)
        else:
            raw_columns.check_present(self.model, [column.name for column in self.columns.inputs], chunk, source)
        return self.columns

    def _validate(
        self, chunk: pd.DataFrame, columns: RawColumns, source: S3Object, first_row: int
    ) -> tuple[pd.DataFrame, pd.Series]:
        """The inputs and the label of a chunk in canonical form; invalid values, nulls and labels are counted."""
        raw, problems = canonical(chunk, columns.inputs)
        labels, label_problems = canonical(chunk, [columns.label])
        problems += label_problems + violations(raw, columns.inputs) + violations(labels, [columns.label])
        for problem in problems:
            self._invalid.add(problem, source, first_row)
        for name in raw:
            self._nulls[str(name)] += int(raw[name].isna().sum())
        label = labels[columns.label.name]
        if self.model.problem != "regression":
            self._count_labels(label)
        return raw, label

    def _count_labels(self, label: pd.Series) -> None:
        self.labels.update(label.dropna().tolist())
        if len(self.labels) > MAX_LABELS:
            raise JobFailure(
                f"label {self.model.label!r} has more than {MAX_LABELS} different values; is this a regression?"
            )

    def _write(self, raw: pd.DataFrame, features: pd.DataFrame, label: pd.Series) -> None:
        name, training = self.model.label, self.settings["training"]
        if name in features:
            raise JobFailure(f"model.py: features(raw) made a column {name!r}, which is the label's name")
        raw_and_label = raw.assign(**{name: label})
        part = split.assign(raw_and_label, training["seed"], training["validation_fraction"], training["test_fraction"])
        features_and_label = features.assign(**{name: label.to_numpy()})
        self.writer.write("train", features_and_label[part == 0])
        self.writer.write("validation", features_and_label[part == 1])
        self.writer.write("test", raw_and_label[part == 2])

    def finish(self) -> None:
        """Finish the files and check the data as a whole. Raises JobFailure."""
        self.writer.close()
        self._check_null_fractions()
        self._invalid.raise_if_any()
        if self.rows < MIN_ROWS:
            raise JobFailure(f"there are only {self.rows} rows; at least {MIN_ROWS} are needed to train and test")
        self._check_labels()
        self._check_parts()
        self.progress.results |= {
            "ingest": f"{self.rows} rows",
            "analyse": f"{len(self._inputs)} columns",
            "validate": "every value is as the schema says",
            "transform": "features(raw)",
            "split": ", ".join(f"{self.writer.rows[part]} {part}" for part in split.PARTS),
        }

    def _check_null_fractions(self) -> None:
        for column in self._inputs:
            nulls = self._nulls[column.name]
            fraction = nulls / max(1, self.rows)
            if fraction > column.max_null_fraction:
                what = f"are missing, {fraction:.1%} of all, more than {column.max_null_fraction:.1%}"
                self._invalid.add_total(column.name, what, nulls)

    def _check_labels(self) -> None:
        name, problem = self.model.label, self.model.problem
        if problem != "regression" and len(self.labels) < 2:
            raise JobFailure(f"label {name!r} has only the value {next(iter(self.labels))!r}; nothing can be learned")
        if problem == "binary_classification" and len(self.labels) > 2:
            raise JobFailure(f"label {name!r} has {len(self.labels)} values; binary_classification needs two")

    def _check_parts(self) -> None:
        if empty := [part for part in split.PARTS if not self.writer.rows[part]]:
            raise JobFailure(
                f"none of the {self.rows} rows fell into the part {empty[0]!r}: equal rows stay together, and too few "
                "of them differ"
            )

    @property
    def _inputs(self) -> list[Column]:
        return self.columns.inputs if self.columns else []

    def report(self, objects: list[S3Object], digests: dict[str, str]) -> dict[str, Any]:
        """report.json; `digests`: data_digest and content_digest."""
        return {
            **digests,
            "rows": self.rows,
            "partitions": sorted({each.partition for each in objects}),
            "parts": dict(self.writer.rows),
            "labels": {str(value): count for value, count in self.labels.most_common(SHOWN_LABELS)},
            "phases": self.progress.report(),
        }

    def write_baseline(self) -> None:
        """Write the output `baseline`: profile, sample, statistics, constraints and columns of the raw data."""
        folder = paths.processing_output("baseline")
        reference = self.baseline.build()
        (folder / "profile.json").write_text(json.dumps(reference.to_dict()))
        if (sample := self.baseline.rows(SAMPLE_ROWS)) is not None:
            pq.write_table(sample, folder / "sample.parquet")
        columns = [column.to_dict() for column in self._inputs]
        files = {
            "statistics.json": statistics_json.statistics(reference),
            "constraints.json": statistics_json.constraints(reference, self._inputs),
            "columns.json": {"columns": columns, "label": self.model.label},
        }
        for name, content in files.items():
            (folder / name).write_text(json.dumps(content, indent=1))


def run() -> None:
    """Run the job. Raises JobFailure."""
    model = project.load()
    raw_uri = f"{os.environ['DATA_URI']}/raw/"
    preparation = Preparation(model)
    with preparation.progress.phase("ingest"):
        objects = ingest.choose(raw_uri, model.settings["retrain"]["window"], os.environ.get("DATA_MANIFEST", ""))
        ingest.announce(objects)
    manifest = []
    for source in objects:
        manifest.append(preparation.add(source))
        print(f"ingest    {source.short}: {manifest[-1]['rows']} rows", flush=True)
    preparation.finish()
    for phase in preparation.progress.report():
        print(f"{phase['name']:<9} {phase['seconds']:.2f} s  {phase['result']}", flush=True)
    digests = {
        "data_digest": ingest.digest(objects),
        "content_digest": ingest.content_digest(entry["sha256"] for entry in manifest),
    }
    folder = paths.processing_output("report")
    (folder / "manifest.json").write_text(json.dumps({**digests, "objects": manifest}, indent=1))
    (folder / "report.json").write_text(json.dumps(preparation.report(objects, digests), indent=1))
    preparation.write_baseline()
    facts.write(folder, facts.of_run("prepare", int(model.settings["training"]["seed"])))
