"""The likely cause of a drift, by numbers at the limits of each."""

import numpy as np
import pyarrow as pa
import pytest

from jobs.drift.column import ColumnProfile
from jobs.drift.decision import ColumnDrift
from jobs.drift.explain import meaning, quantiles_now

DRIFT = ColumnDrift("x", 0.5, 0.0)
QUANTILES = [float(n) for n in range(1, 12)]


def number(nulls=0, low=1.0, high=11.0, quantiles=None):
    return ColumnProfile(
        "number", rows=1_000, nulls=nulls, counts=[1_000 - nulls], finite=1_000 - nulls, m2=1_000.0, minimum=low,
        maximum=high, quantiles=QUANTILES if quantiles is None else quantiles,
    )  # fmt: skip


def text(*counts, nulls=0):
    """Counts of a, b and other values."""
    rows = sum(counts) + nulls
    return ColumnProfile("string", rows=rows, nulls=nulls, categories=["a", "b"], counts=list(counts))


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (0, 500, "broken feed: 50% of the values are missing, 0% before; training again will not help"),
        (250, 500, "broken feed: 50% of the values are missing, 25% before; training again will not help"),
        (251, 500, "more missing values: +24.9% of the rows"),
        (0, 499, "more missing values: +49.9% of the rows"),
        (0, 10, "more missing values: +1.0% of the rows"),
        (0, 9, "population change: the median went from 6 to 6"),
        (9, 0, "population change: the median went from 6 to 6"),
    ],
)
def test_missing_values_are_a_broken_feed_or_more_of_them(before, now, expected):
    assert meaning(DRIFT, number(before), number(now), QUANTILES) == expected


def test_one_value_everywhere_is_a_broken_feed():
    now = number(low=3.0, high=3.0)
    assert meaning(DRIFT, number(), now, [3.0] * 11) == "broken feed: every value is 3; training again will not help"
    constant = number(low=2.0, high=2.0)
    constant.m2 = 0.0
    assert meaning(DRIFT, constant, now, [3.0] * 11).startswith("population change")


@pytest.mark.parametrize(
    ("before", "now", "is_broken"),
    [
        (text(499, 501, 0), text(990, 10, 0), True),
        (text(500, 500, 0), text(990, 10, 0), False),
        (text(100, 900, 0), text(989, 11, 0), False),
        (text(100, 900, 0), text(0, 0, 0, nulls=5), False),
    ],
)
def test_nearly_one_text_everywhere_is_a_broken_feed(before, now, is_broken):
    found = meaning(DRIFT, before, now, [])
    assert (found == "broken feed: nearly every value is a; training again will not help") is is_broken


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (100.0, "changed unit: every quantile is 100 times what it was (a factor of 100, such as units to cents)"),
        (2.54, "changed unit: every quantile is 2.54 times what it was (inches to centimetres)"),
        (3.0, "changed unit: every quantile is 3 times what it was"),
        (-1.0, "changed unit: every quantile is -1 times what it was"),
        (1.25, "changed unit: every quantile is 1.25 times what it was"),
        (0.8, "changed unit: every quantile is 0.8 times what it was"),
        (1.24, "population change: the median went from 6 to 7.44"),
        (0.81, "population change: the median went from 6 to 4.86"),
    ],
)
def test_one_factor_of_all_quantiles_is_a_changed_unit(factor, expected):
    assert meaning(DRIFT, number(), number(), [factor * each for each in QUANTILES]) == expected


@pytest.mark.parametrize(
    ("before", "now", "is_unit"),
    [
        (
            QUANTILES,
            [-5.0, *[10 * each for each in QUANTILES[1:-1]], 999.0],
            True,
        ),  # minimum and maximum are single rows
        (QUANTILES, [10.0, 20.0, 30.0, 40.0, 50.0, 63.0, *[10 * each for each in QUANTILES[6:]]], True),  # 5 %
        (QUANTILES, [10.0, 20.0, 30.0, 40.0, 50.0, 65.0, *[10 * each for each in QUANTILES[6:]]], False),  # 8 %
        ([0.0] * 4 + QUANTILES[:7], [0.0] * 4 + [10 * each for each in QUANTILES[:7]], True),
        ([0.0] * 7 + QUANTILES[:4], [0.0] * 7 + [10 * each for each in QUANTILES[:4]], False),  # three are left
        (
            [0.0] * 4 + QUANTILES[:7],
            [5.0] * 4 + [10 * each for each in QUANTILES[:7]],
            False,
        ),  # zero became another value
        ([0.0, *[2.0] * 9, 3.0], [0.0, *[20.0] * 9, 30.0], False),  # one value
        ([0.0, *[2.0] * 5, *[3.0] * 4, 3.0], [0.0, *[20.0] * 5, *[30.0] * 4, 30.0], False),  # two values
        (QUANTILES[:4], [10 * each for each in QUANTILES[:4]], False),
        (QUANTILES[:6], [10 * each for each in QUANTILES[:6]], True),
        (QUANTILES, [10 * each for each in QUANTILES[:-1]], False),
    ],
)
def test_unit_needs_enough_steady_quantiles(before, now, is_unit):
    found = meaning(DRIFT, number(quantiles=before), number(), now)
    assert found.startswith("changed unit: every quantile is 10 times") is is_unit, found


@pytest.mark.parametrize(
    ("other", "share", "expected"),
    [
        (5, 0.0, "new category: 0.5% of the rows have a value that the training did not list"),
        (4, 0.0, "population change: the mix of the values is another"),
        (30, 0.1, "new category: 3.0% of the rows have a value that the training did not list"),
        (29, 0.1, "population change: the mix of the values is another"),
    ],
)
def test_values_that_are_not_listed_are_a_new_category(other, share, expected):
    drift = ColumnDrift("c", 0.5, 0.0)
    drift.share = share
    assert meaning(drift, text(500, 500, 0), text(500, 500 - other, other), []) == expected


def test_population_of_numbers_without_quantiles_has_no_median():
    assert meaning(DRIFT, number(), number(), []) == "population change: the mix of the values is another"
    assert meaning(DRIFT, number(), number(), QUANTILES[:3]) == "population change: the mix of the values is another"


def test_quantiles_of_a_sample_leave_out_what_is_no_number():
    sample = pa.chunked_array([pa.array([None, 1.0, 2.0]), pa.array([np.inf, 3.0])])
    assert quantiles_now(sample, 3) == [1.0, 2.0, 3.0]
    assert len(quantiles_now(sample)) == 11
    assert quantiles_now(pa.chunked_array([pa.array([None, np.nan], pa.float64())])) == []
