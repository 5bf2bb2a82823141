"""The alarms of one model; people are notified of them by the environment's alerts topic."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from ..core.nag import suppress
from ..core.names import CHALLENGER
from ..core.schedules import interval
from .alarm_periods import Periods, of_missed_checks, of_newest_checks
from .metrics import endpoint_metric, model_metric, pipeline_metric
from .props import ModelProps

_STATE_ONLY = "Another notification gives the reason, as the alarm's description says."
_STEP_FAILURE_RULE = "Notifications come from the step-failure rule; this alarm only reports state."
_RETRAIN_ALERT = "An alert of the function retrain gives the reason; this alarm only reports state."
_TRIAL_ALERT = "An alert of the function deploy gives the reason; this alarm only reports state."
CHALLENGER_ALARMS = ("challenger-errors", "challenger-latency")
"""Purposes of the alarms of a version that answers a share of the requests."""
_ALERTS_FUNCTION = (
    "Notifications come from the alerts function: a rule of the environment sends it every change of the alarm."
)
_IGNORE, _NOT_BREACHING = cloudwatch.TreatMissingData.IGNORE, cloudwatch.TreatMissingData.NOT_BREACHING


@dataclass(frozen=True)
class AlarmSpec:
    """One alarm.

    Args:
        purpose: Last part of the alarm's name.
        description: When the alarm is raised.
        metric: The metric, with its statistic and period.
        threshold: Limit, in the metric's unit.
        comparison: Which side of the threshold is in alarm. Default: above it.
        evaluation_periods: Number of most recent periods that are evaluated. Default: 1.
        datapoints: Number of periods, among those evaluated, that raise the alarm. Default: all.
        missing: Treatment of missing data. Default: IGNORE, a check that did not run does not change the state.
        notify: Whether the alarm publishes to the topic. Default: True.
        by_missing_data: Whether it publishes when its metric stops (the state INSUFFICIENT_DATA) instead of in ALARM.
            Default: False.
    """

    purpose: str
    description: str
    metric: cloudwatch.Metric
    threshold: float
    comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
    evaluation_periods: int = 1
    datapoints: int | None = None
    missing: cloudwatch.TreatMissingData = _IGNORE
    notify: bool = True
    by_missing_data: bool = False


class ModelAlarms(Construct):
    """Alarms of drift, model quality, data violations, missed checks, failed trainings, and the endpoint or failed scoring.

    Attributes:
        alarms: The alarms by purpose, such as `alarms["drift"]`. There is no `monitor-missed` where two checks are
            more than seven days apart, because CloudWatch evaluates at most seven days. A model with a pipeline of its own
            has no baselines, so it has no alarms of drift, quality, violations and missed checks.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        props: The model. Uses `alarm_topic`; without it, the alarms have no action.
        by_events: Whether the environment's alerts function notifies of the alarms, which then have no action. Default: False.
    """

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps, *, by_events: bool = False) -> None:
        super().__init__(scope, construct_id)
        self._by_events = by_events
        self.alarms: Mapping[str, cloudwatch.IAlarm] = {
            spec.purpose: self._alarm(props, spec)
            for specs in (
                () if props.own_pipeline else _monitor_alarms(props),
                _training_alarms(props),
                _serving_alarms(props),
            )
            for spec in specs
        }

    def __getitem__(self, purpose: str) -> cloudwatch.IAlarm:
        return self.alarms[purpose]

    def _alarm(self, props: ModelProps, spec: AlarmSpec) -> cloudwatch.IAlarm:
        alarm = cloudwatch.Alarm(
            self,
            "".join(part.capitalize() for part in spec.purpose.split("-")),
            alarm_name=props.names.alarm(spec.purpose),
            alarm_description=f"{props.config.name}: {spec.description}",
            metric=cast(cloudwatch.IMetric, spec.metric),
            threshold=spec.threshold,
            comparison_operator=spec.comparison,
            evaluation_periods=spec.evaluation_periods,
            datapoints_to_alarm=spec.datapoints,
            treat_missing_data=spec.missing,
        )
        if not spec.notify:
            suppress(alarm, {"NIST.800.53.R5-CloudWatchAlarmAction": _STATE_ONLY})
        elif self._by_events:
            suppress(alarm, {"NIST.800.53.R5-CloudWatchAlarmAction": _ALERTS_FUNCTION})
        elif props.alarm_topic:
            add_action = alarm.add_insufficient_data_action if spec.by_missing_data else alarm.add_alarm_action
            add_action(cast(Any, actions.SnsAction(props.alarm_topic)))
        # jsii gives the parameters of Alarm and IAlarm different names, so a type checker sees no IAlarm in an Alarm.
        return cast(cloudwatch.IAlarm, alarm)


def _monitor_alarms(props: ModelProps) -> Iterator[AlarmSpec]:
    monitoring = props.config.monitoring
    between_checks = interval(monitoring.schedule)
    drift = of_newest_checks(between_checks, monitoring.evaluation_periods, monitoring.alarm_periods)

    def metric(name: str, periods: Periods = drift, **options: Any) -> cloudwatch.Metric:
        return model_metric(props.names, name, period=Duration.seconds(periods.seconds), **options)

    yield AlarmSpec(
        "drift",
        "Requests or predictions differ from the training data of the deployed version.",
        metric("DriftedFeatures"),
        threshold=0,
        evaluation_periods=drift.evaluated,
        datapoints=drift.to_alarm,
    )
    yield AlarmSpec(
        "model-quality",
        "By ground truth, even the better end of the metric's confidence interval misses its limit.",
        metric("QualityShortfall"),
        threshold=0,
    )
    yield AlarmSpec(
        "data-violations",
        "Requests violate the schema of model.yaml, their number is unusual, or labels cannot be read.",
        metric("DataViolations"),
        threshold=monitoring.max_data_violations,
    )
    if missed := of_missed_checks(between_checks):
        # An alarm starts in INSUFFICIENT_DATA and only changes of the state notify: so a model that has never been checked
        # is silent, with TreatMissingData BREACHING it would be in ALARM minutes after its first deployment.
        yield AlarmSpec(
            "monitor-missed",
            "INSUFFICIENT_DATA: at least two scheduled checks have not reported, or there was no check yet.",
            metric("RowsObserved", missed, statistic="SampleCount"),
            threshold=1,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=missed.evaluated,
            missing=cloudwatch.TreatMissingData.MISSING,
            by_missing_data=True,
        )


def _training_alarms(props: ModelProps) -> Iterator[AlarmSpec]:
    minute = Duration.minutes(1)
    yield AlarmSpec(
        "training-failed",
        f"A training failed or was rejected by its gate; the deployed version stays. {_STEP_FAILURE_RULE}",
        pipeline_metric(props.names.training_pipeline, "ExecutionFailed", period=minute),
        threshold=0,
        missing=_NOT_BREACHING,
        notify=False,
    )
    yield AlarmSpec(
        "retrain-not-started",
        f"A drift or quality alarm started no training, and none has started since. {_RETRAIN_ALERT}",
        model_metric(props.names, "RetrainNotStarted", period=minute),
        threshold=0,
        notify=False,
    )


def _serving_alarms(props: ModelProps) -> Iterator[AlarmSpec]:
    if props.config.serving.mode != "batch":
        yield from _endpoint_alarms(props)
        return
    yield AlarmSpec(
        "scoring-failed",
        f"A run that scores files failed; files without predictions are scored by the next run. {_STEP_FAILURE_RULE}",
        pipeline_metric(props.names.scoring_pipeline, "ExecutionFailed", period=Duration.minutes(1)),
        threshold=0,
        missing=_NOT_BREACHING,
        notify=False,
    )


def _endpoint_alarms(props: ModelProps) -> Iterator[AlarmSpec]:
    serving, minute = props.config.serving, Duration.minutes(1)
    yield AlarmSpec(
        "endpoint-errors",
        "Too many 5XX responses of the endpoint; a deployment in progress is rolled back.",
        endpoint_metric(props.names.endpoint, "Invocation5XXErrors", period=minute),
        threshold=serving.max_errors_per_minute,
        missing=_NOT_BREACHING,
    )
    yield AlarmSpec(
        "endpoint-latency",
        "The p99 latency of the model, in microseconds, is too high; a deployment in progress is rolled back.",
        endpoint_metric(props.names.endpoint, "ModelLatency", statistic="p99", period=minute),
        threshold=serving.max_latency.total_seconds() * 1e6,
        missing=_NOT_BREACHING,
    )
    if serving.mode == "async":
        yield AlarmSpec(
            "requests-expired",
            "Requests waited too long in the queue of the endpoint and were not processed; their callers get no answer.",
            endpoint_metric(props.names.endpoint, "ExpiredRequests", period=minute),
            threshold=0,
            missing=_NOT_BREACHING,
        )
    if serving.challenger is None or serving.challenger.mode != "split":
        return
    # A shadow variant answers nobody, so its errors end nothing.
    metric = partial(endpoint_metric, props.names.endpoint, variant=CHALLENGER, period=minute)
    yield AlarmSpec(
        CHALLENGER_ALARMS[0],
        f"Too many 5XX responses of the version on trial, which ends. {_TRIAL_ALERT}",
        metric("Invocation5XXErrors"),
        threshold=serving.max_errors_per_minute,
        missing=_NOT_BREACHING,
        notify=False,
    )
    yield AlarmSpec(
        CHALLENGER_ALARMS[1],
        f"The p99 latency of the version on trial, in microseconds, is too high; the trial ends. {_TRIAL_ALERT}",
        metric("ModelLatency", statistic="p99"),
        threshold=serving.max_latency.total_seconds() * 1e6,
        missing=_NOT_BREACHING,
        notify=False,
    )
