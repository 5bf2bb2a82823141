"""A FIFO queue of the environment as the target of EventBridge rules."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from constructs import Construct


def queue_rule(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    description: str,
    pattern: Mapping[str, Any],
    target_id: str,
    queue: sqs.IQueue,
    undelivered: sqs.IQueue,
) -> events.CfnRule:
    """A rule for all models of an environment, whose target is a FIFO queue.

    Its message group is `_<construct_id in lower case>`: no model has a name with an underscore, so a rule does not wait for a
    model's messages.

    Args:
        scope: Parent construct.
        construct_id: Id of the rule in `scope`.
        name: Name of the rule.
        description: What it sends where.
        pattern: Event pattern.
        target_id: Id of the target in the rule.
        queue: The queue.
        undelivered: Dead-letter queue of the rule.
    """
    target = queue_target(target_id, queue, group=f"_{construct_id.lower()}", undelivered=undelivered)
    return events.CfnRule(
        scope, construct_id, name=name, description=description, event_pattern=dict(pattern), targets=[target]
    )


def queue_target(
    target_id: str, queue: sqs.IQueue, *, group: str, undelivered: sqs.IQueue | None, message: str | None = None
) -> events.CfnRule.TargetProperty:
    """A FIFO queue as the target of a rule.

    Args:
        target_id: Id of the target in the rule.
        queue: The queue.
        group: Message group of the rule's messages.
        undelivered: Dead-letter queue of the rule. None: events that cannot be delivered are lost.
        message: Text of every message. Default: the event.
    """
    return events.CfnRule.TargetProperty(
        id=target_id,
        arn=queue.queue_arn,
        input=message,
        sqs_parameters=events.CfnRule.SqsParametersProperty(message_group_id=group),
        dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn) if undelivered else None,
    )
