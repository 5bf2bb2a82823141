"""A run's check, report and state on values that are written down."""

from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from jobs.drift.decision import ColumnDrift, DriftReport
from jobs.drift.history import Day, History
from jobs.drift.quality import Finding
from jobs.failures import JobFailure
from jobs.monitoring import check, monitor, report, state
from jobs.monitoring.attribution import AMBIGUOUS, UNKNOWN, Attribution
from jobs.monitoring.captured import Batch, Watermark
from jobs.monitoring.check import Check, examine
from jobs.monitoring.live_version import LiveVersion
from jobs.monitoring.state import State
from jobs.monitoring.volume import Volume
from jobs.monitoring.window import Window

from ..conftest import BUCKET
from .live_traffic import live_version_of

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def drift(name: str, drifted: bool = False, **more) -> ColumnDrift:
    return ColumnDrift(name, 0.5, 0.001, drifted=drifted, **more)


def table(*columns: ColumnDrift, decided: bool = True, reason: str = "") -> DriftReport:
    return DriftReport(300, 2_000, list(columns), decided, reason)


def made(**more) -> Check:
    parts = {"drift": table(drift("x")), "scores": table(drift("score")), "slow": table(), "joint": None}
    return Check(**(parts | {"history": History(3)} | more))


def test_comparisons_of_a_check_are_named_once_in_their_order():
    found = made(
        drift=table(drift("x", True), drift("y")),
        scores=table(drift("score", True)),
        other_scores=[table(drift("score of version 2", True))],
        slow=table(drift("y", True), drift("x", True)),
        joint=drift("(joint)", True),
    )
    assert found.drifted == ["x", "score", "score of version 2", "y", "(joint)"]
    assert found.reason == "drifted: x, score, score of version 2, y, (joint)"
    assert [len(each.columns) for each in found.reports] == [2, 1, 1, 2, 1]
    assert found.reports[-1].decided
    assert made().reports[-1].columns == []


def test_check_without_enough_rows_has_the_reason_of_today():
    few = table(decided=False, reason="5 rows are too few")
    assert (made(drift=few).decided, made(drift=few).reason) == (False, "5 rows are too few")
    slow = made(drift=few, slow=table(drift("x", True)))
    assert (slow.decided, slow.reason) == (True, "drifted: x")
    assert (made().decided, made().reason) == (True, "no column drifted")


def test_violations_of_a_check_are_those_of_schema_and_findings():
    findings = [Finding("volume", "", "few rows"), Finding("new_category", "c", "one", violation=False)]
    window = SimpleNamespace(violations=[("x", "3 values are missing")])
    assert made(findings=findings).violations(window) == [("x", "3 values are missing"), ("", "few rows")]


@pytest.fixture
def live(records) -> LiveVersion:
    return live_version_of(records(2_000), np.linspace(0, 1, 2_000))


def checked(live, settings, rows: pd.DataFrame | None, history: History | None = None) -> tuple[Check, Window]:
    window = Window(live, settings())
    if rows is not None:
        window.add(Batch("a", rows[["x", "colour"]], np.linspace(0, 1, len(rows)), 0, lines=len(rows)))
    return examine(live, window, history or History(3), NOON, settings()["monitoring"]), window


def test_rate_of_false_alarms_is_shared_by_the_comparisons(live, settings, records, monkeypatch):
    rates = {}
    judge, slow, joint = check.decision.judge, check.slow_drift, check.joint_drift
    monkeypatch.setattr(
        check.decision, "judge", lambda reports, limits: rates.update(today=limits) or judge(reports, limits)
    )
    monkeypatch.setattr(check, "slow_drift", lambda *given: rates.update(slow=given[2]) or slow(*given))
    monkeypatch.setattr(check, "joint_drift", lambda *given: rates.update(joint=given[3]) or joint(*given))
    checked(live, settings, records(300, seed=1))
    rate = settings()["monitoring"]["drift"]["false_alarm_rate"]
    shares = {name: limits.false_alarm_rate / rate for name, limits in rates.items()}
    assert shares == pytest.approx({"today": 0.6, "slow": 0.2, "joint": 0.2})
    assert {limits.effect for limits in rates.values()} == {settings()["monitoring"]["drift"]["effect"]}


def test_rows_of_the_run_are_added_to_their_day(live, settings, records):
    found, _ = checked(live, settings, records(300, seed=1).assign(x=9.0))
    assert [(day.date, day.rows, day.drifted) for day in found.history.days] == [("2026-11-26", 300, ["x"])]
    assert found.quantiles == {"x": [9.0] * 11}
    assert found.explanations == {"x": "broken feed: every value is 9; training again will not help"}
    assert found.since == {"x": "2026-11-26"}
    assert [column.importance for column in found.drift.columns] == [0.7, 0.3]
    empty, _ = checked(live, settings, None)
    assert (empty.history.days, empty.quantiles, empty.joint) == ([], {}, None)
    without_sample, _ = checked(replace(live, sample=None), settings, records(300, seed=1))
    assert without_sample.joint is None


def test_report_has_the_comparison_of_each_column(live, settings, records):
    found, window = checked(live, settings, records(300, seed=1).assign(x=9.0))
    found.findings = [Finding("volume", "", "few rows")]
    found.other_scores = [table(drift("score of version 2"))]
    window.answered = Counter({3: 250, 2: 40, UNKNOWN: 5, AMBIGUOUS: 5})
    window.bad_by_object, window.first_error = {"b": 2}, "b, line 1: no"
    written = report.summary(NOON, live, window, found)
    x, colour = written.pop("features")
    assert (x["name"], x["drifted"], x["since"], x["quantiles_now"]) == ("x", True, "2026-11-26", [9.0] * 11)
    assert x["quantiles_before"] == live.baseline.columns["x"].quantiles
    assert x["weight"] == pytest.approx(0.7 * x["effect"])
    assert (x["meaning"], x["reason"]) == (found.explanations["x"], found.drift.columns[0].reason)
    assert (colour["drifted"], colour["since"], colour["meaning"], colour["quantiles_now"]) == (False, "", "", [])
    assert [each["name"] for each in written.pop("prediction")] == ["score", "score of version 2"]
    assert written == {
        "scheduled_time": "2026-11-26T12:00:00+00:00",
        "version": 3,
        "rows": 300,
        "reference_rows": 2_000,
        "decided": True,
        "reason": found.reason,
        "drifted": found.drifted,
        "answered": {"2": 40, "3": 250},
        "ambiguous": 5,
        "slow": {"reason": found.slow.reason, "columns": []},
        "joint": asdict(found.joint),
        "violations": [("", "few rows")],
        "findings": [asdict(found.findings[0])],
        "bad_lines": 2,
        "bad_by_object": {"b": 2},
        "first_bad_line": "b, line 1: no",
    }


def test_column_that_drifted_over_days_has_that_reason():
    live = SimpleNamespace(baseline=SimpleNamespace(columns={"x": SimpleNamespace(quantiles=[1.0])}))
    slow = made(slow=table(drift("y", True), drift("x", True, reason="over the last 8 days")))
    today = drift("x", reason="no more than chance")
    found = report._feature(today, live, slow)
    assert (found["drifted"], found["reason"], found["weight"]) == (True, "over the last 8 days", 0.0)
    both = report._feature(drift("x", True, reason="half moved"), live, slow)
    assert (both["drifted"], both["reason"]) == (True, "half moved")
    neither = report._feature(today, live, made())
    assert (neither["drifted"], neither["reason"]) == (False, "no more than chance")


def test_state_of_the_first_run_is_empty(s3, live):
    found = State.read(f"s3://{BUCKET}/sales/monitor/latest.json", live)
    assert found == State(Watermark(), History(3), Volume(), None, Attribution.after(None, live))


def test_state_is_written_for_the_next_run(s3, live):
    uri = f"s3://{BUCKET}/sales/monitor/latest.json"
    history = History(3, [Day("2026-11-26", 5, {"x": [5, 0]}, ["x"])])
    kept = State(Watermark(), history, Volume({"2026-11-26": 5}), None, Attribution(3, 2, 10, 20))
    kept = kept.after([{"Key": "a", "LastModified": NOON}])
    kept.write(uri, {"version": 3, "rows": 5, "scheduled_time": NOON.isoformat()})
    assert state.s3.read_json(uri) == {
        "version": 3,
        "rows": 5,
        "scheduled_time": "2026-11-26T12:00:00+00:00",
        "watermark": {"newest": "2026-11-26T12:00:00+00:00", "keys": ["a"]},
        "history": {
            "version": 3,
            "days": [{"date": "2026-11-26", "rows": 5, "columns": {"x": [5, 0]}, "drifted": ["x"]}],
        },
        "volume": {"2026-11-26": 5},
        "shift": {"before": 2, "start": 10, "end": 20},
    }
    assert State.read(uri, live) == kept
    other = State.read(uri, replace(live, version=4))
    assert (other.history, other.watermark) == (History(4), kept.watermark)


@pytest.mark.parametrize(("files", "named"), [(5, ""), (7, " and 2 more")])
def test_objects_with_most_bad_lines_are_named(files, named):
    window = SimpleNamespace(
        bad_by_object={f"{number}.jsonl": number for number in range(1, files + 1)}, bad_lines=28, lines=100, bad_share=0.28,
        first_error="1.jsonl, line 1: no",
    )  # fmt: skip
    monitor.fail_on_bad_lines(window, 0.28)
    with pytest.raises(JobFailure) as failure:
        monitor.fail_on_bad_lines(window, 0.27)
    worst = ", ".join(f"{number}.jsonl ({number})" for number in range(files, files - 5, -1))
    assert str(failure.value) == (
        "28 of 100 captured requests (28.0%) cannot be read, more than monitoring.max_bad_lines 27.0%: "
        f"{worst}{named}; the first: 1.jsonl, line 1: no"
    )
