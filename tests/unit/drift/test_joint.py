"""Joint drift: a changed correlation is detected, and samples of one population are not."""

import numpy as np
import pyarrow as pa
import pytest

from jobs.drift.decision import DriftLimits
from jobs.drift.joint import joint_drift
from model_factory.config.monitoring import Drift

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


def test_samples_at_the_minimum_are_decided():
    assert "nothing is decided" in joint_drift(rows(0, 0.8, 199), rows(1, 0.8, 200), TYPES, LIMITS).reason
    assert "AUC" in joint_drift(rows(0, 0.8, 200), rows(1, 0.8, 200), TYPES, LIMITS).reason
    assert "nothing is decided" in joint_drift(rows(0, 0.8), rows(1, 0.8), {}, LIMITS).reason


def test_equal_rows_are_not_decided():
    same = pa.table({"x": np.zeros(300), "y": np.zeros(300), "c": pa.array([None] * 300, pa.string())})
    found = joint_drift(same, same, TYPES, LIMITS)
    assert (found.reason, found.drifted) == ("too few different rows; nothing is decided", False)
    assert (found.name, found.effect, found.p_value) == ("(joint)", 0.0, 1.0)


def test_effect_is_the_shift_that_is_distinguished_as_well():
    """Of one column that moved by a standard deviation and a half; strings and missing values alone distinguish as well."""
    rng = np.random.default_rng(0)
    before, now = pa.table({"x": rng.normal(size=5000)}), pa.table({"x": rng.normal(1.5, 1, size=5000)})
    found = joint_drift(before, now, {"x": "number"}, LIMITS)
    assert found.effect == pytest.approx(1.5, abs=0.15)
    assert found.p_value < 1e-100
    assert found.reason.endswith("beyond chance")
    texts = [pa.array(["a", "b", share] * 200, pa.string()) for share in ("a", None)]
    with_noise = [pa.table({"x": rng.normal(size=600), "c": column}) for column in texts]
    assert joint_drift(*with_noise, {"x": "number", "c": "string"}, LIMITS).drifted
    alone = [pa.table({"c": column}) for column in texts]
    assert joint_drift(*alone, {"c": "string"}, LIMITS).reason == "too few different rows; nothing is decided"


def test_effect_does_not_depend_on_the_sizes_of_the_samples():
    rng = np.random.default_rng(5)
    before, now = pa.table({"x": rng.normal(size=5_000)}), pa.table({"x": rng.normal(1.0, 1, size=1_000)})
    assert joint_drift(before, now, {"x": "number"}, LIMITS).effect == pytest.approx(1.0, abs=0.15)


def test_effect_of_samples_without_a_common_value_is_finite():
    before, now = (pa.table({"x": np.arange(300.0) % 10 + least}) for least in (0, 1_000))
    found = joint_drift(before, now, {"x": "number"}, LIMITS)
    assert found.effect == pytest.approx(8.48, abs=0.01)
    assert "an AUC of 1.000" in found.reason


@pytest.mark.parametrize(("limit", "drifted"), [(1.0, True), (1.0 + 1e-12, False)])
def test_joint_effect_at_twice_the_limit_is_drift(limit, drifted):
    rng = np.random.default_rng(4)
    before, now = (pa.table({"x": rng.normal(shift, 1, 2_000)}) for shift in (0.0, 1.0))
    effect = joint_drift(before, now, {"x": "number"}, LIMITS).effect
    limits = DriftLimits(effect / 2 * limit, 1e-4, 200)
    assert joint_drift(before, now, {"x": "number"}, limits).drifted is drifted


def test_first_5000_rows_are_compared():
    rng = np.random.default_rng(3)
    before, now = (pa.table({"x": np.r_[rng.normal(shift, 1, 5_000), np.full(50, 1e6)]}) for shift in (0.0, 0.3))
    found = joint_drift(before, now, {"x": "number"}, LIMITS)
    assert found == joint_drift(before.slice(0, 5_000), now.slice(0, 5_000), {"x": "number"}, LIMITS)


def test_small_change_is_significant_and_no_drift():
    """The joint effect has to be twice that of a column."""
    rng = np.random.default_rng(1)
    before, now = (pa.table({"x": rng.normal(shift, 1, size=5000)}) for shift in (0.0, 0.6))
    at = DriftLimits(0.2, 1e-4, 200)
    found = joint_drift(before, now, {"x": "number"}, at)
    assert found.significant
    assert found.drifted
    strict = DriftLimits(0.4, 1e-4, 200)
    found = joint_drift(before, now, {"x": "number"}, strict)
    assert found.significant
    assert not found.drifted
    same = joint_drift(before, pa.table({"x": rng.normal(size=5000)}), {"x": "number"}, at)
    assert (same.significant, same.reason.endswith("no more than chance")) == (False, True)
