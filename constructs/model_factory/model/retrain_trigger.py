"""Starts trainings by schedule, by alarm and after another one: messages to the retrain queue, and lambda/retrain decides."""

from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..core.permissions import allow
from ..core.queue_target import queue_target
from .metrics import model_metric
from .props import ModelProps
from .schedules import SCHEDULER_TIME, Target, model_schedule


class RetrainTrigger(Construct):
    """The schedule and the rule that send messages to the retrain queue; the message group is the model.

    With `promoted_from` there is neither, because the versions come from another environment.

    Attributes:
        queue: The retrain queue; None with `promoted_from`.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        props: The model. Needs `retrain_queue`, unless `promoted_from` is given; uses `scheduler_role`,
            `undelivered_queue` and `key`.

    Raises:
        ValueError: The retrain queue is missing.
    """

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id)
        self._names = props.names
        self.queue: sqs.IQueue | None = None
        if props.promoted_from:
            return
        props.require(self, "retrain_queue")
        self.queue = props.retrain_queue
        if props.config.retrain.schedule and self.queue:
            self._schedule(props, props.config.retrain.schedule, self.queue)
        self._rule(props)

    def grant_request_training(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a principal to send messages to the retrain queue (docs/reference/contracts.md has their format).

        Args:
            grantee: The principal, such as a role or a Lambda function.

        Raises:
            ValueError: The versions of the model come from another environment.
        """
        if self.queue is None:
            raise ValueError(f"{self.node.path}: there is no retrain queue, because versions of the model are promoted")
        return self.queue.grant_send_messages(grantee)

    def metric_retrain_started(self, **options: Any) -> cloudwatch.Metric:
        """Number of trainings that were started.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Sum over 5 minutes.
        """
        return model_metric(self._names, "RetrainStarted", **{"statistic": "Sum", **options})

    def metric_retrain_skipped(self, **options: Any) -> cloudwatch.Metric:
        """Number of requests for a training that were skipped, such as those within the cooldown.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Sum over 5 minutes.
        """
        return model_metric(self._names, "RetrainSkipped", **{"statistic": "Sum", **options})

    def _schedule(self, props: ModelProps, expression: str, queue: sqs.IQueue) -> None:
        model = props.config.name
        target = Target(
            queue.queue_arn,
            {"model": model, "trigger": "schedule", "reason": f"schedule {expression}", "id": SCHEDULER_TIME},
            allow(["sqs:SendMessage"], [queue.queue_arn]),
            {"sqs_parameters": {"messageGroupId": model}},
        )
        model_schedule(
            self,
            props,
            "retrain",
            target,
            expression=expression,
            timezone=props.config.retrain.timezone,
            description=f"Requests a training of {model}",
            window={"mode": "OFF"},
            retries={"maximumRetryAttempts": 10, "maximumEventAgeInSeconds": 3600},
        )

    def _rule(self, props: ModelProps) -> None:
        """One rule for the alarms and for the start and end of a training: an event bus has 300 rules.

        CloudWatch sends one event when the state of an alarm changes, and none while it stays.
        """
        retrain = props.config.retrain
        enabled = {"drift": retrain.on_drift, "model-quality": retrain.on_quality}
        changed: dict[str, Any] = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
            "detail": {
                "pipelineArn": [props.environment_names.arn("sagemaker", f"pipeline/{props.names.training_pipeline}")],
                "currentPipelineExecutionStatus": ["Executing", "Succeeded", "Failed", "Stopped"],
            },
        }
        raised: dict[str, Any] = {
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {
                "alarmName": [props.names.alarm(purpose) for purpose, on in enabled.items() if on],
                "state": {"value": ["ALARM"]},
            },
        }
        events.CfnRule(
            self,
            "DriftRule",
            name=props.names.rule("drift"),
            description=f"Requests a training of {props.config.name} when its drift or model-quality alarm is raised, and "
            "reports the start and end of each training",
            event_pattern={"$or": [raised, changed]} if any(enabled.values()) else changed,
            targets=[model_target(props, "Retrain", self.queue)],
        )


def model_target(
    props: ModelProps, target_id: str, queue: sqs.IQueue | None, message: str | None = None
) -> events.CfnRule.TargetProperty:
    """Target of a rule: a FIFO queue, with the model as the message group. `message`: its text; default: the event."""
    if queue is None:
        raise ValueError(f"target {target_id!r} of a rule of {props.config.name!r} has no queue")
    return queue_target(target_id, queue, group=props.config.name, undelivered=props.undelivered_queue, message=message)
