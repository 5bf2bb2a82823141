"""Permutation importance of the raw columns (Breiman 2001)."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from .. import metrics
from ..metrics import LESS_IS_BETTER
from .labels import Labels

SAMPLE_ROWS = 2_000
CALL_ROWS = 50_000
"""Rows scored in one call: features are row-wise, so the tables of several shuffled columns are scored as one."""


def permutation_importance(
    metric: str, score: Callable[[pd.DataFrame], np.ndarray], raw: pd.DataFrame, labels: Labels, seed: int
) -> dict[str, float]:
    """How much worse `metric` gets when one raw column is shuffled, as shares that add up to one, largest first.

    `score` gives the scores of raw rows. All shares are 0 when no column changes the metric.
    """
    rng = np.random.default_rng(seed)
    sample = _sample(labels, rng)
    rows, truth = raw.iloc[sample].reset_index(drop=True), labels.truth[sample]

    def measure(scores: np.ndarray) -> float:
        return metrics.values(labels.problem, truth, scores)[metric]

    before = measure(score(rows))
    sign = 1 if metric in LESS_IS_BETTER else -1
    losses = {name: max(0.0, sign * (measure(scores) - before)) for name, scores in _shuffled(rows, score, rng)}
    total = sum(losses.values())
    largest_first = sorted(losses.items(), key=lambda item: -item[1])
    return {name: loss / total if total else 0.0 for name, loss in largest_first}


def _shuffled(
    rows: pd.DataFrame, score: Callable[[pd.DataFrame], np.ndarray], rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray]]:
    """Each column's name, and the scores of the rows with that column shuffled."""
    columns_per_call = max(1, CALL_ROWS // len(rows))
    names = list(rows.columns)
    for start in range(0, len(names), columns_per_call):
        block = names[start : start + columns_per_call]
        tables = [rows.assign(**{name: rows[name].take(rng.permutation(len(rows))).array}) for name in block]
        scores = score(pd.concat(tables, ignore_index=True))
        yield from zip(block, np.split(scores, len(block)), strict=True)


def _sample(labels: Labels, rng: np.random.Generator) -> np.ndarray:
    """Indexes of the rows to shuffle: as many of each class as there are, so that a rare class has a weight."""
    order = rng.permutation(len(labels.truth))
    if labels.problem == "regression":
        return order[:SAMPLE_ROWS]
    shuffled = labels.truth[order]
    rank_in_class = pd.Series(shuffled).groupby(shuffled).cumcount().to_numpy()
    return order[np.argsort(rank_in_class, kind="stable")[:SAMPLE_ROWS]]
