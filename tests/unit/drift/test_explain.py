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
        ([0.0, *QUANTILES[:10]], [0.0, *[10 * each for each in QUANTILES[:10]]], True),  # one is not zero
        ([each / 10 for each in QUANTILES], QUANTILES, True),
        ([0.0, 0.0, *QUANTILES[:9]], [0.0, 0.1, *[10 * each for each in QUANTILES[:9]]], True),  # nearly zero
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


UNITS = {
    12.0: "years to months", 7.0: "weeks to days", 24.0: "days to hours", 60.0: "a factor of 60",
    100.0: "a factor of 100, such as units to cents", 1000.0: "a factor of 1,000", 2.2046: "kilograms to pounds",
    2.54: "inches to centimetres", 1.609: "miles to kilometres",
    1 / 12: "months to years", 1 / 60: "a factor of 1/60", 0.01: "a factor of 1/100, such as cents to units",
    0.001: "a factor of 1/1,000", 0.4536: "pounds to kilograms", 1 / 2.54: "centimetres to inches",
    0.6214: "kilometres to miles",
}  # fmt: skip


@pytest.mark.parametrize(("factor", "name"), UNITS.items())
def test_known_factor_is_named_within_two_percent(factor, name):
    for near in (0.981 * factor, factor, 1.019 * factor):
        assert meaning(DRIFT, number(), number(), [near * each for each in QUANTILES]).endswith(f"was ({name})")
    for far in (0.979 * factor, 1.021 * factor):
        assert not meaning(DRIFT, number(), number(), [far * each for each in QUANTILES]).endswith(f"({name})")


def test_column_without_rows_in_this_run_has_no_feed_that_broke():
    """It drifted over the last days."""
    nothing = ColumnProfile("string", categories=["a", "b"])
    assert meaning(DRIFT, text(500, 500, 0), nothing, []) == "population change: the mix of the values is another"
    assert (
        meaning(DRIFT, number(), ColumnProfile("number"), []) == "population change: the mix of the values is another"
    )


def test_values_after_none_in_training_are_a_new_category():
    before = text(0, 0, 0, nulls=1_000)
    assert meaning(DRIFT, before, text(400, 100, 500), []).startswith("new category: 50.0% of the rows")
    assert meaning(DRIFT, before, text(1_000, 0, 0), []).startswith("broken feed: nearly every value is a")


def test_numbers_above_the_last_edge_are_no_new_category():
    now = number()
    now.counts = [500, 500]
    before = number()
    before.counts = [1_000, 0]
    assert meaning(DRIFT, before, now, QUANTILES) == "population change: the median went from 6 to 6"


def test_population_of_numbers_without_quantiles_has_no_median():
    assert meaning(DRIFT, number(), number(), []) == "population change: the mix of the values is another"
    assert meaning(DRIFT, number(), number(), QUANTILES[:3]) == "population change: the mix of the values is another"


def test_quantiles_of_a_sample_leave_out_what_is_no_number():
    sample = pa.chunked_array([pa.array([None, 1.0, 2.0]), pa.array([np.inf, 3.0])])
    assert quantiles_now(sample, 3) == [1.0, 2.0, 3.0]
    assert len(quantiles_now(sample)) == 11
    assert quantiles_now(pa.chunked_array([pa.array([None, np.nan], pa.float64())])) == []
