"""The CloudWatch metrics of a run, with the dimensions Environment and Model. The report has the drift of every column."""

from .. import s3
from .check import Check
from .context import Context
from .live_version import LiveVersion
from .window import Window

NAMESPACE = "ModelFactory"


def metrics_of(live: LiveVersion, window: Window, check: Check) -> dict[str, float]:
    """Metrics of drift and data quality by name. A check that decided nothing publishes none, and changes no alarm."""
    values = {"RowsObserved": float(window.data.rows), "HoursSinceTraining": live.hours_since_training}
    invalid_values = sum(window.problems.values())
    violations = invalid_values + window.bad_lines + sum(finding.violation for finding in check.findings)
    if window.data.rows or violations:
        values["DataViolations"] = float(violations)
    if check.decided:
        values["DriftedFeatures"] = float(len(check.drifted))
        values["PredictionDrift"] = max(_decided_effects(check))
        if check.joint:
            values["JointDrift"] = check.joint.effect
    return values


def _decided_effects(check: Check) -> list[float]:
    """Effects of the live version's scores, and of other versions' where they had enough rows to decide."""
    others = (column.effect for report in check.other_scores if report.decided for column in report.columns)
    return [*(column.effect for column in check.scores.columns), *others]


def publish(context: Context, values: dict[str, float]) -> None:
    """PutMetricData of `values`, by metric name, at the scheduled time."""
    model = [
        {"Name": "Environment", "Value": context.environment},
        {"Name": "Model", "Value": context.model_name},
    ]
    data = [_datum(context, name, value, model) for name, value in values.items()]
    s3.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)


def _datum(context: Context, name: str, value: float, dimensions: list[dict[str, str]]) -> dict[str, object]:
    return {"MetricName": name, "Dimensions": dimensions, "Value": value, "Timestamp": context.scheduled}
