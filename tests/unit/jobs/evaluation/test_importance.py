"""Permutation importance: which raw columns a model uses."""

import numpy as np
import pandas as pd
import pytest

from jobs.evaluation import importance
from jobs.evaluation.importance import permutation_importance
from jobs.evaluation.labels import Labels


def test_column_that_the_model_uses_has_the_largest_share():
    rng = np.random.default_rng(0)
    raw = pd.DataFrame({"noise": rng.normal(size=3000), "x": rng.normal(size=3000), "some": rng.normal(size=3000)})
    target = raw["x"] + 0.2 * raw["some"]
    labels = Labels("regression", target.to_numpy(), [])
    shares = permutation_importance("rmse", lambda rows: (rows["x"] + 0.2 * rows["some"]).to_numpy(), raw, labels, 0)
    assert list(shares) == ["x", "some", "noise"]
    assert shares["noise"] == 0
    assert sum(shares.values()) == pytest.approx(1)


def test_rare_class_counts_and_blocks_do_not_change_importance(monkeypatch):
    rng = np.random.default_rng(0)
    raw = pd.DataFrame({f"c{i}": rng.normal(size=20_000) for i in range(5)}).assign(code="a")
    truth = np.zeros(20_000, dtype=int)
    truth[:20] = 1  # one in a thousand: two in a plain sample
    raw.loc[:19, "c3"] += 5

    def scores(rows: pd.DataFrame) -> np.ndarray:
        assert list(rows.dtypes) == list(raw.dtypes)
        return 1 / (1 + np.exp(-rows["c3"].to_numpy()))

    def shares() -> dict[str, float]:
        return permutation_importance("auc", scores, raw, Labels("binary_classification", truth, [0, 1]), 1)

    whole = shares()
    assert whole["c3"] == 1
    monkeypatch.setattr(importance, "CALL_ROWS", 1)
    assert shares() == whole
