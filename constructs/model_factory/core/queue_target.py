"""A FIFO queue of the environment as the target of EventBridge rules."""

from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs


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
