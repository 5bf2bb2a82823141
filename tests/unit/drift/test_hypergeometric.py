"""Tails of the hypergeometric distribution, against scipy's."""

import numpy as np
import pytest
from scipy import stats

from jobs.drift.hypergeometric import lower_tail, upper_tail


@pytest.mark.parametrize("rows", [20, 1_000, 50_000, 1_500_000])
def test_tails_equal_scipys_to_seven_digits(rows):
    rng = np.random.default_rng(rows)
    compared = 0
    for _ in range(300):
        marked, drawn = (int(rows ** rng.uniform(0, 1)) for _ in range(2))
        mean = drawn * marked / rows
        count = round(mean + rng.normal() * 5 * np.sqrt(mean * (1 - marked / rows)))
        count = min(max(0, drawn + marked - rows, count), marked, drawn)
        above = count > mean
        mine = (upper_tail if above else lower_tail)(count, rows, marked, drawn)
        law = stats.hypergeom(rows, marked, drawn)
        expected = law.sf(count - 1) if above else law.cdf(count)
        if expected > 1e-200:
            assert mine == pytest.approx(float(expected), rel=1e-7), (count, rows, marked, drawn)
            compared += 1
    assert compared > 200


def test_impossible_and_certain_counts_have_probability_0_and_1():
    assert upper_tail(6, 100, 5, 50) == 0.0
    assert upper_tail(5, 5, 5, 5) == pytest.approx(1.0)
    assert lower_tail(0, 100, 0, 50) == pytest.approx(1.0)
