"""Raw columns: their types, and the conversion of raw values into one canonical form for training, serving and monitoring.

integer -> int64 where it may not be missing, else float64; number -> float64; boolean -> bool, or float64 where it may be
missing; string -> object with None; timestamp -> datetime64[ns, UTC]. A value therefore depends neither on other
rows nor on its source: text (CSV) or typed (parquet, JSON). An empty string is a missing value; in columns of other types than
string, NA, NaN, null and None are missing, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

BOOLEANS: dict[str, float] = {"true": 1, "1": 1, "1.0": 1, "yes": 1, "false": 0, "0": 0, "0.0": 0, "no": 0}
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "\\n"})
EXACT = 2.0**53
"""From here on float64 cannot represent every integer, so different values would become equal."""


@dataclass(frozen=True)
class Column:
    """One raw column, as declared in model.yaml, or with the type of the first data."""

    name: str
    type: str = "string"
    nullable: bool = True
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[Any, ...] | None = None
    max_null_fraction: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """As columns.json and serving.json have it: name, type, nullability, and what the schema declares of its values."""
        declared = {"minimum": self.minimum, "maximum": self.maximum, "values": self.values}
        return {"name": self.name, "type": self.type, "nullable": self.nullable} | {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in declared.items()
            if value is not None
        }

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.type in ("integer", "number", "boolean")


@dataclass
class Problem:
    """Invalid values of a column. `first`: the first one; `row`: its row, from 0; `rows`: a mask of all of them."""

    column: str
    what: str
    count: int
    first: Any = None
    row: int = 0
    rows: Any = field(default=None, repr=False, compare=False)


def declared(settings: dict[str, Any], names: list[str], sample: pd.DataFrame) -> list[Column]:
    """The input columns among `names` (all but label, time and ignored ones), with types of the schema or else of the sample."""
    data = settings["data"]
    left_out = {data["label"], data.get("time_column"), *data.get("ignore", [])}
    schema = data.get("schema", {})
    return [_column(name, schema.get(name), sample) for name in names if name not in left_out]


def label_column(settings: dict[str, Any], sample: pd.DataFrame) -> Column:
    """The label's column, which is never nullable."""
    name = settings["data"]["label"]
    column = _column(name, settings["data"].get("schema", {}).get(name), sample)
    return Column(
        name, column.type, nullable=False, values=column.values, minimum=column.minimum, maximum=column.maximum
    )


def _column(name: str, spec: dict[str, Any] | None, sample: pd.DataFrame) -> Column:
    if spec is None:
        return Column(name, seen_type(sample[name]))
    values = tuple(spec["values"]) if spec["values"] is not None else None
    return Column(
        name, spec["type"], spec["nullable"], spec["minimum"], spec["maximum"], values, spec["max_null_fraction"]
    )


def seen_type(values: pd.Series) -> str:
    """The column type of typed values. Integers become `number`, because later data may have decimals."""
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind == "boolean":
        return "boolean"
    if kind.startswith("date"):
        return "timestamp"
    return "number" if kind in ("integer", "floating", "mixed-integer-float", "decimal") else "string"


def canonical(raw: pd.DataFrame, columns: list[Column]) -> tuple[pd.DataFrame, list[Problem]]:
    """The columns in canonical form, and the values that could not be converted, which are missing in the result.

    Works on arrays: most requests have one row, for which each operation on a pandas Series takes longer than all of this.
    """
    converted: dict[str, pd.Series] = {}
    problems: list[Problem] = []
    for column in columns:
        raw_values = _plain(raw[column.name])
        values, faults = _convert(raw_values, column)
        wrong = np.zeros(len(raw_values), dtype=bool)
        for mask, what in faults:
            wrong |= mask
            problems += [_problem(column.name, what, mask, raw_values)] if mask.any() else []
        missing = pd.isna(values) & ~wrong
        if missing.any() and not column.nullable:
            problems.append(_problem(column.name, "are missing", missing, raw_values))
        if wrong.any():
            values[wrong] = np.nan  # NaT in an array of times
        values = _finish(values, column)
        converted[column.name] = pd.Series(values, index=raw.index, dtype=values.dtype)
    return pd.DataFrame(converted, index=raw.index), problems


def violations(data: pd.DataFrame, columns: list[Column]) -> list[Problem]:
    """Values of canonical data outside of the declared range or list."""
    return [problem for column in columns for problem in _outside(data[column.name], column)]


def _outside(values: pd.Series, column: Column) -> Iterator[Problem]:
    if column.minimum is not None and (wrong := values < column.minimum).any():
        yield _problem(column.name, f"are below the minimum {column.minimum:g}", wrong.to_numpy(), values.to_numpy())
    if column.maximum is not None and (wrong := values > column.maximum).any():
        yield _problem(column.name, f"are above the maximum {column.maximum:g}", wrong.to_numpy(), values.to_numpy())
    if column.values is not None:
        allowed, _ = _convert(pd.Series(list(column.values), dtype=object).to_numpy(), column)
        wrong = ~values.isin(allowed[pd.notna(allowed)].tolist()) & values.notna()
        if wrong.any():
            what = f"are not one of {', '.join(map(str, column.values[:8]))}"
            yield _problem(column.name, what, wrong.to_numpy(), values.to_numpy())


Values: TypeAlias = Any
"""One value a row: a numpy array, or an array of pandas' times."""
Faults: TypeAlias = list[tuple[np.ndarray, str]]


def _plain(values: pd.Series) -> Values:
    """As a numpy array or pandas' array of times, without the extension types of pandas and Arrow."""
    if values.dtype.kind in "mM":  # numpy's times would lose pandas' timezone
        return values.array
    if isinstance(values.dtype, np.dtype):
        return values.to_numpy()
    return values.astype(object).where(values.notna(), None).to_numpy()


def _convert(values: Values, column: Column) -> tuple[Values, Faults]:
    """A new array of the values in the column's type, and masks of the invalid ones, each with its description."""
    if column.type == "string":
        return _strings(values), []
    if values.dtype == object:
        values = _without_missing_words(values)
    convert = {"timestamp": _timestamps, "boolean": _booleans}.get(column.type, _numbers)
    converted = convert(values)
    faults: Faults = [(pd.isna(converted) & pd.notna(values), f"are no {column.type}")]
    if column.numeric:
        faults.append((np.isinf(converted), "are infinite"))
    if column.type == "integer":
        finite = np.isfinite(converted)
        with np.errstate(invalid="ignore"):  # an infinity has no remainder
            faults += [
                ((converted % 1 != 0) & finite, "are no integer"),
                (
                    (np.abs(converted) >= EXACT) & finite,
                    "are integers beyond 2^53, which are not exact; declare the column as string",
                ),
            ]
    return converted, faults


def _objects(values: list[Any]) -> np.ndarray:
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects


def _without_missing_words(values: np.ndarray) -> np.ndarray:
    """Strings that mean a missing value become None."""
    missing = pd.isna(values)
    return _objects(
        [
            None if is_missing or (isinstance(value, str) and value.strip().lower() in MISSING) else value
            for value, is_missing in zip(values, missing, strict=True)
        ]
    )


def _strings(values: Values) -> np.ndarray:
    strings = _objects(
        [None if missing else v for v, missing in zip(values.astype(object), pd.isna(values), strict=True)]
    )
    if pd.api.types.infer_dtype(strings, skipna=True) not in ("string", "empty"):
        strings = _objects([value if value is None else as_text(value) for value in strings])
    strings[strings == ""] = None
    return strings


def as_text(value: Any) -> str:
    """A typed value as CSV has it. 1.0 becomes '1': a missing value in an integer column makes floats of the others."""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    return str(value)


def _timestamps(values: Values) -> Values:
    """Dates and times in ISO 8601, UTC without a timezone. Numbers are invalid, because they have no unit."""
    if pd.api.types.is_numeric_dtype(values):
        values = _objects([None] * len(values))
    times = pd.Series(pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601"))
    in_range = (times >= pd.Timestamp.min.tz_localize("UTC")) & (times <= pd.Timestamp.max.tz_localize("UTC"))
    return times.where(in_range).dt.as_unit("ns").array


def _booleans(values: Values) -> np.ndarray:
    if values.dtype == object:
        return np.array([BOOLEANS.get(str(value).strip().lower(), np.nan) for value in values], dtype="float64")
    numbers = _numbers(values)
    return np.where((numbers == 0) | (numbers == 1), numbers, np.nan)


def _numbers(values: Values) -> np.ndarray:
    if values.dtype != object:
        is_number = pd.api.types.is_numeric_dtype(values)
        return values.astype("float64") if is_number else np.full(len(values), np.nan)
    try:
        # pandas only says which are numbers: it rounds some strings to a neighbouring float, and JSON does not.
        readable = pd.notna(pd.to_numeric(values, errors="coerce"))
        numbers = np.full(len(values), np.nan)
        numbers[readable] = values[readable].astype("float64")
    except (OverflowError, ValueError, TypeError):
        return np.array([_number(value) for value in values], dtype="float64")
    return numbers


def _number(value: Any) -> float:
    try:
        return float("nan") if pd.isna(pd.to_numeric(value, errors="coerce")) else float(value)
    except (OverflowError, ValueError, TypeError):
        return float("nan")


def _finish(values: Values, column: Column) -> Values:
    """The column's dtype; with missing values in a column that is not nullable it stays float64, and a Problem reports them."""
    if column.nullable or column.type not in ("integer", "boolean") or pd.isna(values).any():
        return values
    return values.astype("int64" if column.type == "integer" else bool)


def _problem(name: str, what: str, wrong: np.ndarray, values: Values) -> Problem:
    position = int(wrong.argmax())
    first = values[position]
    first = first.item() if isinstance(first, np.generic) else first  # a message should say 7, not np.int64(7)
    return Problem(name, what, int(wrong.sum()), first, position, wrong)
