"""Performance by group of rows, such as the records of women and of men, with intervals."""

from typing import Any

import numpy as np
import pandas as pd

from .. import metrics
from ..failures import JobFailure
from .labels import Labels

MAX_GROUPS = 20
"""Groups of a column that are measured, the largest first."""
MIN_ROWS = 30
BINS = 4
"""Groups of a column of numbers with many values."""


def slices(
    columns: list[str], metric: str, raw: pd.DataFrame, scores: np.ndarray, labels: Labels, seed: int
) -> dict[str, list[dict[str, Any]]]:
    """`slices` of explanation.json: by column its groups, each with rows, mean score and the metric's value, low and high.

    A group that is too small, or has one class only, has a `reason` in place of the value. Columns of numbers with more than 20
    values are cut at quartiles. Raises JobFailure for a column that the data does not have.
    """
    return {name: _groups(name, metric, raw, scores, labels, seed) for name in columns}


def _groups(
    name: str, metric: str, raw: pd.DataFrame, scores: np.ndarray, labels: Labels, seed: int
) -> list[dict[str, Any]]:
    if name not in raw:
        raise JobFailure(f"model.yaml: report.groups names {name!r}, which the data does not have")
    keys = _keys(raw[name])
    counts = keys.value_counts()
    largest = sorted(counts.index, key=lambda key: (-counts[key], key))[:MAX_GROUPS]
    return [_group(key, keys.to_numpy() == key, metric, scores, labels, seed) for key in largest]


def _keys(column: pd.Series) -> pd.Series:
    """The name of each row's group."""
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if numeric and column.nunique() > MAX_GROUPS:
        bins = pd.qcut(column, BINS, duplicates="drop", precision=3)
        names = bins.map(lambda each: f"{each.left:g} to {each.right:g}", na_action="ignore").astype("object")
    else:
        names = column.astype("object").map(str, na_action="ignore")
    return names.fillna("(missing)").astype(str)


def _group(
    key: str, of_group: np.ndarray, metric: str, scores: np.ndarray, labels: Labels, seed: int
) -> dict[str, Any]:
    rows, truth = int(of_group.sum()), labels.truth[of_group]
    found: dict[str, Any] = {"group": key, "rows": rows}
    if rows < MIN_ROWS:
        return found | {"reason": f"fewer than {MIN_ROWS} rows"}
    if labels.problem != "regression" and len(np.unique(truth)) < 2:
        return found | {"reason": "all rows have the same label"}
    measured = metrics.evaluate(labels.problem, truth, scores[of_group], seed)[metric]
    part = {name: measured[name] for name in ("value", "low", "high")}
    if labels.problem != "multiclass_classification":
        part |= {"mean_score": float(scores[of_group].mean()), "mean_label": float(truth.mean())}
    return found | part
