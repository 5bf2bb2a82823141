"""Days of the history: which are kept, pooled and tested, with counts that are written down."""

import numpy as np
import pandas as pd
import pytest

from jobs.drift.decision import DriftLimits
from jobs.drift.history import History, slow_drift
from jobs.drift.profile import Builder

LIMITS = DriftLimits(0.07, 1e-4, 200)
EVEN = np.tile(np.arange(100.0), 100)


@pytest.fixture
def base():
    builder = Builder({"x": "number", "y": "number"})
    builder.update(frame(EVEN, EVEN))
    return builder.build()


def frame(x, y):
    return pd.DataFrame({"x": x, "y": y})


def profile(base, x, y=None):
    made = base.empty_like()
    made.update(frame(x, EVEN[: len(x)] if y is None else y))
    return made


def filled(base, days, x, **drifted):
    history = History(1)
    for day in range(1, days + 1):
        history.add(f"2026-11-{day:02d}", profile(base, x), drifted.get(f"d{day}", ()))
    return history


def test_last_32_days_are_kept_in_the_order_of_their_dates(base):
    history = History(1)
    for day in (2, 1, *range(3, 36)):
        history.add(f"day {day:02d}", profile(base, EVEN[:300]))
    assert [each.date for each in history.days] == [f"day {day:02d}" for day in range(4, 36)]


def test_pooled_days_have_rows_missing_values_and_no_drifted_column(base):
    x = np.where(np.arange(300) < 30, np.nan, EVEN[:300])
    history = filled(base, 3, x, d3=["x"])
    pooled = history.pooled(2, base)
    assert pooled.rows == 600
    assert (pooled.columns["x"].rows, pooled.columns["x"].nulls, pooled.columns["x"].counted_nulls) == (300, 30, 30)
    assert sum(pooled.columns["x"].counts) == 270
    assert (pooled.columns["y"].rows, sum(pooled.columns["y"].counts)) == (600, 600)
    assert history.days[2].drifted == ["x"]
    history.add("2026-11-03", profile(base, x), ["y"])
    assert (history.days[2].drifted, history.days[2].rows) == (["x", "y"], 600)


def test_one_day_decides_no_slow_drift(base):
    one = slow_drift(filled(base, 1, EVEN[:300]), base, LIMITS)
    assert (one.drifted, one.decided, one.reason) == ([], False, "too few days or rows to decide")
    two = slow_drift(filled(base, 2, EVEN[:300]), base, LIMITS)
    assert (two.drifted, two.decided, two.reason) == ([], True, "no slow drift")
    assert (two.rows, two.reference_rows) == (600, len(EVEN))


@pytest.mark.parametrize(("days", "drifted"), [(7, False), (8, True)])
def test_half_the_limit_counts_over_eight_days(base, days, drifted):
    """A shift by some 0.05 standard deviations: less than the limit, more than half of it."""
    moved = np.tile(np.clip(EVEN[:2_000] + 1.5, 0, 99), 2)
    found = slow_drift(filled(base, days, moved), base, DriftLimits(0.15, 1e-4, 200))
    assert bool(found.drifted) is drifted, found
    if drifted:
        (column,) = found.drifted
        assert column.reason.startswith(f"over the last 8 days by {column.effect:.3f}: ")
        assert found.reason == "slow drift: x"


@pytest.mark.parametrize("days", [2, 4, 8, 16, 32])
def test_longest_window_is_the_surest(base, days):
    found = slow_drift(filled(base, days, np.clip(EVEN[:600] + 6, 0, 99)), base, LIMITS)
    assert found.drifted[0].reason.startswith(f"over the last {days} days by ")


def test_shortest_of_equally_sure_windows_is_reported(base):
    found = slow_drift(filled(base, 4, np.full(2_000, 500.0)), base, LIMITS)
    assert found.drifted[0].p_value == 0.0
    assert found.drifted[0].reason.startswith("over the last 2 days by ")


@pytest.mark.parametrize(("above", "drifted"), [(0.0, True), (1e-9, False)])
def test_slow_drift_at_the_limit_counts(base, above, drifted):
    history = filled(base, 2, np.clip(EVEN[:600] + 6, 0, 99))
    effect = slow_drift(history, base, LIMITS).drifted[0].effect
    assert bool(slow_drift(history, base, DriftLimits(effect + above, 1e-4, 200)).drifted) is drifted


def test_history_of_another_version_or_without_report_is_empty(base):
    history = filled(base, 2, EVEN[:300])
    report = {"history": {"version": 1, "days": [vars(day) for day in history.days]}}
    assert History.from_report(report, 1) == history
    for given, version in ((report, 2), (None, 1), ({}, 1), ({"history": None}, 1)):
        assert History.from_report(given, version) == History(version)


def test_moved_since_the_first_of_the_last_days(base):
    history, moved = History(1), np.clip(EVEN[:3_000] + 30, 0, 99)
    for day, x in enumerate((moved, EVEN[:3_000], moved, moved), start=1):
        history.add(f"2026-11-{day:02d}", profile(base, x), ["x"] if day == 4 else ())
    assert history.since(base, "x") == "2026-11-03"
    assert history.since(base, "y") == ""
