"""Drift decisions: false alarms without a change, and power against shifts (tables: benchmarks/drift_calibration.py)."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jobs.drift.decision import DriftLimits, compare, decide, effect_size, holm, p_value, share_moved
from jobs.drift.profile import Builder
from model_factory.config.monitoring import Drift
from tests.unit.drift.trials import QUIET, SHIFTS, Sizes, check, quiet_tables

LIMITS = DriftLimits.from_settings(Drift().model_dump())
ONE_PERCENT = DriftLimits(LIMITS.effect, 0.01, LIMITS.minimum_rows)


@pytest.mark.slow
@pytest.mark.parametrize(("reference", "window"), [(10_000, 1_000), (500_000, 10_000)])
def test_false_alarm_rate_is_at_most_the_chosen_one(reference, window):
    rng, sizes = np.random.default_rng(1), Sizes.of(reference, window)
    reports = [check(quiet_tables(rng, sizes, 20), ONE_PERCENT, window) for _ in range(200)]
    # 7 of 200 or more have a chance of 0.4 % when the true rate is one in a hundred.
    assert sum(any(column.significant for column in report.columns) for report in reports) < 7


@pytest.mark.slow
@pytest.mark.parametrize("kind", QUIET)
def test_p_values_without_a_change_are_not_too_small(kind):
    rng, sizes = np.random.default_rng(3), Sizes.of(10_000, 5_000)
    p_values = np.array([p_value(*QUIET[kind](rng, sizes)) for _ in range(500)])
    assert (p_values <= 0.05).mean() < 0.08
    assert (p_values <= 0.01).mean() < 0.025


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["continuous", "300 equal categories", "2 % missing"])
def test_simulated_counts_are_distributed_as_counted_rows(kind):
    """Calibration draws counts and makes no rows; here both ways give p values and effects of one distribution."""
    rng, sizes, reference_rows, window_rows = np.random.default_rng(11), Sizes.of(2_000, 700), 2_000, 700

    def rows(count: int) -> pd.DataFrame:
        if kind == "300 equal categories":
            return pd.DataFrame({"c": rng.integers(0, 300, count).astype(str)})
        values = rng.normal(size=count)
        return pd.DataFrame(
            {"c": np.where(rng.random(count) < 0.02, np.nan, values) if kind == "2 % missing" else values}
        )

    counted, simulated = [], []
    for _ in range(300):
        builder = Builder({"c": "string" if kind == "300 equal categories" else "number"})
        builder.update(rows(reference_rows))
        before = builder.build()
        now = before.empty_like()
        now.update(rows(window_rows))
        old, new = before.columns["c"].table(), now.columns["c"].table()
        counted.append((p_value(old, new), effect_size(old, new)))
        old, new = QUIET[kind](rng, sizes)
        simulated.append((p_value(old, new), effect_size(old, new)))
    for mine, theirs in zip(np.transpose(counted), np.transpose(simulated), strict=True):
        assert stats.ks_2samp(mine, theirs).pvalue > 0.01


@pytest.mark.parametrize("shift", list(SHIFTS)[:-1])
def test_shift_in_one_of_twenty_columns_is_detected(shift):
    rng, sizes = np.random.default_rng(2), Sizes.of(50_000, 10_000)
    trials = [
        check([SHIFTS[shift](rng, sizes), *quiet_tables(rng, sizes, 19)], LIMITS, 10_000).columns for _ in range(40)
    ]
    assert sum(columns[0].drifted for columns in trials) == 40
    assert not any(column.drifted for columns in trials for column in columns[1:])


def test_small_significant_shift_is_not_drift():
    rng, sizes = np.random.default_rng(5), Sizes.of(500_000, 1_000_000)
    trials = [check([SHIFTS["mean by 0.02 sd"](rng, sizes)], LIMITS, 1_000_000).columns[0] for _ in range(50)]
    assert sum(column.significant for column in trials) >= 48
    assert not any(column.drifted for column in trials)
    assert all("below the limit 0.07" in column.reason for column in trials if column.significant)


@pytest.mark.parametrize("rows", [10_000, 1_000_000])
def test_effect_does_not_depend_on_the_number_of_rows(rows):
    rng, sizes = np.random.default_rng(4), Sizes.of(rows, rows)
    effects = [effect_size(*SHIFTS["mean by 0.25 sd"](rng, sizes)) for _ in range(50)]
    assert 0.22 < np.mean(effects) < 0.26


def test_share_moved_is_unbiased_with_many_bins():
    rng, sizes = np.random.default_rng(6), Sizes.of(10_000, 10_000)
    assert np.mean([share_moved(*QUIET["300 equal categories"](rng, sizes)) for _ in range(50)]) < 0.005


def test_categories_are_not_counted_on_the_rows_that_chose_them():
    """Of 300 equal categories, the hundred most frequent of a sample are so by chance, which a million rows would show."""
    values = pd.DataFrame({"c": np.random.default_rng(7).integers(0, 300, 50_000).astype(str)})
    builder = Builder({"c": "string"})
    builder.update(values)
    reference = builder.build()
    now = reference.empty_like()
    now.update(pd.DataFrame({"c": np.random.default_rng(8).integers(0, 300, 300_000).astype(str)}))
    assert not decide(reference, now, LIMITS).drifted
    lucky = values["c"].value_counts().index[:100].tolist()
    old, new = reference.empty_like().columns["c"], reference.empty_like().columns["c"]
    old.categories = new.categories = lucky
    for column, seed, rows in ((old, 7, 50_000), (new, 8, 300_000)):
        one = reference.empty_like()
        one.columns["c"] = column
        one.update(pd.DataFrame({"c": np.random.default_rng(seed).integers(0, 300, rows).astype(str)}))
    assert compare("c", old, new).p_value < 1e-20


def test_holm_stops_at_the_first_large_p_value():
    assert holm([0.001, 0.04, 0.012], 0.05) == [True, True, True]
    assert holm([0.001, 0.04, 0.03], 0.05) == [True, False, False]


def test_too_few_rows_are_not_decided():
    builder = Builder({"x": "number"})
    builder.update(pd.DataFrame({"x": np.arange(1000.0)}))
    reference = builder.build()
    now = reference.empty_like()
    now.update(pd.DataFrame({"x": np.full(100, 5000.0)}))
    report = decide(reference, now, LIMITS)
    assert not report.decided
    assert not report.drifted
    assert report.reason == "100 rows are too few to decide; at least 200 are needed"


def test_drifted_column_names_the_bin_that_moved_most():
    builder = Builder({"c": "string"})
    builder.update(pd.DataFrame({"c": ["red", "blue"] * 5000}))
    reference = builder.build()
    now = reference.empty_like()
    now.update(pd.DataFrame({"c": ["red"] * 600 + ["blue"] * 400}))
    (column,) = decide(reference, now, LIMITS).drifted
    assert column.moved[0][0] in ("red", "blue")
    assert "of the rows moved" in column.reason


def test_limits_without_all_settings_are_refused():
    with pytest.raises(KeyError):
        DriftLimits.from_settings({"effect": 0.1})
