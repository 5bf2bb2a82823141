"""Alarms of a queue in front of a function: messages in its dead-letter queue, and messages that nobody handles."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from .count_alarm import count_alarm
from .names import EnvironmentNames


def not_empty_alarm(
    scope: Construct, names: EnvironmentNames | None, queue_name: str, purpose: str, alarm_topic: sns.ITopic | None
) -> cloudwatch.CfnAlarm:
    """The alarm on messages in the dead-letter queue `queue_name`."""
    return count_alarm(
        scope,
        "NotEmpty",
        names=names,
        purpose=purpose,
        description=f"The queue {queue_name} has messages: read them, fix the cause, then redrive or delete them.",
        namespace="AWS/SQS",
        metric="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": queue_name},
        statistic="Maximum",
        alarm_topic=alarm_topic,
    )


def waiting_alarm(
    scope: Construct,
    names: EnvironmentNames | None,
    queue_name: str,
    purpose: str,
    alarm_topic: sns.ITopic | None,
    *,
    seconds: float,
) -> cloudwatch.CfnAlarm:
    """The alarm on messages of the queue `queue_name` that are older than `seconds`."""
    return count_alarm(
        scope,
        "Waiting",
        names=names,
        purpose=purpose,
        description=f"Messages of the queue {queue_name} wait for more than {seconds / 60:.0f} minutes: its function does not "
        "run. See the function's log, its alarm on errors, and throttled invocations.",
        namespace="AWS/SQS",
        metric="ApproximateAgeOfOldestMessage",
        dimensions={"QueueName": queue_name},
        statistic="Maximum",
        alarm_topic=alarm_topic,
        threshold=seconds,
    )
