"""What asks for a retraining: the schedule, the drift and the quality alarm. They only send a message; lambda/retrain decides."""

import json

from aws_cdk import aws_events as events
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from ..environment.scheduler_role import scheduler_role_arn
from .props import ModelProps

_TIME = "<aws.scheduler.scheduled-time>"


class RetrainTrigger(Construct):
    """The schedule and the rule in front of the retrain queue; the message group is the model.

    Neither is there where versions are promoted to: what they trained would be no version that was promoted.
    """

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id)
        if props.promoted_from:
            return
        if props.config.retrain.schedule:
            self._schedule(props, props.config.retrain.schedule)
        asking = {"drift": props.config.retrain.on_drift, "model-quality": props.config.retrain.on_quality}
        if alarms := [purpose for purpose, asks in asking.items() if asks]:
            self._alarm_rule(props, alarms)

    def _schedule(self, props: ModelProps, expression: str) -> None:
        model, names = props.config.name, props.shared
        message = {"model": model, "trigger": "schedule", "reason": f"schedule {expression}", "id": _TIME}
        scheduler.CfnSchedule(
            self,
            "Schedule",
            name=props.names.schedule("retrain"),
            description=f"Trains {model} again",
            schedule_expression=expression,
            schedule_expression_timezone=props.config.retrain.timezone,
            flexible_time_window={"mode": "OFF"},
            target=scheduler.CfnSchedule.TargetProperty(
                arn=names.arn("sqs", names.queue("retrain")),
                role_arn=scheduler_role_arn(names),
                input=json.dumps(message),
                sqs_parameters={"messageGroupId": model},
                retry_policy={"maximumRetryAttempts": 10, "maximumEventAgeInSeconds": 3600},
                dead_letter_config={"arn": names.arn("sqs", names.undelivered_queue)},
            ),
        )

    def _alarm_rule(self, props: ModelProps, alarms: list[str]) -> None:
        """CloudWatch sends an event when an alarm's state changes: one that goes on asks no second time."""
        events.CfnRule(
            self,
            "DriftRule",
            name=props.names.rule("drift"),
            description=f"What {props.config.name} answers has drifted or is too often wrong: asks for a retraining",
            event_pattern={
                "source": ["aws.cloudwatch"],
                "detail-type": ["CloudWatch Alarm State Change"],
                "detail": {"alarmName": list(map(props.names.alarm, alarms)), "state": {"value": ["ALARM"]}},
            },
            targets=[to_queue(props, "retrain")],
        )


def to_queue(props: ModelProps, purpose: str) -> events.CfnRule.TargetProperty:
    """A rule's target: the environment's queue for `purpose`, in the model's message group."""
    names = props.shared
    return events.CfnRule.TargetProperty(
        id=purpose.capitalize(),
        arn=names.arn("sqs", names.queue(purpose)),
        sqs_parameters=events.CfnRule.SqsParametersProperty(message_group_id=props.config.name),
        dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=names.arn("sqs", names.undelivered_queue)),
    )
