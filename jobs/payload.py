"""Bodies of requests, read the same way in serving and in monitoring."""

import io
import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import chain
from operator import itemgetter
from typing import Any, NoReturn

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from . import csv_text, plain_values
from .columns import Column, Problem, canonical
from .content_types import CSV, JSON, JSON_LINES, PARQUET, BadRequest, media_type

__all__ = ["BadRequest", "columns_of", "parse", "rows", "typed", "why_bad"]

KINDS = (CSV, JSON, JSON_LINES, PARQUET)
MAX_SHOWN = 100
MAX_VALUES = 5_000_000
"""Values of a body that has more of them than bytes: Parquet is compressed, and JSON may leave out what is missing."""


def columns_of(described: list[dict[str, Any]]) -> list[Column]:
    """Columns from `columns` of serving.json or columns.json."""
    return [
        Column(
            entry["name"],
            entry["type"],
            entry.get("nullable", True),
            entry.get("minimum"),
            entry.get("maximum"),
            tuple(entry["values"]) if entry.get("values") is not None else None,
        )
        for entry in described
    ]


def parse(body: bytes | str, content_type: str, columns: list[Column]) -> pd.DataFrame:
    """The rows of a request body in canonical form. Raises BadRequest with row and column."""
    if media_type(content_type) == (CSV, {}) and isinstance(body, str):
        plain = plain_values.csv_table(body, columns)
        if plain is not None:
            return plain
    data, problems = typed(rows(body, content_type, columns), columns)
    if problems:
        raise BadRequest(why_bad(problems))
    return data


def rows(body: bytes | str, content_type: str, columns: list[Column]) -> list[Sequence[Any]]:
    """The untyped values of a request body, a list per row, at least one row. Raises BadRequest.

    Parquet, and CSV with the parameter `header=present`, may have columns that the model does not take, in any order: a file of
    training data can be sent as it is.
    """
    kind, parameters = media_type(content_type)
    if kind not in KINDS:
        raise BadRequest(f"content type {content_type!r} is not known; send {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    names = [column.name for column in columns]
    if kind == PARQUET:
        return _parquet(body, names)
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes) else body.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8: {error}") from None
    if not text.strip():
        raise BadRequest("the body is empty; send at least one row")
    if kind == CSV:
        return _csv(text, names, parameters.get("header") == "present")
    return _instances(_json_lines(text) if kind == JSON_LINES else _json(text), columns, len(text))


def typed(rows: Sequence[Sequence[Any]], columns: list[Column]) -> tuple[pd.DataFrame, list[Problem]]:
    """Untyped values of at least one row in canonical form, and the values that could not be converted."""
    plain = plain_values.table(rows, columns)
    if plain is not None:
        return plain, []
    return canonical(csv_text.table(rows, [column.name for column in columns]), columns)


def why_bad(problems: list[Problem]) -> str:
    """The first of the problems, as a message for the caller."""
    first = problems[0]
    return (
        f"column {first.column!r}: {first.count} values {first.what}; "
        f"the first is {shown(first.first)} in row {first.row + 1}"
    )


def shown(value: Any) -> str:
    """A value as a message has it, of at most about MAX_SHOWN characters."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes
        text = f"a number of {value.bit_length()} bits"
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def _csv(text: str, names: list[str], header: bool) -> list[Sequence[Any]]:
    lines = io.StringIO(text, newline="")
    try:
        if header:
            given, values = csv_text.with_header(lines)
            positions = _positions(given, names)
            rows: list[Sequence[Any]] = [[row[index] for index in positions] for row in values]
        else:
            # The values of each line are counted: one too many or too few would shift the others.
            rows = [*csv_text.rows(lines, names)]
    except csv_text.Malformed as error:
        raise BadRequest(f"the body is not CSV as the model takes it: {error}") from None
    if not rows:
        raise BadRequest("the body is empty; send at least one row")
    return rows


def _positions(given: Sequence[str], names: list[str]) -> list[int]:
    """Where the columns of the model are among those that a body names. Raises BadRequest."""
    missing = next((name for name in names if name not in given), None)
    if missing is not None:
        raise BadRequest(f"the body has no column {missing!r}; the model takes {', '.join(names)}")
    return [given.index(name) for name in names]


def _parquet(body: bytes | str, names: list[str]) -> list[Sequence[Any]]:
    content = body.encode() if isinstance(body, str) else body
    with _parquet_errors():
        file = pq.ParquetFile(pa.BufferReader(content))
    if not file.metadata.num_rows:
        raise BadRequest("the body has no rows; send at least one")
    _check_size(file.metadata.num_rows, names, len(content))
    with _parquet_errors():
        table = file.read()
    columns = [table.column(index) for index in _positions(table.column_names, names)]
    return list(zip(*(_values(name, column) for name, column in zip(names, columns, strict=True)), strict=True))


@contextmanager
def _parquet_errors() -> Generator[None]:
    """Errors of the reader as BadRequest."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadRequest(f"the body is not Parquet: {error}") from None


def _values(name: str, column: Any) -> list[Any]:
    """The values of a column of Parquet. Raises BadRequest for those that Python has not, such as a time in the year 300,000."""
    if pa.types.is_nested(column.type):
        raise BadRequest(f"column {name!r}: its type is {column.type}; it must have numbers, texts, booleans or times")
    try:
        return column.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise BadRequest(f"column {name!r}: a value of the type {column.type} is not readable: {error}") from None


def _check_size(rows: int, names: list[str], size: int) -> None:
    """Refuse a body, of `size` bytes or characters, whose rows would need far more time and memory than it."""
    most = max(MAX_VALUES, size)
    if rows * len(names) > most:
        raise BadRequest(
            f"the body has {rows} rows of {len(names)} columns; send at most {most // len(names)} rows at a time"
        )


def _json(text: str) -> Any:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    return content.get("instances") if isinstance(content, dict) else content


def _json_lines(text: str) -> list[Any]:
    instances = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                instances.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise BadRequest(f"line {number} is not JSON: {error}") from None
    return instances


def _instances(rows: Any, columns: list[Column], size: int) -> list[Sequence[Any]]:
    """Values of instances, each {column: value}, of a body of `size` characters. Raises BadRequest."""
    if not isinstance(rows, list) or set(map(type, rows)) != {dict}:
        raise BadRequest(
            'the body must be {"instances": [{column: value, …}, …]} with at least one instance, or one in each line'
        )
    names = [column.name for column in columns]
    _check_size(len(rows), names, size)
    known, values_of = set(names), itemgetter(*names) if len(names) > 1 else None
    values: list[Sequence[Any]] = []
    for index, row in enumerate(rows):
        if values_of and row.keys() == known:
            values.append(values_of(row))
            continue
        _check_names(index, row, columns, known)
        values.append([row.get(name) for name in names])
    if not {dict, list}.isdisjoint(map(type, chain.from_iterable(values))):
        _refuse_nested(values, names)
    return values


def _check_names(index: int, row: dict[str, Any], columns: list[Column], known: set[str]) -> None:
    unknown = next((name for name in row if name not in known), None)
    if unknown is not None:
        names = ", ".join(column.name for column in columns)
        raise BadRequest(f"instance {index + 1} has an unknown column {unknown!r}; the model takes {names}")
    missing = next((column.name for column in columns if column.name not in row and not column.nullable), None)
    if missing is not None:
        raise BadRequest(f"instance {index + 1} has no column {missing!r}")


def _refuse_nested(rows: list[Sequence[Any]], names: list[str]) -> NoReturn:
    index, name = next(
        (index, name)
        for index, row in enumerate(rows)
        for name, value in zip(names, row, strict=True)
        if isinstance(value, dict | list)
    )
    raise BadRequest(f"instance {index + 1}: the value of {name!r} must be a number, a text, true, false or null")
