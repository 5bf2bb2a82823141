"""The raw columns of a training: the first chunk decides them, and every later file must have them."""

from dataclasses import dataclass

import pandas as pd

from .. import csv_text
from ..columns import Column, declared, label_column
from ..failures import JobFailure
from ..project import Project
from ..s3 import S3Object


@dataclass(frozen=True)
class RawColumns:
    """The input columns in the order of the data, and the label's."""

    inputs: list[Column]
    label: Column

    @property
    def profiled(self) -> dict[str, str]:
        """Types of the columns that the baseline profiles: all inputs but timestamps."""
        return {column.name: column.type for column in self.inputs if column.type != "timestamp"}


def from_first_chunk(model: Project, chunk: pd.DataFrame, source: S3Object) -> RawColumns:
    """Columns with the types that the schema declares; those without one get the type of the chunk. Raises JobFailure."""
    check_present(model, list(model.settings["data"].get("schema", {})), chunk, source)
    typed = csv_text.guessed(chunk) if model.settings["data"]["format"] == "csv" else chunk
    inputs = declared(model.settings, [str(name) for name in chunk.columns], typed)
    label = label_column(model.settings, typed)
    if not inputs:
        raise JobFailure(f"{source.short}: there is no column beside the label {label.name!r} and those left out")
    if model.problem == "regression" and not label.numeric:
        raise JobFailure(f"label {label.name!r} holds values of type {label.type}; regression needs numbers")
    return RawColumns(inputs, label)


def check_present(model: Project, names: list[str], chunk: pd.DataFrame, source: S3Object) -> None:
    """Raise JobFailure when the chunk does not have the label or one of the columns `names`."""
    present = [str(name) for name in chunk.columns]
    if model.label not in present:
        columns = ", ".join(present)
        raise JobFailure(f"{source.short}: label {model.label!r} is not in the data; the columns are {columns}")
    missing = [name for name in names if name not in present]
    if missing:
        raise JobFailure(
            f"{source.short}: column {', '.join(map(repr, missing))} is missing; it has {', '.join(present)}"
        )
