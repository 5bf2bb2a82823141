"""Raw columns: their types, and raw values brought into one canonical form, the same in training, serving and monitoring.

integer -> int64 where it may not be missing, else float64; number -> float64; boolean -> bool, or float64 where it may be
missing; string -> object with None; timestamp -> datetime64[ns, UTC]. So a row means the same whatever rows are around it,
and whether it came as text (CSV) or typed (parquet, JSON). An empty text is a missing value; in columns that are no strings
NA, NaN, null and None are, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

BOOLEANS: dict[str, float] = {"true": 1, "1": 1, "1.0": 1, "yes": 1, "false": 0, "0": 0, "0.0": 0, "no": 0}
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "\\n"})
EXACT = 2.0**53
"""From here on float64 skips integers, and serving could not tell neighbours apart."""


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
        return Column(name, seen_type(sample[name]))
    values = tuple(spec["values"]) if spec["values"] is not None else None
    return Column(
        name, spec["type"], spec["nullable"], spec["minimum"], spec["maximum"], values, spec["max_null_fraction"]
    )


def seen_type(values: pd.Series) -> str:
    """The type of typed values; a column without decimals in the first data may have some later: a number holds both."""
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind == "boolean":
        return "boolean"
    if kind.startswith("date"):
        return "timestamp"
    return "number" if kind in ("integer", "floating", "mixed-integer-float", "decimal") else "string"


def canonical(raw: pd.DataFrame, columns: list[Column]) -> tuple[pd.DataFrame, list[Problem]]:
    """The columns in canonical form, and what could not be brought into it (those values are missing in the result).

    Works on arrays: for the one row of most requests each operation of a pandas Series would take longer than all of this.
    """
    made: dict[str, pd.Series] = {}
    problems: list[Problem] = []
    for column in columns:
        given = _plain(raw[column.name])
        values, faults = _convert(given, column)
        wrong = np.zeros(len(given), dtype=bool)
        for mask, what in faults:
            wrong |= mask
            problems += [_problem(column.name, what, mask, given)] if mask.any() else []
        missing = pd.isna(values) & ~wrong
        if missing.any() and not column.nullable:
            problems.append(_problem(column.name, "are missing", missing, given))
        if wrong.any():
            values[wrong] = np.nan  # NaT in an array of times
        values = _finish(values, column)
        made[column.name] = pd.Series(values, index=raw.index, dtype=values.dtype)
    return pd.DataFrame(made, index=raw.index), problems


def violations(data: pd.DataFrame, columns: list[Column]) -> list[Problem]:
    """Values of canonical data outside the declared range or list."""
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


type Values = Any
"""One value a row: a numpy array, or an array of pandas' times."""
type Faults = list[tuple[np.ndarray, str]]


def _plain(values: pd.Series) -> Values:
    """Without the types that pandas and Arrow have for the same values."""
    if values.dtype.kind in "mM":  # numpy's times would lose pandas' words
        return values.array
    if isinstance(values.dtype, np.dtype):
        return values.to_numpy()
    return values.astype(object).where(values.notna(), None).to_numpy()


def _convert(values: Values, column: Column) -> tuple[Values, Faults]:
    """Values in the column's type, in an array of their own, and which were wrong in what way."""
    if column.type == "string":
        return _strings(values), []
    if values.dtype == object:
        values = _without_spellings(values)
    convert = {"timestamp": _timestamps, "boolean": _booleans}.get(column.type, _numbers)
    made = convert(values)
    faults: Faults = [(pd.isna(made) & pd.notna(values), f"are no {column.type}")]
    if column.numeric:
        faults.append((np.isinf(made), "are infinite"))
    if column.type == "integer":
        finite = np.isfinite(made)
        with np.errstate(invalid="ignore"):  # an infinity has no remainder
            faults += [
                ((made % 1 != 0) & finite, "are no integer"),
                (
                    (np.abs(made) >= EXACT) & finite,
                    "are integers beyond 2^53, which are not exact; declare the column as string",
                ),
            ]
    return made, faults


def _objects(values: list[Any]) -> np.ndarray:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def _without_spellings(values: np.ndarray) -> np.ndarray:
    """Missing where a text says so."""
    missing = pd.isna(values)
    return _objects(
        [
            None if gone or (isinstance(value, str) and value.strip().lower() in MISSING) else value
            for value, gone in zip(values, missing, strict=True)
        ]
    )


def _strings(values: Values) -> np.ndarray:
    made = _objects([None if gone else v for v, gone in zip(values.astype(object), pd.isna(values), strict=True)])
    if pd.api.types.infer_dtype(made, skipna=True) not in ("string", "empty"):
        made = _objects([value if value is None else _text(value) for value in made])
    made[made == ""] = None
    return made


def _text(value: Any) -> str:
    """Typed values as CSV has them: 1.0 was an integer before a missing value made its column one of floats."""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    return str(value)


def _timestamps(values: Values) -> Values:
    """Texts in ISO 8601, dates and times; without a zone they are UTC. Bare numbers say no unit, so they are none."""
    if pd.api.types.is_numeric_dtype(values):
        values = _objects([None] * len(values))
    made = pd.Series(pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601"))
    held = (made >= pd.Timestamp.min.tz_localize("UTC")) & (made <= pd.Timestamp.max.tz_localize("UTC"))
    return made.where(held).dt.as_unit("ns").array


def _booleans(values: Values) -> np.ndarray:
    if values.dtype == object:
        return np.array([BOOLEANS.get(str(value).strip().lower(), np.nan) for value in values], dtype="float64")
    made = _numbers(values)
    return np.where((made == 0) | (made == 1), made, np.nan)


def _numbers(values: Values) -> np.ndarray:
    if values.dtype != object:
        is_number = pd.api.types.is_numeric_dtype(values)
        return values.astype("float64") if is_number else np.full(len(values), np.nan)
    try:
        # Which are numbers; pandas itself rounds some texts to a neighbour of what they say, and JSON would not.
        readable = pd.notna(pd.to_numeric(values, errors="coerce"))
        made = np.full(len(values), np.nan)
        made[readable] = values[readable].astype("float64")
    except (OverflowError, ValueError, TypeError):
        return np.array([_number(value) for value in values], dtype="float64")
    return made


def _number(value: Any) -> float:
    try:
        return float("nan") if pd.isna(pd.to_numeric(value, errors="coerce")) else float(value)
    except (OverflowError, ValueError, TypeError):
        return float("nan")


def _finish(values: Values, column: Column) -> Values:
    """The dtype that the column always has. A missing value where there must be none is refused elsewhere."""
    if column.nullable or column.type not in ("integer", "boolean") or pd.isna(values).any():
        return values
    return values.astype("int64" if column.type == "integer" else bool)


def _problem(name: str, what: str, wrong: np.ndarray, values: Values) -> Problem:
    position = int(wrong.argmax())
    first = values[position]
    first = first.item() if isinstance(first, np.generic) else first  # people read 7, not np.int64(7)
    return Problem(name, what, int(wrong.sum()), first, position, wrong)
