"""Role and dead letters of a model's schedules, where the environment has no role for all of them."""

from collections.abc import Sequence
from typing import Any, cast

from aws_cdk import aws_iam as iam
from constructs import Construct

from ..core.permissions import allow, service_role, use_key
from .props import ModelProps


def scheduler_role(
    scope: Construct, props: ModelProps, purpose: str, statements: Sequence[iam.PolicyStatement]
) -> iam.IRole:
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


def dead_letters(props: ModelProps) -> dict[str, Any]:
    """The property `dead_letter_config` of a schedule's target; empty without a queue."""
    return {"dead_letter_config": {"arn": props.undelivered_queue.queue_arn}} if props.undelivered_queue else {}
