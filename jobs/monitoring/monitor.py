"""Monitor: what was asked of the live version since the last run, against what it was trained on; and how right it was."""

import json
import os
from datetime import UTC, datetime
from typing import Any

from .. import paths, project, s3
from ..drift import statistics_json
from ..drift.history import History
from ..drift.quality import Finding
from ..failures import JobFailure
from . import captured, live, model_quality, predictions, report_html
from . import report as monitor_report
from .check import Check, examine
from .model_quality import Quality
from .volume import Volume
from .window import Window

NAMESPACE = "ModelFactory"
METRICS_PER_CALL = 500


def run() -> None:
    """The job. Raises JobFailure, with the names of the objects, when too much of the capture cannot be read."""
    settings = project.load().settings
    scheduled = scheduled_time(os.environ.get("SCHEDULED_TIME", ""))
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
    before = version_before(last, found.version)
    window = Window(found, settings, before)
    bucket = s3.split(os.environ["DATA_URI"])[0]
    for entry in objects:
        window.add(captured.read(bucket, entry["Key"], found.columns))
    moved = mark.moved(objects)
    check = examine(found, window, History.from_report(last, found.version), scheduled, settings["monitoring"])
    volume = Volume.from_report(last)
    check.findings += data_findings(volume, window, moved["newest"], scheduled, settings["monitoring"])
    predictions.write(window.answers, scheduled)
    quality, anew = model_quality.judge(
        found, settings, os.environ["DATA_URI"], scheduled, Quality.from_report(last), bool(window.data.rows)
    )
    check.findings += quality.findings(settings["monitoring"]["max_bad_lines"])
    report = monitor_report.summary(scheduled, found, window, check) | {
        "objects": [entry["Key"] for entry in objects],
        "quality": model_quality.report(quality, found.evaluation),
    }
    values = metrics_of(found, window, check) | (model_quality.metrics_of(quality) if anew else {})
    publish(scheduled, values, {c.name: c.effect for c in check.drift.columns})
    violations = statistics_json.violations(check.reports, window.violations, check.findings)
    _write(
        {
            "report.json": report,
            "statistics.json": statistics_json.statistics(window.data),
            "constraint_violations.json": violations,
            "model_quality_statistics.json": model_quality.statistics(settings["problem"], quality),
            "model_quality_constraint_violations.json": model_quality.violations(quality),
        }
    )
    folder = paths.processing_output("report")
    html = report_html.render(os.environ["MODEL_NAME"], report, found.baseline, window.data)
    (folder / "report.html").write_text(html)
    if window.quarantine:
        (folder / "quarantine.jsonl").write_text("".join(json.dumps(line) + "\n" for line in window.quarantine))
    # The watermark moves on even when the check fails: bad lines are in quarantine, and the next run has its own to judge.
    kept = {
        "watermark": moved,
        "history": monitor_report.history(check.history),
        "volume": volume.days,
        "version_before": before,
    }
    target_bucket, key = s3.split(latest_uri)
    s3.client().put_object(Bucket=target_bucket, Key=key, Body=json.dumps(report | kept).encode())
    print(f"monitor   {window.data.rows} rows against version {found.version}: {check.reason}", flush=True)
    print(f"quality   {quality.reason}", flush=True)
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


def scheduled_time(text: str) -> datetime:
    """The time that the run stands for: now when none is given, UTC where no zone is said. Raises JobFailure."""
    try:
        time = datetime.fromisoformat(text) if text else datetime.now(UTC)
    except ValueError:
        raise JobFailure(f"ScheduledTime must be a time such as 2026-11-24T05:00:00Z, not {text!r}") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def version_before(last: dict[str, Any] | None, version: int) -> int:
    """The version that answered before the live one, as far as the last run knew; 0 before the first."""
    if not last or "version" not in last:
        return 0
    return last["version"] if last["version"] != version else last.get("version_before", 0)


def data_findings(
    volume: Volume, window: Window, newest: str | None, scheduled: datetime, monitoring: dict[str, Any]
) -> list[Finding]:
    """Whether as much comes as is usual, and whether anything still does; the window's rows join the days."""
    volume.add(scheduled.date(), window.data.rows)
    interval = monitoring["interval_seconds"]
    seen = datetime.fromisoformat(newest) if newest else None
    return [
        *volume.unusual(scheduled.date(), interval),
        *volume.stale(seen, scheduled, interval, monitoring["max_age"]),
    ]


def metrics_of(found: live.Live, window: Window, check: Check) -> dict[str, float]:
    """The run's metrics. What could not be decided is left out: an old alarm is neither raised nor cleared by it."""
    values = {"RowsObserved": float(window.data.rows), "HoursSinceTraining": found.hours_since_training}
    broken = sum(window.problems.values()) + window.bad_lines + sum(finding.violation for finding in check.findings)
    if window.data.rows or broken:
        values["DataViolations"] = float(broken)
    if check.decided:
        values |= {
            "DriftedFeatures": float(len(check.drifted)),
            "PredictionDrift": check.scores.columns[0].effect if check.scores.columns else 0.0,
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
