"""The alarms of one model; each publishes to the environment's alerts topic."""

from datetime import timedelta
from typing import Literal

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from ..core.nag import suppress
from ..core.names import METRIC_NAMESPACE, VARIANT
from ..core.schedules import interval
from .props import ModelProps

_DAY_SECONDS = 86400
_LONGEST_EVALUATION = timedelta(days=7)
_TOLD_BY_STEP = (
    "People are told of a failed training once, by its step's own event, which has the reason; this is its state."
)


class ModelAlarms(Construct):
    """Drift, quality, data violations, a missed monitor run, a failed training, errors and latency of the endpoint."""

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        monitoring, serving = props.config.monitoring, props.config.serving
        check = _period(interval(monitoring.schedule))
        # CloudWatch looks back seven days at most.
        checks = max(1, min(monitoring.evaluation_periods, int(_LONGEST_EVALUATION.total_seconds()) // check))
        self._alarm(
            "drift",
            "What the endpoint sees or answers has moved away from what the live version was trained on.",
            metric="DriftedFeatures",
            threshold=0,
            period=check,
            periods=checks,
            datapoints=min(monitoring.alarm_periods, checks),
        )
        self._alarm(
            "model-quality",
            "By the labels that have come, even the better end of the quality's interval misses what is asked for.",
            metric="QualityShortfall",
            threshold=0,
            period=check,
        )
        self._alarm(
            "data-violations",
            "Requests break the schema of model.yaml, or far too few or too many come, or labels cannot be read.",
            metric="DataViolations",
            threshold=monitoring.max_data_violations,
            period=check,
        )
        if 2 * interval(monitoring.schedule) <= _LONGEST_EVALUATION:
            self._missed(check)
        pipeline = {"PipelineName": props.names.training_pipeline}
        self._alarm(
            "training-failed",
            "A training failed or was rejected by its gate; the live version stays. (People are told by the failed step.)",
            namespace="AWS/Sagemaker/ModelBuildingPipeline",
            metric="ExecutionFailed",
            dimensions=pipeline,
            statistic="Sum",
            threshold=0,
            missing="notBreaching",
            tell=False,
        )
        self._alarm(
            "retrain-not-started",
            "A drift or quality alarm started no training: there is no new data, or the last training failed.",
            metric="RetrainNotStarted",
            threshold=0,
        )
        endpoint = {"EndpointName": props.names.endpoint, "VariantName": VARIANT}
        self._alarm(
            "endpoint-errors",
            "The endpoint answers with 5XX; a deployment under way is rolled back.",
            namespace="AWS/SageMaker",
            metric="Invocation5XXErrors",
            dimensions=endpoint,
            statistic="Sum",
            threshold=serving.max_errors_per_minute,
            missing="notBreaching",
        )
        self._alarm(
            "endpoint-latency",
            "The model answers too slowly (microseconds, 99th percentile); a deployment under way is rolled back.",
            namespace="AWS/SageMaker",
            metric="ModelLatency",
            dimensions=endpoint,
            statistic="p99",
            threshold=serving.max_latency.total_seconds() * 1e6,
            missing="notBreaching",
        )

    def _missed(self, check: int) -> None:
        self._alarm(
            "monitor-missed",
            "The monitor has not reported for two of its turns.",
            metric="RowsObserved",
            statistic="SampleCount",
            threshold=1,
            comparison="LessThanThreshold",
            period=check,
            periods=2,
            missing="breaching",
        )

    def _alarm(
        self,
        purpose: str,
        description: str,
        *,
        metric: str,
        threshold: float,
        namespace: str = METRIC_NAMESPACE,
        dimensions: dict[str, str] | None = None,
        statistic: str = "Maximum",
        comparison: Literal["GreaterThanThreshold", "LessThanThreshold"] = "GreaterThanThreshold",
        period: int = 60,
        periods: int = 1,
        datapoints: int | None = None,
        missing: Literal["ignore", "notBreaching", "breaching"] = "ignore",
        tell: bool = True,
    ) -> None:
        """An alarm; `missing` is ignore by default: a check that did not happen changes no state. `tell`: publish it."""
        names = self._props.shared
        dimensions = dimensions or {"Environment": names.environment, "Model": self._props.config.name}
        named = statistic in ("Sum", "Maximum", "SampleCount")
        alarm = cloudwatch.CfnAlarm(
            self,
            "".join(part.capitalize() for part in purpose.split("-")),
            alarm_name=self._props.names.alarm(purpose),
            alarm_description=f"{self._props.config.name}: {description}",
            namespace=namespace,
            metric_name=metric,
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value) for name, value in dimensions.items()
            ],
            statistic=statistic if named else None,
            extended_statistic=None if named else statistic,
            period=period,
            evaluation_periods=periods,
            datapoints_to_alarm=datapoints,
            threshold=threshold,
            comparison_operator=comparison,
            treat_missing_data=missing,
            alarm_actions=[names.arn("sns", names.alerts_topic)] if tell else None,
        )
        if not tell:
            suppress(alarm, {"NIST.800.53.R5-CloudWatchAlarmAction": _TOLD_BY_STEP})


def _period(between_checks: timedelta) -> int:
    """Seconds, as CloudWatch takes them: whole minutes, at most a day."""
    minutes = -(-int(between_checks.total_seconds()) // 60)
    return min(max(minutes, 1) * 60, _DAY_SECONDS)
