"""Checks of the example's census years: drifted columns, likely causes, report and page; without AWS."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jobs.columns import Column, canonical
from jobs.drift import statistics_json
from jobs.drift.history import History
from jobs.drift.profile import Builder
from jobs.failures import JobFailure
from jobs.monitoring import cloudwatch, monitor
from jobs.monitoring.captured import Batch
from jobs.monitoring.check import Check, examine
from jobs.monitoring.live_version import LiveVersion
from jobs.monitoring.report import summary
from jobs.monitoring.state import State
from jobs.monitoring.window import Window
from model_factory.config.monitoring import Monitoring

DATA = Path(__file__).parents[4] / "models/employment/data"
TEXTS = ["SCHL", "MAR", "DIS", "SEX", "ANC"]
COLUMNS = [Column("AGEP", "integer", nullable=True), *(Column(name) for name in TEXTS)]
SETTINGS = {
    "data": {"label": "employed", "schema": {}},
    "monitoring": Monitoring().model_dump(mode="json"),
}
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def year(number: int) -> pd.DataFrame:
    return canonical(pd.read_parquet(DATA / f"{number}.parquet"), COLUMNS)[0]


def scores(rows: pd.DataFrame) -> np.ndarray:
    return np.clip(rows["AGEP"].fillna(0).to_numpy(dtype="float64") / 100, 0, 1)


@pytest.fixture(scope="module")
def live() -> LiveVersion:
    data = year(2015)
    builder, score = Builder({column.name: column.type for column in COLUMNS}), Builder({"score": "number"})
    builder.update(data)
    score.update(pd.DataFrame({"score": scores(data)}))
    importance = {"AGEP": 0.6, "SCHL": 0.3, "MAR": 0.1}
    return LiveVersion(3, NOON, builder.build(), score.build(), importance, COLUMNS, builder.rows(5000))


def checked(
    live: LiveVersion, rows: pd.DataFrame, history: History | None = None, when: datetime = NOON
) -> tuple[Check, Window]:
    window = Window(live, SETTINGS)
    window.add(Batch("captured/a.jsonl", rows, scores(rows), 0, lines=1))
    return examine(live, window, history or History(3), when, SETTINGS["monitoring"]), window


def test_sample_of_the_baseline_year_does_not_drift(live):
    rows = year(2015).sample(8000, replace=True, random_state=1)
    check, window = checked(live, rows)
    assert check.drifted == []
    assert cloudwatch.metrics_of(live, window, check)["DriftedFeatures"] == 0


def test_age_in_months_is_explained_as_changed_unit(live):
    check, window = checked(live, year(2016).assign(AGEP=lambda rows: rows["AGEP"] * 12))
    assert {"AGEP", "score"} <= set(check.drifted)
    assert check.explanations["AGEP"] == "changed unit: every quantile is 12 times what it was (years to months)"
    report = summary(NOON, live, window, check)
    assert max(report["features"], key=lambda feature: feature["weight"])["name"] == "AGEP"
    assert next(f for f in report["features"] if f["name"] == "AGEP")["since"] == "2026-11-24"
    found = statistics_json.violations(check.reports, check.violations(window))["violations"]
    assert {"AGEP", "score"} <= {each["feature_name"] for each in found}
    assert {each["constraint_check_type"] for each in found} == {"baseline_drift_check"}


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        (lambda rows: rows.assign(AGEP=np.nan), "AGEP", "broken feed: 100% of the values are missing"),
        (lambda rows: rows.assign(AGEP=40), "AGEP", "broken feed: every value is 40"),
        (lambda rows: rows.assign(MAR="1"), "MAR", "broken feed: nearly every value is 1"),
        (lambda rows: rows.assign(MAR=rows["MAR"].where(rows.index % 10 > 0, "9")), "MAR", "new category: 10.0%"),
        (lambda rows: rows.assign(AGEP=rows["AGEP"].where(rows.index % 10 > 0)), "AGEP", "more missing values: +10.0%"),
        (lambda rows: rows[rows["AGEP"] > 30], "AGEP", "population change: the median went from"),
    ],
)
def test_drift_is_explained_by_its_shape(live, change, column, words):
    check, _ = checked(live, change(year(2015).reset_index(drop=True)))
    assert check.explanations[column].startswith(words), check.explanations


def test_new_category_is_a_finding_with_its_values(live):
    rows = year(2015).reset_index(drop=True)
    check, _ = checked(live, rows.assign(MAR=rows["MAR"].where(rows.index % 1000 > 0, "married twice")))
    (finding,) = [finding for finding in check.findings if finding.kind == "new_category"]
    assert (finding.column, finding.violation) == ("MAR", False)
    assert "'married twice' (16)" in finding.text


def test_too_few_rows_publish_no_drift_metric(live):
    check, window = checked(live, year(2015)[:100])
    assert not check.decided
    assert "DriftedFeatures" not in cloudwatch.metrics_of(live, window, check)
    assert cloudwatch.metrics_of(live, window, check)["RowsObserved"] == 100


def test_repaired_feed_stops_drifting(live):
    history, rows = History(3), year(2015)
    broken, _ = checked(live, rows.assign(AGEP=rows["AGEP"] * 12), history, NOON - timedelta(days=1))
    assert "AGEP" in broken.drifted
    mended, _ = checked(live, rows, history)
    assert mended.drifted == []


def test_state_is_read_back_from_the_report(live):
    check, _ = checked(live, year(2015))
    state = replace(State.from_report(None, live), history=check.history)
    assert State.from_report(json.loads(json.dumps(state.to_dict())), live) == state


def test_too_many_bad_lines_fail_with_object_names(live):
    window = Window(live, SETTINGS)
    window.add(Batch("captured/good.jsonl", year(2015)[:90], np.empty(0), 0, lines=90))
    window.add(
        Batch("captured/bad.jsonl", None, np.empty(0), 10, "captured/bad.jsonl, line 1: no", 10, [{"line": "1"}])
    )
    monitor.fail_on_bad_lines(window, 0.10)
    with pytest.raises(JobFailure, match=r"10 of 100 captured requests \(10\.0%\).*captured/bad\.jsonl \(10\)"):
        monitor.fail_on_bad_lines(window, 0.05)
    assert window.quarantine == [{"line": "1"}]
