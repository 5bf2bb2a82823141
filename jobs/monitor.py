"""Monitor: what was asked of the live version since the last run, against the data that it was trained on."""

import json
import os
from datetime import UTC, datetime
from typing import Any

from . import captured, live, monitor_report, paths, project, report_html, s3
from .check import Check, examine
from .drift import statistics_json
from .drift.history import History
from .failures import JobFailure
from .window import Window

NAMESPACE = "ModelFactory"
METRICS_PER_CALL = 500


def run() -> None:
    """The job. Raises JobFailure, with the names of the objects, when too much of the capture cannot be read."""
    settings = project.load().settings
    scheduled = datetime.fromisoformat(os.environ.get("SCHEDULED_TIME") or datetime.now(UTC).isoformat())
    found = live.find(os.environ["ENDPOINT_NAME"])
    if found is None:
        print("monitor   there is no endpoint yet; nothing to watch", flush=True)
        publish(scheduled, {"RowsObserved": 0.0})
        _write(
            {"report.json": {"scheduled_time": scheduled.isoformat(), "rows": 0, "reason": "there is no endpoint yet"}}
        )
        return
    latest_uri = f"{os.environ['REPORTS_URI']}/latest.json"
    last = _last(latest_uri)
    mark = captured.Watermark.from_report(last)
    objects = captured.new_objects(os.environ["DATA_URI"], os.environ["ENDPOINT_NAME"], mark)
    window = Window(found, settings)
    bucket = s3.split(os.environ["DATA_URI"])[0]
    for entry in objects:
        window.add(captured.read(bucket, entry["Key"], found.columns))
    check = examine(found, window, History.from_report(last, found.version), scheduled, settings["monitoring"])
    report = monitor_report.summary(scheduled, found, window, check) | {"objects": [entry["Key"] for entry in objects]}
    publish(scheduled, metrics_of(found, window, check), {c.name: c.effect for c in check.drift.columns})
    _write(
        {
            "report.json": report,
            "statistics.json": statistics_json.statistics(window.data),
            "constraint_violations.json": statistics_json.violations(check.reports, check.violations(window)),
        }
    )
    folder = paths.processing_output("report")
    html = report_html.render(os.environ["MODEL_NAME"], report, found.baseline, window.data)
    (folder / "report.html").write_text(html)
    if window.quarantine:
        (folder / "quarantine.jsonl").write_text("".join(json.dumps(line) + "\n" for line in window.quarantine))
    # The watermark moves on even when the check fails: bad lines are in quarantine, and the next run has its own to judge.
    kept = {"watermark": mark.moved(objects), "history": monitor_report.history(check.history)}
    target_bucket, key = s3.split(latest_uri)
    s3.client().put_object(Bucket=target_bucket, Key=key, Body=json.dumps(report | kept).encode())
    print(f"monitor   {window.data.rows} rows against version {found.version}: {check.reason}", flush=True)
    _fail_on_bad_lines(window, settings["monitoring"]["max_bad_lines"])


def _fail_on_bad_lines(window: Window, allowed: float) -> None:
    if window.bad_share > allowed:
        files = sorted(window.bad_by_object, key=lambda key: -window.bad_by_object[key])
        named = ", ".join(f"{key} ({window.bad_by_object[key]})" for key in files[:5])
        more = f" and {len(files) - 5} more" if len(files) > 5 else ""
        raise JobFailure(
            f"{window.bad_lines} of {window.lines} captured requests ({window.bad_share:.1%}) cannot be read, more than "
            f"monitoring.max_bad_lines {allowed:.1%}: {named}{more}; the first: {window.first_error}"
        )


def metrics_of(found: live.Live, window: Window, check: Check) -> dict[str, float]:
    """The run's metrics. Without rows only that there were none: an old alarm is neither raised nor cleared."""
    values = {"RowsObserved": float(window.data.rows), "HoursSinceTraining": found.hours_since_training}
    if window.data.rows or window.bad_lines:
        broken = sum(window.problems.values()) + window.bad_lines
        values |= {
            "DriftedFeatures": float(len(check.drifted)),
            "PredictionDrift": check.scores.columns[0].effect if check.scores.columns else 0.0,
            "DataViolations": float(broken + sum(finding.violation for finding in check.findings)),
        }
        if check.joint:
            values["JointDrift"] = check.joint.effect
    return values


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


def _write(files: dict[str, Any]) -> None:
    folder = paths.processing_output("report")
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1))
