"""The job monitor: requests captured since the last run against the live version's baselines, and its quality from labels."""

import json
from dataclasses import dataclass
from typing import Any

from .. import paths, s3
from ..drift import statistics_json
from ..drift.quality import Finding
from ..failures import JobFailure
from . import (
    captured,
    cloudwatch,
    live_version,
    model_quality,
    predictions,
    quality_report,
    report,
    report_html,
    scored,
    trial,
)
from .attribution import Attribution
from .check import Check, examine
from .context import Context
from .live_version import LiveVersion
from .model_quality import Judgement
from .state import State
from .window import Window

NO_ENDPOINT = "there is no endpoint yet"
NO_VERSION = "no version is approved yet"


@dataclass(frozen=True)
class Result:
    """What one run read and decided. `objects`: the captured objects, as entries of ListObjectsV2."""

    live: LiveVersion
    objects: list[dict[str, Any]]
    window: Window
    check: Check
    judgement: Judgement
    comparison: trial.Comparison | None = None


def run() -> None:
    """Run the job. Raises JobFailure when there is no endpoint although a version is approved.

    Raises it also with the objects' names when too many captured requests cannot be read. Then everything is written all the
    same: the bad lines are in quarantine, and the next run starts after them.
    """
    context = Context.from_environment()
    live = (
        live_version.approved(context.model_package_group) if context.is_batch else live_version.find(context.endpoint)
    )
    if live is None:
        _report_no_endpoint(context)
        return
    state = State.read(context.latest_uri, live)
    result, state = _check(context, live, state)
    content = _report(context, result)
    _publish(context, result)
    _write_output(context, result, content)
    state.write(context.latest_uri, content)
    print(f"monitor   {content['rows']} rows against version {live.version}: {result.check.reason}")
    print(f"quality   {result.judgement.quality.reason}")
    if found := result.comparison:
        print(f"trial     version {found.challenger} against version {found.live}: {found.reason}")
    fail_on_bad_lines(result.window, context.monitoring["max_bad_lines"])


def _report_no_endpoint(context: Context) -> None:
    """Raises JobFailure when there should be one; then no metric is published, and the alarm monitor-missed stays."""
    reason = NO_VERSION if context.is_batch else NO_ENDPOINT
    if (version := live_version.newest_approved(context.model_package_group)) is not None:
        raise JobFailure(
            f"there is no endpoint {context.endpoint}, although version {version} is approved: nothing serves requests. "
            f"`model-factory redeploy {context.model_name} --env {context.environment}` creates it"
        )
    print(f"monitor   {reason}; there is nothing to monitor")
    cloudwatch.publish(context, {"RowsObserved": 0.0})
    _write_json({"report.json": {"scheduled_time": context.scheduled.isoformat(), "rows": 0, "reason": reason}})


def _check(context: Context, live: LiveVersion, state: State) -> tuple[Result, State]:
    """Read what is new, store its predictions and check it; the state for the next run."""
    objects = captured.new_objects(context.data_uri, context.endpoint, state.watermark)
    state = state.after(objects)
    copies = [entry for entry in objects if trial.is_copy(entry)]
    trial.store_copies(context, live, copies)
    window = _read_window(context, live, state.attribution, [entry for entry in objects if not trial.is_copy(entry)])
    check = examine(live, window, state.history, context.scheduled, context.monitoring)
    check.findings += [*window.answered_findings(), *_volume_findings(context, state, window)]
    predictions.write(window.predictions, context.reports_uri, context.scheduled, context.execution_id)
    judgement = model_quality.judge(context, live, state.quality, has_new_records=bool(window.data.rows))
    check.findings += judgement.quality.findings(context.monitoring["max_bad_lines"])
    return Result(live, objects, window, check, judgement, trial.judge(context, live)), state


def _read_window(
    context: Context, live: LiveVersion, attribution: Attribution, objects: list[dict[str, Any]]
) -> Window:
    window = Window(live, context.settings, attribution)
    bucket, _ = s3.split(context.data_uri)
    for entry in objects:
        read = scored.read if entry["Key"].endswith(".parquet") else captured.read
        window.add(read(bucket, entry["Key"], live.columns, live.version))
    return window


def _volume_findings(context: Context, state: State, window: Window) -> list[Finding]:
    """Add the window's rows to their day, and check the number of rows and the age of the newest request."""
    scheduled, monitoring = context.scheduled, context.monitoring
    interval_seconds = monitoring["interval_seconds"]
    state.volume.add(scheduled.date(), window.data.rows)
    return [
        *state.volume.unusual(scheduled.date(), interval_seconds),
        *state.volume.stale(state.watermark.newest, scheduled, interval_seconds, monitoring["max_age"]),
    ]


def _report(context: Context, result: Result) -> dict[str, Any]:
    """report.json."""
    return report.summary(context.scheduled, result.live, result.window, result.check) | {
        "objects": [entry["Key"] for entry in result.objects],
        "quality": quality_report.summary(result.judgement.quality, result.live.evaluation),
        "trial": result.comparison.to_dict() if result.comparison else None,
    }


def _publish(context: Context, result: Result) -> None:
    values = cloudwatch.metrics_of(result.live, result.window, result.check)
    if result.judgement.is_new:
        values |= quality_report.metrics_of(result.judgement.quality)
    cloudwatch.publish(context, values)


def _write_output(context: Context, result: Result, content: dict[str, Any]) -> None:
    """The files of the output `report`; quarantine.jsonl only when lines could not be read."""
    window, check, quality = result.window, result.check, result.judgement.quality
    _write_json(
        {
            "report.json": content,
            "statistics.json": statistics_json.statistics(window.data),
            "constraint_violations.json": statistics_json.violations(check.reports, window.violations, check.findings),
            "model_quality_statistics.json": quality_report.statistics(context.settings["problem"], quality),
            "model_quality_constraint_violations.json": quality_report.violations(quality),
        }
    )
    folder = paths.processing_output("report")
    page = report_html.render(context.model_name, context.environment, content, result.live.baseline, window.data)
    (folder / "report.html").write_text(page)
    if window.quarantine:
        (folder / "quarantine.jsonl").write_text("".join(json.dumps(line) + "\n" for line in window.quarantine))


def _write_json(files: dict[str, Any]) -> None:
    folder = paths.processing_output("report")
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1))


def fail_on_bad_lines(window: Window, allowed: float) -> None:
    """Raise JobFailure when more than the share `allowed` of the captured requests cannot be read."""
    if window.bad_share > allowed:
        files = sorted(window.bad_by_object, key=lambda key: -window.bad_by_object[key])
        named = ", ".join(f"{key} ({window.bad_by_object[key]})" for key in files[:5])
        more = f" and {len(files) - 5} more" if len(files) > 5 else ""
        raise JobFailure(
            f"{window.bad_lines} of {window.lines} captured requests ({window.bad_share:.1%}) cannot be read, more than "
            f"monitoring.max_bad_lines {allowed:.1%}: {named}{more}; the first: {window.first_error}"
        )
