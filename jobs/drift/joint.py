"""Joint drift: a change between columns that no single column shows, such as a lost correlation.

A classifier is trained to distinguish reference rows from current rows on one half of a sample of both, and tested on the other
half. Without a change the held-out scores are exchangeable, so Mann and Whitney's test of them is calibrated even when the
classifier overfits. The effect is in the unit of the columns': the mean shift, in standard deviations, of one normal column
that could be distinguished as well (Lopez-Paz and Oquab 2017 for the test; Green and Swets 1966 for the unit).
"""

from typing import Any

import numpy as np
import pyarrow as pa
from scipy import special

from .arrays import NUMERIC, compute, numbers_of
from .decision import ColumnDrift, DriftLimits

SAMPLE_ROWS = 5_000
LIMIT_FACTOR = 2.0
"""Small changes of many columns add up: the joint effect must reach this many times the limit of a column."""
TREES = {"max_iter": 40, "max_leaf_nodes": 15, "min_samples_leaf": 20}


def joint_drift(
    reference: pa.Table, current: pa.Table, types: dict[str, str], limits: DriftLimits, seed: int = 0
) -> ColumnDrift:
    """Compare samples of rows; `drifted` when the difference is significant and the effect large enough."""
    before, now = reference.slice(0, SAMPLE_ROWS), current.slice(0, SAMPLE_ROWS)
    if min(len(before), len(now)) < limits.minimum_rows or not types:
        return ColumnDrift("(joint)", 0.0, 1.0, reason=f"fewer than {limits.minimum_rows} rows; nothing is decided")
    rows = np.column_stack([_codes(before, now, name, kind) for name, kind in types.items()])
    label = np.repeat([0, 1], [len(before), len(now)])
    # Equal rows stay in one half: a repeated request must not be in training and test.
    _, alike = np.unique(np.nan_to_num(rows, nan=-1e301), axis=0, return_inverse=True)
    alike = alike.ravel()
    learning = (np.random.default_rng(seed).random(int(alike.max()) + 1) < 0.5)[alike]
    if min(len(set(label[half].tolist())) for half in (learning, ~learning)) < 2:
        return ColumnDrift("(joint)", 0.0, 1.0, reason="too few different rows; nothing is decided")
    from scipy import stats  # a second of imports that the columns' own tests do not need

    scores = _scores(rows, label, learning, seed)
    held = label[~learning]
    test: Any = stats.mannwhitneyu(scores[held == 1], scores[held == 0], alternative="greater", method="asymptotic")
    auc = float(test.statistic) / ((held == 1).sum() * (held == 0).sum())
    effect = max(0.0, float(np.sqrt(2) * special.ndtri(min(auc, 1 - 1e-9))))
    drift = ColumnDrift("(joint)", effect, float(test.pvalue))
    drift.significant = drift.p_value <= limits.false_alarm_rate
    drift.drifted = drift.significant and effect >= limits.effect * LIMIT_FACTOR
    sure = "beyond chance" if drift.significant else "no more than chance"
    drift.reason = f"a classifier distinguishes current from training rows with an AUC of {auc:.3f}, {sure}"
    return drift


def _scores(rows: np.ndarray, label: np.ndarray, learning: np.ndarray, seed: int) -> np.ndarray:
    # Half a second of imports that counting does not need.
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingClassifier(random_state=seed, **TREES)
    with threadpool_limits(1):  # on a busy machine, threads that wait for each other are a hundred times slower
        return model.fit(rows[learning], label[learning]).predict_proba(rows[~learning])[:, 1]


def _codes(before: pa.Table, now: pa.Table, name: str, kind: str) -> np.ndarray:
    """Both samples' values as numbers; a string's number is its rank by frequency in both samples together."""
    columns = [table.column(name) for table in (before, now)]
    if kind in NUMERIC:
        return np.clip(np.concatenate([numbers_of(column) for column in columns]), -1e300, 1e300)
    values = pa.chunked_array([chunk for column in columns for chunk in column.cast(pa.string()).chunks], pa.string())
    counts = [(-each["counts"], each["values"]) for each in compute.value_counts(values).to_pylist() if each["values"]]
    codes = compute.index_in(values, value_set=pa.array([value for _, value in sorted(counts)], pa.string()))
    return compute.fill_null(codes, -1).to_numpy().astype("float64")
