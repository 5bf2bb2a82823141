"""Raw columns: their types, and raw values brought into one canonical form, the same in training, serving and monitoring.

integer -> int64 where it may not be missing, else float64; number -> float64; boolean -> bool, or float64 where it may be
missing; string -> object with None; timestamp -> datetime64[ns, UTC]. So a row means the same whatever rows are around it.
"""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

TRUE, FALSE = ("true", "1", "1.0", "yes"), ("false", "0", "0.0", "no")


@dataclass(frozen=True)
class Column:
    """One raw column, as declared in model.yaml or seen in the first data."""

    name: str
    type: str = "string"
    nullable: bool = True
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[Any, ...] | None = None
    max_null_fraction: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Name, type and nullability: what serving needs."""
        return {"name": self.name, "type": self.type, "nullable": self.nullable}

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.type in ("integer", "number", "boolean")


@dataclass
class Problem:
    """Values of a column that are not as they must be; `first` is the first of them, `row` where it stands (from 0)."""

    column: str
    what: str
    count: int
    first: Any = None
    row: int = 0
    rows: Any = field(default=None, repr=False, compare=False)


def declared(settings: dict[str, Any], names: list[str], sample: pd.DataFrame) -> list[Column]:
    """The input columns among `names` (not label, time or ignored ones), typed by the schema or else by the sample."""
    data = settings["data"]
    left_out = {data["label"], data.get("time_column"), *data.get("ignore", [])}
    schema = data.get("schema", {})
    return [_column(name, schema.get(name), sample) for name in names if name not in left_out]


def label_column(settings: dict[str, Any], sample: pd.DataFrame) -> Column:
    """The label's column; it may never be missing."""
    name = settings["data"]["label"]
    found = _column(name, settings["data"].get("schema", {}).get(name), sample)
    return Column(name, found.type, nullable=False, values=found.values, minimum=found.minimum, maximum=found.maximum)


def _column(name: str, spec: dict[str, Any] | None, sample: pd.DataFrame) -> Column:
    if spec is None:
        return Column(name, _seen_type(sample[name]))
    return Column(
        name,
        spec["type"],
        spec["nullable"],
        spec["minimum"],
        spec["maximum"],
        tuple(spec["values"]) if spec["values"] is not None else None,
        spec["max_null_fraction"],
    )


def _seen_type(values: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(values):
        return "boolean"
    if pd.api.types.is_datetime64_any_dtype(values):
        return "timestamp"
    # A column without decimals in the first data may have some later: a number holds both.
    return "number" if pd.api.types.is_numeric_dtype(values) else "string"


def canonical(raw: pd.DataFrame, columns: list[Column]) -> tuple[pd.DataFrame, list[Problem]]:
    """The columns in canonical form, and what could not be brought into it (those values are missing in the result)."""
    made: dict[str, pd.Series] = {}
    problems: list[Problem] = []
    for column in columns:
        values, wrong = _convert(raw[column.name], column)
        if wrong.any():
            problems.append(_problem(column.name, f"are no {column.type}", wrong, raw[column.name]))
        missing = values.isna() & ~wrong
        if missing.any() and not column.nullable:
            problems.append(_problem(column.name, "are missing", missing, raw[column.name]))
        made[column.name] = _finish(values, column)
    return pd.DataFrame(made, index=raw.index), problems


def violations(data: pd.DataFrame, columns: list[Column]) -> list[Problem]:
    """Values of canonical data outside the declared range or list."""
    problems: list[Problem] = []
    for column in columns:
        values = data[column.name]
        checks = []
        if column.minimum is not None:
            checks.append((values < column.minimum, f"are below the minimum {column.minimum:g}"))
        if column.maximum is not None:
            checks.append((values > column.maximum, f"are above the maximum {column.maximum:g}"))
        if column.values is not None:
            allowed = [float(v) for v in column.values] if column.numeric else [str(v) for v in column.values]
            outside = ~values.isin(allowed) & values.notna()
            checks.append((outside, f"are not one of {', '.join(map(str, column.values[:8]))}"))
        problems += [_problem(column.name, what, wrong, values) for wrong, what in checks if wrong.any()]
    return problems


def _convert(values: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    """Values in the column's type with wrong ones missing, and which were wrong."""
    none = values.isna()
    if column.type == "string":
        return _texts(values, none), none & False
    if column.type == "timestamp":
        made = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")
        return made, made.isna() & ~none
    if column.type == "boolean" and values.dtype == object:
        text = values.astype(str).str.lower()
        made = text.map(dict.fromkeys(TRUE, 1.0) | dict.fromkeys(FALSE, 0.0))
        return made, made.isna() & ~none
    made = pd.to_numeric(values, errors="coerce").astype("float64")
    wrong = made.isna() & ~none
    if column.type == "integer":
        wrong |= (made % 1 != 0) & made.notna()
    return made.mask(wrong), wrong


def _finish(values: pd.Series, column: Column) -> pd.Series:
    """The dtype that the column always has. A missing value where there must be none is refused elsewhere."""
    if column.type == "integer" and not column.nullable and values.notna().all():
        return values.astype("int64")
    if column.type == "boolean" and not column.nullable and values.notna().all():
        return values.astype(bool)
    return values


def _texts(values: pd.Series, none: pd.Series) -> pd.Series:
    made = values.astype(object).where(~none, None)
    if pd.api.types.infer_dtype(made, skipna=True) in ("string", "empty"):
        return made
    return made.map(lambda v: v if v is None else _text(v))


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _problem(name: str, what: str, wrong: pd.Series, values: pd.Series) -> Problem:
    position = int(wrong.to_numpy().argmax())
    return Problem(name, what, int(wrong.sum()), values.iloc[position], position, wrong.to_numpy())
