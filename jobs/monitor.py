"""Monitor: what was asked of the live version since the last run, against the data that it was trained on."""

import json
import os
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from . import captured, live, paths, project, report_html, s3
from .columns import Column, declared, violations
from .drift import decision, statistics_json
from .drift.decision import DriftLimits, DriftReport

NAMESPACE = "ModelFactory"
METRICS_PER_CALL = 500


class Window:
    """The requests of one run, counted on the baseline's bins; memory holds one captured object."""

    def __init__(self, found: live.Live, settings: dict[str, Any]) -> None:
        self.data, self.scores = found.baseline.empty_like(), found.score_baseline.empty_like()
        self._settings, self._columns = settings, found.columns
        self.problems: Counter[tuple[str, str]] = Counter()
        self.bad_lines, self.first_error = 0, ""

    def add(self, batch: captured.Batch) -> None:
        """Count one object."""
        self.bad_lines += batch.bad_lines
        self.first_error = self.first_error or batch.first_error
        if batch.rows is None:
            return
        self.data.update(batch.rows)
        if len(batch.scores):
            self.scores.update(pd.DataFrame({"score": batch.scores}))
        for problem in violations(batch.rows, self._declared(batch.rows)):
            self.problems[problem.column, problem.what] += problem.count

    def _declared(self, rows: pd.DataFrame) -> list[Column]:
        return declared(self._settings, list(rows.columns), rows)

    @property
    def violations(self) -> list[tuple[str, str]]:
        """(column, description) of values that break the schema."""
        return [(name, f"{count} values {what}") for (name, what), count in self.problems.most_common()]


def run() -> None:
    """The job. Raises JobFailure."""
    settings = project.load().settings
    scheduled = datetime.fromisoformat(os.environ.get("SCHEDULED_TIME") or datetime.now(UTC).isoformat())
    found = live.find(os.environ["ENDPOINT_NAME"])
    if found is None:
        print("monitor   there is no endpoint yet; nothing to watch", flush=True)
        publish(scheduled, {"RowsObserved": 0.0})
        _write({"scheduled_time": scheduled.isoformat(), "rows": 0, "reason": "there is no endpoint yet"})
        return
    latest_uri = f"{os.environ['REPORTS_URI']}/latest.json"
    mark = captured.Watermark.from_report(_last(latest_uri))
    objects = captured.new_objects(os.environ["DATA_URI"], os.environ["ENDPOINT_NAME"], mark)
    window = Window(found, settings)
    bucket = s3.split(os.environ["DATA_URI"])[0]
    for entry in objects:
        window.add(captured.read(bucket, entry["Key"], found.columns))
    limits = DriftLimits.from_settings(settings["monitoring"]["drift"])
    drift = decision.compare_all(found.baseline, window.data, found.importance)
    scores = decision.compare_all(found.score_baseline, window.scores)
    decision.judge([drift, scores], limits)
    report = summary(scheduled, found, window, drift, scores) | {"objects": [entry["Key"] for entry in objects]}
    publish(scheduled, metrics_of(found, window, drift, scores), {c.name: c.effect for c in drift.columns})
    _write(report, statistics_json.statistics(window.data), statistics_json.violations(drift, window.violations))
    html = report_html.render(os.environ["MODEL_NAME"], report, found.baseline, window.data)
    (paths.processing_output("report") / "report.html").write_text(html)
    latest = report | {"watermark": mark.moved(objects)}
    target_bucket, key = s3.split(latest_uri)
    s3.client().put_object(Bucket=target_bucket, Key=key, Body=json.dumps(latest).encode())
    print(f"monitor   {window.data.rows} rows against version {found.version}: {drift.reason}", flush=True)


def metrics_of(found: live.Live, window: Window, drift: DriftReport, scores: DriftReport) -> dict[str, float]:
    """The run's metrics. Without rows only that there were none: an old alarm is neither raised nor cleared."""
    values = {"RowsObserved": float(window.data.rows), "HoursSinceTraining": found.hours_since_training}
    if window.data.rows or window.bad_lines:
        values |= {
            "DriftedFeatures": float(len(drift.drifted) + len(scores.drifted)),
            "PredictionDrift": scores.columns[0].effect if scores.columns else 0.0,
            "DataViolations": float(sum(window.problems.values()) + window.bad_lines),
        }
    return values


def summary(
    scheduled: datetime, found: live.Live, window: Window, drift: DriftReport, scores: DriftReport
) -> dict[str, Any]:
    """report.json."""
    return {
        "scheduled_time": scheduled.isoformat(),
        "version": found.version,
        "rows": window.data.rows,
        "reference_rows": drift.reference_rows,
        "decided": drift.decided,
        "reason": drift.reason,
        "drifted": [column.name for column in drift.drifted],
        "features": [asdict(column) for column in drift.columns],
        "prediction": [asdict(column) for column in scores.columns],
        "violations": window.violations,
        "bad_lines": window.bad_lines,
        "first_bad_line": window.first_error,
    }


def publish(scheduled: datetime, values: dict[str, float], by_feature: dict[str, float] | None = None) -> None:
    """PutMetricData as of the scheduled time."""
    model = [
        {"Name": "Environment", "Value": os.environ["FACTORY_ENVIRONMENT"]},
        {"Name": "Model", "Value": os.environ["MODEL_NAME"]},
    ]
    data = [{"MetricName": n, "Dimensions": model, "Value": v, "Timestamp": scheduled} for n, v in values.items()]
    for name, value in (by_feature or {}).items():
        dimensions = [*model, {"Name": "Feature", "Value": name}]
        data.append({"MetricName": "FeatureDrift", "Dimensions": dimensions, "Value": value, "Timestamp": scheduled})
    cloudwatch = s3.client("cloudwatch")
    for start in range(0, len(data), METRICS_PER_CALL):
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data[start : start + METRICS_PER_CALL])


def _last(uri: str) -> dict[str, Any] | None:
    """The last run's report. Listed before it is read: S3 answers 403, not 404, to who may not list all of a bucket."""
    return s3.read_json(uri) if any(True for _ in s3.below(uri)) else None


def _write(report: dict[str, Any], statistics: Any = None, found: Any = None) -> None:
    folder = paths.processing_output("report")
    files = {"report.json": report, "statistics.json": statistics, "constraint_violations.json": found}
    for name, content in files.items():
        if content is not None:
            (folder / name).write_text(json.dumps(content, indent=1))
