"""Which value of a request the model's code cannot take."""

from typing import Any

import pandas as pd

from .columns import Column
from .failures import JobFailure
from .payload import shown
from .project import Project

OF_VALUES = (ValueError, TypeError, LookupError, ArithmeticError)
"""Errors that a value can cause. Others, such as a file that is missing, are none of the caller."""
MAX_ROWS, MAX_COLUMNS = 1_000, 200
"""Larger requests are not searched: each step calls model.py."""


def find(
    failure: JobFailure,
    project: Project,
    model: Any,
    raw: pd.DataFrame,
    columns: list[Column],
    example: pd.DataFrame,
) -> str | None:
    """What the caller has to mend, in words; None when the values are not to blame.

    `failure`: what model.py raised for `raw`, canonical rows. They are to blame when the error is one of OF_VALUES and `example`,
    one canonical row, is still scored. The first such row and its column are found by exchanging values.
    """
    error = _cause(failure)
    if not isinstance(error, OF_VALUES) or _error(project, model, example) is not None:
        return None
    why = f"{type(error).__name__}: {error}"
    if len(raw) > MAX_ROWS or len(columns) > MAX_COLUMNS:
        return f"the model cannot use a value of the request ({why})"
    row = _first_row(project, model, raw)
    one = raw.iloc[[row]]
    if _error(project, model, one) is None:
        return None  # only several rows together fail, which is an error of model.py
    for column in columns:
        mended = one.assign(**{column.name: example[column.name].array})
        if _error(project, model, mended) is None:
            value = one[column.name].iloc[0]
            return f"column {column.name!r}: the model cannot use {shown(value)} in row {row + 1} ({why})"
    return f"the model cannot use the values of row {row + 1} ({why})"


def _first_row(project: Project, model: Any, raw: pd.DataFrame) -> int:
    """The first row that fails alone, by halves; features and predict take each row for itself."""
    start, end = 0, len(raw)
    while end - start > 1:
        middle = (start + end) // 2
        if _error(project, model, raw.iloc[start:middle]) is not None:
            end = middle
        else:
            start = middle
    return start


def _error(project: Project, model: Any, raw: pd.DataFrame) -> BaseException | None:
    """The error of model.py for these rows."""
    try:
        project.predict(model, project.features(raw))
    except JobFailure as failure:
        return _cause(failure)
    return None


def _cause(failure: JobFailure) -> BaseException:
    """The error of model.py itself."""
    return failure.__cause__ or failure
