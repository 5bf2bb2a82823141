"""Partial dependence: the mean score of test rows in which one raw column has the same value everywhere (Friedman 2001)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = 8
"""The most important columns get a curve."""
POINTS = 11
SAMPLE_ROWS = 200
MAX_CURVES = 5
"""Classes with a curve."""


def partial_dependence(
    score: Callable[[pd.DataFrame], np.ndarray],
    raw: pd.DataFrame,
    columns: Sequence[str],
    classes: Sequence[Any],
    seed: int,
) -> dict[str, Any]:
    """`partial_dependence` of explanation.json: by column its values, and the mean score at each.

    `columns`: raw columns, the most important first. `classes`: of a multiclass problem, else empty; then `scores` has one list
    for each of the first classes, in their order, else one list. The same rows and seed give the same values.
    """
    sample = np.sort(np.random.default_rng(seed).permutation(len(raw))[:SAMPLE_ROWS])
    rows = raw.iloc[sample].reset_index(drop=True)
    found: dict[str, Any] = {}
    for name in columns[:COLUMNS]:
        points = _points(raw[name])
        if len(points) < 2:
            continue
        # One table for all points: features() is row-wise.
        table = pd.concat(
            [rows.assign(**{name: _constant(raw[name], point, len(rows))}) for point in points], ignore_index=True
        )
        scores = np.asarray(score(table), dtype="float64").reshape(len(points), len(rows), -1).mean(axis=1)
        curves = scores.T[:MAX_CURVES].tolist()
        found[name] = {
            "values": [_plain(point) for point in points],
            "scores": curves,
            "classes": [_plain(each) for each in classes[:MAX_CURVES]],
        }
    return found


def _points(column: pd.Series) -> list[Any]:
    """Values of a column: about equally many rows lie between two numbers; of texts and booleans, the most frequent ones."""
    present = column.dropna()
    if pd.api.types.is_numeric_dtype(present) and not pd.api.types.is_bool_dtype(present):
        # `nearest`: a value that occurs, so an integer column stays one.
        return sorted(set(present.quantile(np.linspace(0.01, 0.99, POINTS), interpolation="nearest").tolist()))
    counts = present.value_counts()
    return sorted(counts.index[:POINTS].tolist(), key=lambda value: (-counts[value], str(value)))


def _constant(column: pd.Series, value: Any, rows: int) -> Any:
    return pd.Series([value] * rows, dtype=column.dtype).array


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, int | float | str | bool) else str(value)
