"""A model's schedules: what they call, and their role and dead letters."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from ..core.permissions import allow, service_role, use_key
from .pipeline import SageMakerPipeline
from .props import ModelProps

SCHEDULER_TIME = "<aws.scheduler.scheduled-time>"
"""What EventBridge Scheduler replaces by the time that an invocation stands for."""


@dataclass(frozen=True)
class Target:
    """What a schedule calls.

    Args:
        arn: Its ARN.
        content: The input as JSON.
        statement: Allows the call.
        more: Further properties of `CfnSchedule.TargetProperty`, such as `sqs_parameters`. Default: none.
    """

    arn: str
    content: Mapping[str, Any]
    statement: iam.PolicyStatement
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])


def start_pipeline(pipeline: SageMakerPipeline, props: ModelProps, request: Mapping[str, Any]) -> Target:
    """StartPipelineExecution. `request`: its members besides name and token."""
    content = {
        "PipelineName": pipeline.pipeline_name,
        # One token for one scheduled time: a repeated delivery does not start a second execution.
        "ClientRequestToken": f"{pipeline.pipeline_name}-{SCHEDULER_TIME}",
        **request,
    }
    arn = f"arn:{props.environment_names.partition}:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    return Target(arn, content, allow(["sagemaker:StartPipelineExecution"], [pipeline.pipeline_arn]))


def invoke(function: lambda_.IFunction, content: Mapping[str, Any]) -> Target:
    """An invocation of a function with `content` as its event."""
    return Target(function.function_arn, content, allow(["lambda:InvokeFunction"], [function.function_arn]))


def model_schedule(
    scope: Construct,
    props: ModelProps,
    purpose: str,
    target: Target,
    *,
    expression: str,
    timezone: str,
    description: str,
    window: dict[str, Any],
    retries: dict[str, Any],
) -> scheduler.CfnSchedule:
    """The schedule `purpose` of a model.

    Args:
        scope: Parent construct.
        props: The model.
        purpose: Part of the schedule's name, and of its role's where the environment has none.
        target: What it calls.
        expression: When, as EventBridge Scheduler takes it.
        timezone: IANA name.
        description: Of the schedule.
        window: The property `flexible_time_window`.
        retries: The property `retry_policy` of its target.
    """
    return scheduler.CfnSchedule(
        scope,
        "Schedule",
        name=props.names.schedule(purpose),
        description=description,
        schedule_expression=expression,
        schedule_expression_timezone=timezone,
        flexible_time_window=window,
        target=scheduler.CfnSchedule.TargetProperty(
            arn=target.arn,
            role_arn=_role(scope, props, purpose, [target.statement]).role_arn,
            input=json.dumps(target.content),
            retry_policy=retries,
            **_dead_letters(props),
            **target.more,
        ),
    )


def _role(scope: Construct, props: ModelProps, purpose: str, statements: Sequence[iam.PolicyStatement]) -> iam.IRole:
    """The environment's role; without one, a new role with `statements` that can write to the dead-letter queue."""
    if props.scheduler_role:
        return props.scheduler_role
    undelivered = props.undelivered_queue
    role = service_role(
        scope,
        "ScheduleRole",
        names=props.environment_names,
        name=props.role_name(f"{purpose}-schedule"),
        service="scheduler",
        description=f"Schedule {purpose} of {props.config.name}",
        statements=[
            *statements,
            *([allow(["sqs:SendMessage"], [undelivered.queue_arn])] if undelivered else []),
            *([use_key(props.key.key_arn)] if props.key else []),
        ],
    )
    # jsii gives the parameters of Role and IRole different names, so a type checker sees no IRole in a Role.
    return cast(iam.IRole, role)


def _dead_letters(props: ModelProps) -> dict[str, Any]:
    """The property `dead_letter_config` of a schedule's target; empty without a queue."""
    return {"dead_letter_config": {"arn": props.undelivered_queue.queue_arn}} if props.undelivered_queue else {}
