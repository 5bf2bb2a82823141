"""Slow drift: detected over windows of days, without false alarms."""

import numpy as np
import pandas as pd
import pytest

from jobs.drift.decision import DriftLimits, decide
from jobs.drift.history import History, slow_drift
from jobs.drift.profile import Builder
from model_factory.config.monitoring import Drift

LIMITS = DriftLimits.from_settings(Drift().model_dump())
TYPES = {"x": "number", "y": "number", "c": "string"}


def rows(rng, count: int, shift: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame(
        {"x": rng.normal(shift, 1, count), "y": rng.normal(size=count), "c": rng.choice(["a", "b", "c"], count)}
    )


def reference(rng, count: int = 20_000):
    builder = Builder(TYPES)
    builder.update(rows(rng, count))
    return builder.build()


def profile(base, data):
    made = base.empty_like()
    made.update(data)
    return made


def test_shift_too_small_for_a_day_is_detected_over_a_month():
    rng = np.random.default_rng(0)
    base, history, alarms = reference(rng), History(1), 0
    for day in range(32):
        today = profile(base, rows(rng, 400, shift=0.12))
        alarms += bool(decide(base, today, LIMITS).drifted)
        history.add(f"2026-11-{day + 1:02d}" if day < 30 else f"2026-12-{day - 29:02d}", today)
    assert alarms == 0
    found = slow_drift(history, base, LIMITS)
    assert [column.name for column in found.drifted] == ["x"]
    assert "days" in found.drifted[0].reason


@pytest.mark.slow
def test_days_without_a_change_raise_no_slow_alarm():
    rng = np.random.default_rng(1)
    limits = DriftLimits(LIMITS.effect, 0.01 / 32, LIMITS.minimum_rows)
    false = 0
    for _ in range(25):
        base, history = reference(rng, 5000), History(1)
        alarmed = False
        for day in range(16):
            history.add(f"2026-11-{day + 1:02d}", profile(base, rows(rng, 2000)))
            alarmed |= bool(slow_drift(history, base, limits).drifted)
        false += alarmed
    assert false <= 1


def test_since_is_the_first_of_the_moved_days():
    rng = np.random.default_rng(2)
    base, history = reference(rng), History(1)
    for day in range(1, 10):
        history.add(f"2026-11-{day:02d}", profile(base, rows(rng, 3000, shift=0.4 if day >= 6 else 0.0)))
    assert history.since(base, "x") == "2026-11-06"
    assert history.since(base, "y") == ""


def test_checks_of_a_day_add_up_and_new_versions_start_empty():
    rng = np.random.default_rng(3)
    base, history = reference(rng), History(1)
    parts = [rows(rng, 500), rows(rng, 300)]
    for part in parts:
        history.add("2026-11-01", profile(base, part))
    assert history.pooled(1, base).columns["x"].counts == profile(base, pd.concat(parts)).columns["x"].counts
    report = {
        "history": {
            "version": 1,
            "days": [{"date": d.date, "rows": d.rows, "columns": d.columns} for d in history.days],
        }
    }
    assert History.from_report(report, 1) == history
    assert History.from_report(report, 2).days == []
