"""Joint drift: a changed correlation is detected, and samples of one population are not."""

import numpy as np
import pyarrow as pa
import pytest

from jobs.drift.decision import DriftLimits
from jobs.drift.joint import joint_drift
from model_factory.config.model import Drift

LIMITS = DriftLimits.from_settings(Drift().model_dump())
TYPES = {"x": "number", "y": "number", "c": "string"}


def rows(seed: int, correlation: float, count: int = 3000) -> pa.Table:
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=count), rng.normal(size=count)
    y = correlation * x + np.sqrt(1 - correlation**2) * noise
    return pa.table({"x": x, "y": y, "c": pa.array(rng.choice(["a", "b", None], count), pa.string())})


def test_lost_correlation_is_detected():
    found = joint_drift(rows(0, 0.8), rows(1, 0.0), TYPES, LIMITS)
    assert found.drifted
    assert "AUC" in found.reason


@pytest.mark.slow
def test_held_out_p_values_of_one_population_are_uniform():
    p_values = [joint_drift(rows(2 * s, 0.5, 400), rows(2 * s + 1, 0.5, 400), TYPES, LIMITS).p_value for s in range(40)]
    assert sum(p <= 0.05 for p in p_values) <= 6
    assert 0.3 < np.mean(p_values) < 0.7


def test_too_few_rows_are_not_decided():
    found = joint_drift(rows(0, 0.8, 100), rows(1, 0.0, 3000), TYPES, LIMITS)
    assert not found.drifted
    assert "fewer than 200 rows" in found.reason
