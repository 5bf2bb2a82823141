"""Shapley values from scores: exact by definition, additive models, sampled ones within their error."""

from itertools import permutations

import numpy as np
import pytest

from model_factory.ops.explanation import shapley
from model_factory.ops.explanation.shapley import Contributions

RECORD = np.array([0.4, -1.2, 0.9, 2.0, -0.3])
BACKGROUND = np.random.default_rng(7).normal(size=(60, 5)).round(2)


def interacting(rows: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(rows[:, 3] - rows[:, 0] * rows[:, 1] - np.abs(rows[:, 2]) * (rows[:, 4] > 0)))


def linear(rows: np.ndarray) -> np.ndarray:
    return rows @ np.array([1.0, -2.0, 0.5, 0.0, 3.0]) + 4.0


def contributions(score, background: np.ndarray, max_rows: int = shapley.MAX_ROWS) -> Contributions:
    plan = shapley.plan(background != RECORD, max_rows)
    return plan.contributions(score(np.where(plan.explained, RECORD, background[plan.background])))


def by_definition(score, background: np.ndarray) -> np.ndarray:
    """What each column adds, averaged over all orders of the columns and all background records."""
    added = np.zeros(5)
    for order in permutations(range(5)):
        rows = background.copy()
        before = score(rows).mean()
        for column in order:
            rows[:, column] = RECORD[column]
            added[column] += (after := score(rows).mean()) - before
            before = after
    return added / 120


def test_exact_values_are_those_of_definition():
    background = BACKGROUND.copy()
    background[:20, 1] = RECORD[1]
    found = contributions(interacting, background)
    assert (found.method, found.background) == ("exact", 60)
    assert found.values == pytest.approx(by_definition(interacting, background), abs=1e-12)
    assert found.values.sum() == pytest.approx(found.score - found.base, abs=1e-12)
    assert not found.error.any()
    assert found.base == pytest.approx(interacting(background).mean())


@pytest.mark.parametrize(("max_rows", "method"), [(400_000, "exact"), (1_500, "sampled")])
def test_linear_model_gives_weight_times_difference(max_rows, method):
    found = contributions(linear, BACKGROUND, max_rows)
    expected = np.array([1.0, -2.0, 0.5, 0.0, 3.0]) * (RECORD - BACKGROUND.mean(axis=0))
    assert found.method == method
    assert found.values == pytest.approx(expected, abs=1e-12)
    assert found.error == pytest.approx(np.zeros(5), abs=1e-12)


def test_sampled_values_are_within_their_error_and_add_up():
    found = contributions(interacting, BACKGROUND, 1_500)
    expected = by_definition(interacting, BACKGROUND[: found.background])
    assert (np.abs(found.values - expected) <= 4 * found.error + 1e-12).all()
    assert found.error.max() > 0
    assert found.values.sum() == pytest.approx(found.score - found.base, abs=1e-12)


def test_record_equal_to_background_has_no_contributions():
    found = contributions(interacting, np.tile(RECORD, (3, 1)))
    assert (found.values.tolist(), found.score) == ([0.0] * 5, found.base)


def test_wide_records_stay_within_rows_and_cells():
    differs = np.ones((500, 900), bool)
    plan = shapley.plan(differs)
    assert plan.method == "sampled"
    assert len(plan.explained) * 900 <= shapley.MAX_CELLS
    assert len(plan.columns) >= 2
    assert min(len(order) for order in plan.orders) >= 4
