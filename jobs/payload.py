"""Bodies of requests and responses, read the same way in serving and in monitoring."""

import io
import json
import re
from typing import Any

import numpy as np
import pandas as pd

from . import csv_text
from .columns import Column, Problem, canonical

CSV, JSON = "text/csv", "application/json"
MAX_SHOWN = 100
_VERSION = re.compile(r";\s*model-version=(\d{1,9})\s*(?:;|$)")


class BadRequest(ValueError):
    """The body cannot be read; the message says where and why."""


def columns_of(described: list[dict[str, Any]]) -> list[Column]:
    """Columns from `columns` of serving.json or columns.json."""
    return [Column(entry["name"], entry["type"], entry.get("nullable", True)) for entry in described]


def parse(body: bytes | str, content_type: str, columns: list[Column]) -> pd.DataFrame:
    """The rows of a request body in canonical form. Raises BadRequest with row and column."""
    data, problems = typed(rows(body, content_type, columns), columns)
    if problems:
        raise BadRequest(why_bad(problems))
    return data


def rows(body: bytes | str, content_type: str, columns: list[Column]) -> list[list[Any]]:
    """The untyped values of a request body, a list per row, at least one row. Raises BadRequest."""
    kind = content_type.split(";")[0].strip().lower()
    if kind not in (CSV, JSON):
        raise BadRequest(f"content type {content_type!r} is not known; send {CSV} or {JSON}")
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes) else body.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8: {error}") from None
    if not text.strip():
        raise BadRequest("the body is empty; send at least one row")
    return _csv(text, columns) if kind == CSV else _json(text, columns)


def typed(rows: list[list[Any]], columns: list[Column]) -> tuple[pd.DataFrame, list[Problem]]:
    """Untyped values of at least one row in canonical form, and the values that could not be converted."""
    return canonical(csv_text.table(rows, [column.name for column in columns]), columns)


def why_bad(problems: list[Problem]) -> str:
    """The first of the problems, as a message for the caller."""
    first = problems[0]
    return (
        f"column {first.column!r}: {first.count} values {first.what}; "
        f"the first is {_shown(first.first)} in row {first.row + 1}"
    )


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes
        text = f"a number of {value.bit_length()} bits"
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def _csv(text: str, columns: list[Column]) -> list[list[Any]]:
    lines = io.StringIO(text, newline="")
    try:
        # The values of each line are counted: one too many or too few would shift the others.
        rows = list[list[Any]](csv_text.rows(lines, [column.name for column in columns]))
    except csv_text.Malformed as error:
        raise BadRequest(f"the body is not CSV as the model takes it: {error}") from None
    if not rows:
        raise BadRequest("the body is empty; send at least one row")
    return rows


def _json(text: str, columns: list[Column]) -> list[list[Any]]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    rows = content.get("instances") if isinstance(content, dict) else content
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadRequest('the body must be {"instances": [{column: value, …}, …]} with at least one instance')
    names = [column.name for column in columns]
    for index, row in enumerate(rows):
        unknown = [name for name in row if name not in names]
        missing = [c.name for c in columns if c.name not in row and not c.nullable]
        if unknown:
            raise BadRequest(
                f"instance {index + 1} has an unknown column {unknown[0]!r}; the model takes {', '.join(names)}"
            )
        if missing:
            raise BadRequest(f"instance {index + 1} has no column {missing[0]!r}")
        nested = next((name for name, value in row.items() if isinstance(value, dict | list)), None)
        if nested:
            raise BadRequest(
                f"instance {index + 1}: the value of {nested!r} must be a number, a text, true, false or null"
            )
    return [[row.get(name) for name in names] for row in rows]


def with_version(content_type: str, version: int | None) -> str:
    """A response's content type that names the version that answered: `text/csv; model-version=7`.

    SageMaker's data capture keeps a response's content type as the container gave it, and no other header of it.
    """
    return content_type if version is None else f"{content_type}; model-version={version}"


def version_in(content_type: str) -> int | None:
    """The version that a response's content type names; None for one without, as of older artifacts."""
    named = _VERSION.search(content_type)
    return int(named[1]) if named else None


def parse_response(body: bytes | str, content_type: str) -> np.ndarray:
    """Scores of a response: (rows,) or (rows x classes). Raises BadRequest."""
    try:
        text = body.decode() if isinstance(body, bytes) else body
        if content_type.split(";")[0].strip().lower() == JSON:
            return np.asarray(json.loads(text)["predictions"], dtype="float64")
        rows = [[float(value) for value in line.split(",")] for line in text.split()]
        scores = np.asarray(rows, dtype="float64")
        return scores[:, 0] if scores.shape[1:] == (1,) else scores
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BadRequest(f"the response is not readable: {error}") from None


def write_response(scores: np.ndarray, accept: str) -> tuple[str, str]:
    """Scores as (body, content type): JSON when `accept` has it, else CSV."""
    kinds = [kind.split(";")[0].strip().lower() for kind in (accept or "").split(",")]
    if JSON in kinds:
        return json.dumps({"predictions": scores.tolist()}), JSON
    lines = (",".join(map(repr, row)) for row in np.atleast_2d(scores.T).T.tolist())
    return "\n".join(lines) + "\n", CSV
