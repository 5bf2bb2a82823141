"""The factory at a glance: one row for each model in each environment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from htpy import Node, Renderable, a, section, span
from htpy import h2 as heading

from model_factory.core.next_run import next_run
from model_factory.core.schedules import interval

from .elements import age, note, number, sheet, when
from .sources import ModelReport

TITLES = (
    "model",
    "environment",
    "state",
    "version",
    "age",
    "metric",
    "drift",
    "alarms",
    "last training",
    "next training",
    "next check",
)
NO_BREAK = "\u00a0"
GOOD = ("live", "training", "deploying", "cooling down")


def glance(reports: Sequence[ModelReport], now: datetime) -> Renderable:
    """The table of all models."""
    if not reports:
        return section(aria_labelledby="glance")[heading("#glance")["At a glance"], note("No model is deployed.")]
    return section(aria_labelledby="glance")[
        heading("#glance")["At a glance"],
        sheet("All models", TITLES, [_row(each, now) for each in reports], numbers=(3,)),
    ]


def _row(report: ModelReport, now: datetime) -> Sequence[Node]:
    status, config = report.status, report.config
    return (
        a(href=f"#{report.key}")[status.model],
        status.environment,
        span(class_="good" if status.state in GOOD else "bad")[status.state],
        f"v{status.version}" if status.version else "-",
        age(report.endpoint_since, now),
        _unbroken(measured(report)),
        _drift(report),
        ", ".join(status.alarms) or "none",
        _training(report, now),
        _next(config.retrain.schedule, config.retrain.timezone, None, now) if config else "-",
        _next(config.monitoring.schedule, config.monitoring.timezone, _last_check(report), now) if config else "-",
    )


def _unbroken(text: str) -> str:
    """The text with a line break at most before its interval."""
    return text.replace(" ", NO_BREAK).replace(f"{NO_BREAK}(", " (")


def measured(report: ModelReport) -> str:
    """The gate's metric of the version with its interval, as `auc 0.9056 (0.8991 to 0.9113)`."""
    evaluation = report.document("evaluation")
    name = evaluation.get("gate", {}).get("metric")
    each: dict[str, Any] = evaluation.get("metrics", {}).get(name, {})
    if not each:
        return report.status.metric or "-"
    return f"{name} {number(each['value'])} ({number(each['low'])} to {number(each['high'])})"


def _drift(report: ModelReport) -> Node:
    if not report.runs:
        return "not checked yet"
    last = report.runs[-1]
    if last["drifted"]:
        return span(".bad")[", ".join(last["drifted"])]
    # A run on no rows has found nothing, because there was nothing to find.
    return f"none on {last['rows']:,} rows" if last["decided"] else f"not decided: {last['reason']}"


def _training(report: ModelReport, now: datetime) -> str:
    status = report.status
    if not status.training:
        return "none"
    why = f", {status.trigger or 'by hand'}" + (f": {status.training_reason}" if status.training_reason else "")
    return f"{status.training} {age(status.trained, now)} ago{why}"


def _last_check(report: ModelReport) -> datetime | None:
    return datetime.fromisoformat(report.runs[-1]["scheduled_time"]) if report.runs else None


def _next(expression: str | None, zone: str, last: datetime | None, now: datetime) -> str:
    """When a schedule is due next; the schedule itself where that is not known.

    `last`: when it was due last, from which a rate counts.
    """
    if not expression:
        return "by hand"
    due = next_run(expression, zone, now)
    if due is None and last and expression.startswith("rate("):
        step = interval(expression)
        due = last + step * max(1, -((last - now) // step))
    return when(due) if due else f"{expression} {zone}"
