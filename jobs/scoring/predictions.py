"""The table of predictions of one object, and the file that it is written to, batch by batch.

Columns: the object's time and ignored columns as they are, `inference_id`, `prediction`, `model_version`, and where they are
asked for `label` and `score_<class>`. `prediction` is the number of a regression, the score of the positive class, or of several
classes the most probable one.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..columns import as_text
from ..failures import JobFailure
from ..metrics import THRESHOLD
from .context import Context
from .version import Artifact, Version

OWN = ("inference_id", "prediction", "model_version", "label")


def inference_ids(kept: pa.Table, id_column: str | None, identity: str, first_row: int) -> list[str]:
    """The id of each row, which labels refer to: the value of `id_column`, or the object's identity and the row's number.

    Raises JobFailure when the column or a value is missing.
    """
    if id_column is None:
        return [f"{identity}-{row}" for row in range(first_row, first_row + len(kept))]
    if id_column not in kept.column_names:
        raise JobFailure(f"it has no column {id_column!r}, which is serving.batch.id_column")
    values = kept.column(id_column).to_pylist()
    missing = next((row for row, value in enumerate(values, first_row + 1) if value is None or value == ""), None)
    if missing is not None:
        raise JobFailure(f"column {id_column!r}, which is serving.batch.id_column, has no value in row {missing}")
    return [as_text(value) for value in values]


def table(
    kept: pa.Table, ids: list[str], scores: np.ndarray, version: Version, artifact: Artifact, *, labels: bool
) -> pa.Table:
    """The predictions of a batch; `scores` are (rows,) or (rows x classes). Raises JobFailure for columns with a name of ours."""
    classes, several = artifact.classes, scores.ndim == 2
    names = [f"score_{each}" for each in classes]
    if taken := next((name for name in kept.column_names if name in (*OWN, *names)), None):
        raise JobFailure(f"its column {taken!r} has the name of a column of predictions; name it otherwise")
    columns: dict[str, Any] = dict(zip(kept.column_names, kept.columns, strict=True))
    columns["inference_id"] = pa.array(ids, pa.string())
    chosen = scores.argmax(axis=1) if several else (scores >= THRESHOLD).astype(int)
    label = [classes[index] for index in chosen.tolist()] if classes else []
    columns["prediction"] = pa.array(label) if several else pa.array(scores, pa.float64())
    columns["model_version"] = pa.array(np.full(len(scores), version.number), pa.int32())
    if classes and (several or labels):
        by_class = scores if several else np.column_stack([1 - scores, scores])
        if not several:
            columns["label"] = pa.array(label)
        columns |= {name: pa.array(by_class[:, index]) for index, name in enumerate(names)}
    return pa.table(columns)


class Writer:
    """A file of predictions in the format of `serving.batch.format`. `rows`: how many were written."""

    def __init__(self, path: Path, data_format: str, metadata: Callable[[], dict[str, str]]) -> None:
        self.path, self.rows, self._format, self._metadata = path, 0, data_format, metadata
        self._schema: pa.Schema | None = None
        self._parquet: pq.ParquetWriter | None = None
        self._text: Any = None

    def add(self, predictions: pa.Table) -> None:
        """Write a batch. Raises JobFailure when its columns are not those of the first one."""
        schema = self._schema or self._open(predictions.schema)
        try:
            predictions = predictions.cast(schema)
        except (pa.ArrowException, ValueError) as error:
            raise JobFailure(f"its columns have other types in row {self.rows + 1} than before: {error}") from None
        self.rows += len(predictions)
        if self._parquet:
            self._parquet.write_table(predictions)
        elif self._format == "csv":
            predictions.to_pandas(integer_object_nulls=True).to_csv(self._text, index=False, header=False)
        else:
            self._text.writelines(f"{json.dumps(row, default=str)}\n" for row in predictions.to_pylist())

    def close(self) -> None:
        """Complete the file."""
        for each in (self._parquet, self._text):
            if each:
                each.close()

    def _open(self, first: pa.Schema) -> pa.Schema:
        # A column without a value in the first batch has no type.
        fields = [field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in first]
        self._schema = schema = pa.schema(fields)
        if self._format == "parquet":
            described = {f"model-factory:{name}": value for name, value in self._metadata().items()}
            self._parquet = pq.ParquetWriter(self.path, schema.with_metadata(described), compression="zstd")
            return schema
        self._text = self.path.open("w", newline="", encoding="utf-8")
        if self._format == "csv":
            pa.table({name: [] for name in schema.names}).to_pandas().to_csv(self._text, index=False)
        return schema


def kept_columns(context: Context) -> list[str]:
    """Columns of the raw data that are neither features nor label."""
    data = context.settings["data"]
    return [*data["ignore"], *filter(None, [data.get("time_column")])]
