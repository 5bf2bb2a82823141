"""Model quality as others read it: report.json, CloudWatch metrics, and the files that Model Monitor writes."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..metrics import LESS_IS_BETTER
from .model_quality import Quality


def summary(quality: Quality, evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """`quality` of report.json; `evaluation` is the live version's evaluation.json."""
    at_gate = {name: each["value"] for name, each in evaluation.get("metrics", {}).items()}
    return asdict(quality) | {"coverage": quality.coverage, "worse": quality.worse, "at_gate": at_gate}


def metrics_of(quality: Quality) -> dict[str, float]:
    """CloudWatch metrics by name: no labels, no metrics; those of quality only once it is judged."""
    if not quality.labels:
        return {}
    values = {"LabelledRecords": float(quality.labelled), "LabelCoverage": quality.coverage}
    if quality.judged:
        values |= {name: each["value"] for name, each in quality.metrics.items()}
        values |= {
            "QualityLow": quality.metrics[quality.metric]["low"],
            "QualityHigh": quality.metrics[quality.metric]["high"],
            "QualityShortfall": quality.shortfall,
        }
    return values


def statistics(problem: str, quality: Quality) -> dict[str, Any]:
    """statistics.json of model quality, as Model Monitor writes it."""
    measured = {
        name: {"value": each["value"], "standard_deviation": each["standard_deviation"]}
        for name, each in quality.metrics.items()
    }
    return {"version": 0.0, "dataset": {"item_count": quality.labelled}, f"{problem}_metrics": measured}


def violations(quality: Quality) -> dict[str, Any]:
    """constraint_violations.json of model quality, as Model Monitor writes it."""
    if not quality.worse:
        return {"violations": []}
    measured = quality.metrics[quality.metric]
    kind = "GreaterThanThreshold" if quality.metric in LESS_IS_BETTER else "LessThanThreshold"
    description = (
        f"Metric {quality.metric} with {measured['value']:g} +/- {measured['standard_deviation']:g} was {kind} "
        f"'{quality.limit:g}'"
    )
    violation = {"constraint_check_type": kind, "description": description, "metric_name": quality.metric}
    return {"violations": [violation]}
