"""Values of the drift decision on tables small enough to calculate by hand, or by scipy: in milliseconds."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from jobs.drift import decision
from jobs.drift.column import ColumnProfile
from jobs.drift.decision import ColumnDrift, DriftLimits, DriftReport

LIMITS = DriftLimits(effect=0.1, false_alarm_rate=0.05, minimum_rows=200)
OLD, NEW = np.array([500.0, 300.0, 200.0]), np.array([40.0, 30.0, 30.0])


def column(name="a", p_value=0.001, effect=0.5, **more) -> ColumnDrift:
    return ColumnDrift(name, effect, p_value, moved=[("red", 0.5, 0.4)], **more)


def report(*columns: ColumnDrift, rows=200) -> DriftReport:
    judged = DriftReport(rows, 1_000, list(columns))
    decision.judge([judged], LIMITS)
    return judged


def test_effect_is_cohens_less_chance():
    # Shares 0.5, 0.3, 0.2 and 0.4, 0.3, 0.3.
    chance = [0.25 / 1000 + 0.24 / 100, 0.21 / 1000 + 0.21 / 100, 0.16 / 1000 + 0.21 / 100]
    expected = ((0.01 - chance[0]) / 0.45 + (0 - chance[1]) / 0.3 + (0.01 - chance[2]) / 0.25) ** 0.5
    assert decision.effect_size(OLD, NEW) == pytest.approx(expected)
    assert decision.effect_size(OLD, OLD / 10) == 0.0


def test_bins_below_smallest_share_count_as_if_they_had_it():
    old, new = np.array([990_000.0, 10_000.0]), np.array([970_000.0, 30_000.0])
    chance = (0.0099 + 0.0291) / 1e6
    expected = ((0.0004 - chance) / 0.98 + (0.0004 - chance) / 0.05) ** 0.5
    assert decision.effect_size(old, new) == pytest.approx(expected)


def test_share_moved_is_distance_less_chance():
    pooled = (OLD + NEW) / 1100
    chance = np.sqrt(pooled * (1 - pooled) * (1 / 1000 + 1 / 100)).sum() * np.sqrt(2 / np.pi) / 2
    assert decision.share_moved(OLD, NEW) == pytest.approx(0.1 - chance)
    assert decision.share_moved(OLD, OLD / 10) == 0.0


def test_tail_has_the_moments_of_the_statistic():
    """A gamma distribution with these three cumulants."""
    for freedom, excess in ((3, 0.0), (3, 1.5), (12, 0.25)):
        variance, third = 2 * freedom + excess, 8 * freedom + 22 * excess
        skewness = third / variance**1.5
        expected = stats.pearson3(skewness, loc=freedom, scale=variance**0.5).sf(20.0)
        assert decision._upper_tail(20.0, freedom, excess) == pytest.approx(expected)
    assert decision._upper_tail(-1e9, 3, 0.0) == 1.0


def test_whole_table_is_pearsons_test_for_samples_of_equal_size():
    old, new = np.array([500.0, 300.0, 200.0]), np.array([450.0, 310.0, 240.0])
    test: Any = stats.chi2_contingency([old, new], correction=False)
    expected = test.pvalue
    assert decision._whole_table(old, new) == pytest.approx(expected)


def test_whole_table_of_small_window_is_wider_by_its_excess():
    fraction = 100 / 1100
    excess = (1 - 6 * fraction * (1 - fraction)) / (fraction * (1 - fraction)) * (1 / (OLD + NEW)).sum()
    test: Any = stats.chi2_contingency([OLD, NEW], correction=False)
    statistic = test.statistic
    assert decision._whole_table(OLD, NEW) == pytest.approx(decision._upper_tail(statistic, 2, excess))


@pytest.mark.parametrize(
    ("old", "new", "old_merged", "new_merged"),
    [
        ([500, 9, 9, 480], [470, 9, 9, 510], [500, 18, 480], [470, 18, 510]),
        (
            [500, 9, 30, 480],
            [470, 9, 30, 510],
            [500, 39, 480],
            [470, 39, 510],
        ),  # one bin is joined with the next smallest
        ([500, 10, 30, 480], [470, 10, 30, 510], [500, 10, 30, 480], [470, 10, 30, 510]),
    ],
)
def test_bins_below_minimum_are_merged(old, new, old_merged, new_merged):
    found = decision._whole_table(np.array(old, float), np.array(new, float))
    assert found == pytest.approx(decision._whole_table(np.array(old_merged, float), np.array(new_merged, float)))


def test_bins_with_the_minimum_are_not_merged():
    """Each of the smaller bins is expected to have ten rows, so the table keeps its three degrees of freedom."""
    old, new = np.array([500.0, 10, 30, 480]), np.array([470.0, 10, 30, 510])
    merged = decision._whole_table(np.array([500.0, 40, 480]), np.array([470.0, 40, 510]))
    assert decision._whole_table(old, new) > merged * 1.01


def test_two_bins_are_tested():
    assert decision._whole_table(np.array([900.0, 100]), np.array([700.0, 300])) < 1e-20


def test_nothing_is_decided_before_it_is_judged():
    assert (column().significant, column().drifted, DriftReport(200, 1_000, [column()]).decided) == (
        False,
        False,
        False,
    )


def test_single_bin_has_nothing_to_test():
    assert decision._whole_table(np.array([50.0]), np.array([60.0])) == 1.0


@pytest.mark.parametrize("new", [(70.0, 20.0, 10.0, 0.0), (30.0, 40.0, 30.0, 0.0)])
def test_largest_bin_is_fishers_test_over_bins_and_sides(new):
    old = np.array([500.0, 300.0, 200.0, 0.0])
    rows = 1100
    side = stats.hypergeom(rows, int(500 + new[0]), 100)
    tail = side.sf(new[0] - 1) if new[0] > 50 else side.cdf(new[0])
    assert decision._largest_bin(old, np.array(new)) == pytest.approx(min(1.0, 2 * 3 * tail))
    assert decision._largest_bin(old, old / 10) == 1.0


def test_largest_bin_is_the_one_with_the_largest_deviation_for_its_size():
    """The first bin has lost eleven rows of 49, the last has eight instead of two."""
    old, new = np.array([500.0, 485.0, 15.0]), np.array([38.0, 54.0, 8.0])
    tail = stats.hypergeom(1100, 23, 100).sf(7)
    assert decision._largest_bin(old, new) == pytest.approx(2 * 3 * tail)


def test_p_value_is_the_smaller_doubled():
    parts = decision._whole_table(OLD, NEW), decision._largest_bin(OLD, NEW)
    assert decision.p_value(OLD, NEW) == pytest.approx(2 * min(parts))
    assert decision.p_value(OLD, OLD / 10) == 1.0


@pytest.mark.parametrize(
    ("p_values", "rejected"),
    [
        ([0.025, 0.05], [True, True]),
        ([0.0251, 0.0252], [False, False]),
        ([0.06, 0.02], [False, True]),
        ([0.01, 0.03, 0.03], [True, False, False]),
        ([0.016, 0.025, 0.05], [True, True, True]),
        ([], []),
    ],
)
def test_holm_compares_with_a_share_of_the_rate(p_values, rejected):
    assert decision.holm(p_values, 0.05) == rejected


def test_enough_rows_are_decided():
    assert report(column()).decided
    undecided = report(column(), rows=199)
    assert (undecided.decided, undecided.drifted) == (False, [])
    assert undecided.reason == "199 rows are too few to decide; at least 200 are needed"


@pytest.mark.parametrize(
    ("given", "significant", "drifted", "reason"),
    [
        (column(effect=0.1, share=0.25), True, True, "25.0% of the rows moved; most: red, 50.0% before, 40.0% now"),
        (column(effect=0.0999), True, False, "significant, but the effect 0.100 is below the limit 0.1"),
        (column(p_value=0.2), False, False, "no more than chance"),
    ],
)
def test_column_drifts_by_effect_and_significance(given, significant, drifted, reason):
    judged = report(given)
    assert (given.significant, given.drifted, given.reason) == (significant, drifted, reason)
    assert judged.reason == ("drifted: a" if drifted else "no column drifted")


def test_rate_is_of_all_reports_together():
    first, second, small = (DriftReport(rows, 1_000, [column(p_value=0.03)]) for rows in (200, 200, 10))
    decision.judge([first, second, small], LIMITS)
    assert not first.columns[0].significant
    assert not second.columns[0].significant
    decision.judge([first, small], LIMITS)
    assert first.columns[0].significant


def test_drifted_columns_are_ordered_by_effect_times_importance():
    columns = [
        column("small", effect=0.2, importance=0.5),
        column("large", effect=0.9, importance=0.5),
        column("unknown", effect=0.8),
        column("unimportant", effect=0.9, importance=0.0),
        column("important", effect=0.15, importance=3.5),
    ]
    assert [each.name for each in report(*columns).drifted] == ["important", "large", "small", "unimportant", "unknown"]


def profile(*counts: int) -> ColumnProfile:
    kept = ColumnProfile("string", categories=["red", "green", "blue", "grey"][: len(counts) - 1])
    kept.counts, kept.rows = list(counts), sum(counts)
    return kept


def test_comparison_has_the_bins_that_moved_most():
    found = decision.compare("c", profile(500, 300, 100, 100, 0), profile(40, 30, 25, 5, 0))
    assert [name for name, _, _ in found.moved] == ["blue", "red", "grey"]
    assert found.moved[0][1:] == (0.1, 0.25)
    unchanged = decision.compare("c", profile(500, 500, 0), profile(5, 5, 0))
    assert (unchanged.moved, unchanged.name) == ([], "c")


@pytest.mark.parametrize(("before", "now"), [((0, 0), (5, 5)), ((5, 5), (0, 0))])
def test_column_without_rows_is_not_compared(before, now):
    found = decision.compare("c", profile(*before), profile(*now))
    assert (found.effect, found.p_value, found.share, found.drifted, found.significant) == (0.0, 1.0, 0.0, False, False)
    assert found.moved == []
