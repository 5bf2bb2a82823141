"""The factory at a glance: one row for each model in each environment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from htpy import Node, Renderable, a, section, span
from htpy import h2 as heading

from .elements import age, note, number, sheet
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
    "trains",
    "checks",
)
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
        measured(report),
        _drift(report),
        ", ".join(status.alarms) or "none",
        _training(report, now),
        _schedule(config.retrain.schedule, config.retrain.timezone) if config else "-",
        _schedule(config.monitoring.schedule, config.monitoring.timezone) if config else "-",
    )


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


def _schedule(expression: str | None, zone: str) -> str:
    return f"{expression} {zone}" if expression else "by hand"
