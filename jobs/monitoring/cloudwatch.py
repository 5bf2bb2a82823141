"""The CloudWatch metrics of a run, with the dimensions Environment and Model, and Feature for the drift of one column."""

from .. import s3
from .check import Check
from .context import Context
from .live_version import LiveVersion
from .window import Window

NAMESPACE = "ModelFactory"
METRICS_PER_CALL = 500


def metrics_of(live: LiveVersion, window: Window, check: Check) -> dict[str, float]:
    """Metrics of drift and data quality by name. A check that decided nothing publishes none, and changes no alarm."""
    values = {"RowsObserved": float(window.data.rows), "HoursSinceTraining": live.hours_since_training}
    invalid_values = sum(window.problems.values())
    violations = invalid_values + window.bad_lines + sum(finding.violation for finding in check.findings)
    if window.data.rows or violations:
        values["DataViolations"] = float(violations)
    if check.decided:
        values["DriftedFeatures"] = float(len(check.drifted))
        values["PredictionDrift"] = check.scores.columns[0].effect if check.scores.columns else 0.0
        if check.joint:
            values["JointDrift"] = check.joint.effect
    return values


def publish(context: Context, values: dict[str, float], drift_by_feature: dict[str, float] | None = None) -> None:
    """PutMetricData at the scheduled time: `values` by metric name, and FeatureDrift by column."""
    model = [
        {"Name": "Environment", "Value": context.environment},
        {"Name": "Model", "Value": context.model_name},
    ]
    data = [_datum(context, name, value, model) for name, value in values.items()]
    for feature, effect in (drift_by_feature or {}).items():
        data.append(_datum(context, "FeatureDrift", effect, [*model, {"Name": "Feature", "Value": feature}]))
    cloudwatch = s3.client("cloudwatch")
    for start in range(0, len(data), METRICS_PER_CALL):
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data[start : start + METRICS_PER_CALL])


def _datum(context: Context, name: str, value: float, dimensions: list[dict[str, str]]) -> dict[str, object]:
    return {"MetricName": name, "Dimensions": dimensions, "Value": value, "Timestamp": context.scheduled}
