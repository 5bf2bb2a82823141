"""The metrics of a run, and what a run is given by its environment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from jobs.drift.decision import ColumnDrift, DriftReport
from jobs.drift.history import History
from jobs.drift.quality import Finding
from jobs.failures import JobFailure
from jobs.monitoring import cloudwatch
from jobs.monitoring.captured import Batch
from jobs.monitoring.check import Check
from jobs.monitoring.context import Context, scheduled_time
from jobs.monitoring.window import Window

from .live_traffic import live_version_of


@pytest.fixture
def live(records):
    return replace(live_version_of(records(50), np.zeros(50)), trained=datetime.now(UTC) - timedelta(hours=2))


def report(effect: float, decided: bool = True, name: str = "score", drifted: bool = False) -> DriftReport:
    return DriftReport(300, 300, [ColumnDrift(name, effect, 0.5, drifted=drifted)], decided)


def check(*findings: Finding, **more) -> Check:
    made = Check(report(0.4, name="x"), report(0.1), DriftReport(300, 300, []), None, History(3))
    made.findings = list(findings)
    return replace(made, **more)


@pytest.fixture
def window(live, settings):
    """Makes a window of some rows: x is 0, 1, 2, … and at most 1 by the schema."""
    resolved = settings(data={"schema": {"x": {"type": "number", "maximum": 1.0}, "colour": {"type": "string"}}})

    def make(rows: int, bad: int = 0) -> Window:
        made = Window(live, resolved)
        table = pd.DataFrame({"x": np.arange(float(rows)), "colour": "red"}) if rows else None
        made.add(Batch("a.jsonl", table, np.zeros(rows), bad, lines=rows + bad))
        return made

    return make


def test_violations_are_invalid_values_bad_lines_and_findings(live, window):
    findings = [Finding("volume", "", "few"), Finding("new_category", "colour", "one", violation=False)]
    values = cloudwatch.metrics_of(live, window(5, bad=4), check(*findings))
    assert values.pop("HoursSinceTraining") == pytest.approx(2, abs=0.01)
    # Of x, 2, 3 and 4 are greater than the maximum.
    assert values == {"RowsObserved": 5.0, "DataViolations": 8.0, "DriftedFeatures": 0.0, "PredictionDrift": 0.1}


def test_run_without_rows_and_violations_says_nothing_of_them(live, window):
    undecided = check(drift=report(0.0, decided=False))
    assert cloudwatch.metrics_of(live, window(0), undecided).keys() == {"RowsObserved", "HoursSinceTraining"}
    late = check(Finding("freshness", "", "old"), drift=report(0.0, decided=False))
    assert cloudwatch.metrics_of(live, window(0), late)["DataViolations"] == 1.0


def test_prediction_drift_is_the_largest_of_the_decided_versions(live, window):
    found = check(other_scores=[report(0.3), report(0.9, decided=False)], joint=ColumnDrift("(joint)", 0.25, 0.5))
    values = cloudwatch.metrics_of(live, window(1), found)
    assert (values["PredictionDrift"], values["JointDrift"]) == (0.3, 0.25)


def test_drifted_columns_are_counted_once(live, window):
    found = check(drift=report(0.4, name="x", drifted=True), slow=report(0.2, name="x", drifted=True))
    assert cloudwatch.metrics_of(live, window(1), found)["DriftedFeatures"] == 1.0


def test_metrics_have_environment_model_and_scheduled_time(monkeypatch):
    sent = []
    client = SimpleNamespace(put_metric_data=lambda **request: sent.append(request))
    monkeypatch.setattr(cloudwatch.s3, "client", lambda service: {"cloudwatch": client}[service])
    at = datetime(2026, 11, 26, 5, tzinfo=UTC)
    cloudwatch.publish(Context({}, at, "", "", "prod", "churn"), {"auc": 0.9, "RowsObserved": 3.0})
    model = [{"Name": "Environment", "Value": "prod"}, {"Name": "Model", "Value": "churn"}]
    assert sent == [
        {
            "Namespace": "ModelFactory",
            "MetricData": [
                {"MetricName": name, "Dimensions": model, "Value": value, "Timestamp": at}
                for name, value in (("auc", 0.9), ("RowsObserved", 3.0))
            ],
        }
    ]


def test_run_is_described_by_settings_and_environment(project, monkeypatch):
    loaded = project(problem="regression", serving={"mode": "batch"})
    variables = {
        "SCHEDULED_TIME": "2026-11-26T05:00:00", "DATA_URI": "s3://data/sales", "REPORTS_URI": "s3://data/sales/monitor",
        "FACTORY_ENVIRONMENT": "prod", "MODEL_NAME": "sales", "ENDPOINT_NAME": "factory-prod-sales",
        "PIPELINE_EXECUTION_ID": "e1", "MODEL_PACKAGE_GROUP": "group",
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = Context.from_environment()
    assert found == Context(
        loaded.settings, datetime(2026, 11, 26, 5, tzinfo=UTC), "s3://data/sales", "s3://data/sales/monitor", "prod",
        "sales", "factory-prod-sales", "e1", "group",
    )  # fmt: skip
    assert (found.label, found.regression, found.is_batch) == ("sold", True, True)
    assert (found.monitoring, found.latest_uri) == (
        loaded.settings["monitoring"],
        "s3://data/sales/monitor/latest.json",
    )
    other = project()
    monkeypatch.delenv("PIPELINE_EXECUTION_ID")
    found = Context.from_environment()
    assert (found.settings, found.regression, found.is_batch, found.execution_id) == (other.settings, False, False, "")


def test_run_without_scheduled_time_is_of_now():
    before = datetime.now(UTC)
    assert before <= scheduled_time("") <= datetime.now(UTC)
    with pytest.raises(JobFailure):
        scheduled_time("soon")
