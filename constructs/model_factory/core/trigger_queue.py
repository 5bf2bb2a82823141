"""Queues: a FIFO queue in front of a function, with its dead-letter queue, and the dead-letter queue of rules and schedules."""

from typing import Any, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .count_alarm import count_alarm
from .encryption_key import key_or_own
from .nag import suppress
from .names import EnvironmentNames, StackLocation
from .permissions import service_principal
from .queue_alarms import not_empty_alarm, waiting_alarm

_FOURTEEN_DAYS = Duration.days(14)
MAX_RECEIVES = 5
"""Lambda's guide recommends five at least: invocations that Lambda throttles count as well."""
_STATE_ONLY = "The function sends an alert for each message that it gives up; this alarm only reports state."


class TriggerQueueBase(Construct):
    """Grants and metrics of a trigger queue, created here or imported by `TriggerQueue.from_names`."""

    queue: sqs.IQueue
    """The FIFO queue."""
    dead_letters: sqs.IQueue
    """The FIFO queue of messages that the function refused, or that were received five times without success."""

    def grant_send_messages(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to send messages to the queue."""
        return self.queue.grant_send_messages(grantee)

    def grant_consume_messages(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to receive messages of the queue and to delete them."""
        return self.queue.grant_consume_messages(grantee)

    def metric_age_of_oldest_message(self, **options: Any) -> cloudwatch.Metric:
        """Seconds that the oldest message has been in the queue. `options` are those of `cloudwatch.Metric`."""
        return self.queue.metric_approximate_age_of_oldest_message(**options)

    def metric_messages_visible(self, **options: Any) -> cloudwatch.Metric:
        """Messages that can be received. `options` are those of `cloudwatch.Metric`."""
        return self.queue.metric_approximate_number_of_messages_visible(**options)

    def metric_dead_letters(self, **options: Any) -> cloudwatch.Metric:
        """Messages in the dead-letter queue. `options` are those of `cloudwatch.Metric`."""
        return self.dead_letters.metric_approximate_number_of_messages_visible(**options)


class TriggerQueue(TriggerQueueBase):
    """A FIFO queue in front of a function, its dead-letter queue and their alarms.

    Messages of one message group (in a factory: of one model) are handled one after the other. A message that was
    received five times without success goes to the dead-letter queue and stays there for 14 days.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment: the queue is `<prefix>-<purpose>.fifo`. Default: CloudFormation generates names.
        purpose: What the messages request, such as `retrain`; part of the names. Default: `construct_id`.
        key: Key that encrypts messages. Default: a key of its own.
        function_timeout: Timeout of the function that reads the queue; the visibility timeout is six times as long.
            Default: one minute.
        alarm_topic: Topic that the alarms publish to. Default: the alarms have no action.
        function_alerts: Whether the function sends an alert for each message that it gives up; then the alarm on dead
            letters has no action. Default: False.
        delay: Time after which a message can be received. SQS keeps one of equal messages within five minutes, so with a delay
            of five minutes a burst of equal messages is received as one, after the last of them. Default: none.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames | None = None,
        purpose: str | None = None,
        key: kms.IKey | None = None,
        function_timeout: Duration | None = None,
        alarm_topic: sns.ITopic | None = None,
        function_alerts: bool = False,
        delay: Duration | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        purpose = purpose or construct_id
        timeout = function_timeout or Duration.minutes(1)
        key = key_or_own(self, key, names, services=["events"])
        dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=names.dead_letter_queue(purpose) if names else None,
            fifo=True,
            content_based_deduplication=True,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=_FOURTEEN_DAYS,
        )
        queue = sqs.Queue(
            self,
            "Queue",
            queue_name=names.queue(purpose) if names else None,
            fifo=True,
            content_based_deduplication=True,
            encryption_master_key=key,
            enforce_ssl=True,
            delivery_delay=delay,
            # Lambda's recommendation, so that no message becomes visible while its batch is still being processed.
            visibility_timeout=Duration.seconds(visibility := 6 * timeout.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=MAX_RECEIVES),
        )
        self.queue, self.dead_letters = cast(sqs.IQueue, queue), cast(sqs.IQueue, dead_letters)
        _allow_rules(self.queue, names)
        self.alarm = not_empty_alarm(
            self,
            names,
            names.dead_letter_queue(purpose) if names else dead_letters.queue_name,
            f"{purpose}-dead-letters",
            None if function_alerts else alarm_topic,
        )
        """The alarm on dead letters."""
        if function_alerts:
            suppress(self.alarm, {"NIST.800.53.R5-CloudWatchAlarmAction": _STATE_ONLY})
        # A function that runs gives a message up within minutes. One that cannot run leaves it until SQS moves it.
        self.waiting_alarm = waiting_alarm(
            self,
            names,
            names.queue(purpose) if names else queue.queue_name,
            f"{purpose}-waiting",
            alarm_topic,
            seconds=(MAX_RECEIVES - 1) * visibility + (delay.to_seconds() if delay else 0),
        )
        """The alarm on messages that the function does not handle, before SQS moves them to the dead-letter queue."""

    @staticmethod
    def from_names(
        scope: Construct, construct_id: str, names: EnvironmentNames, purpose: str, *, key: kms.IKey | None = None
    ) -> TriggerQueueBase:
        """Import a trigger queue of a deployed environment.

        Args:
            scope: Parent construct.
            construct_id: Id of the imported queue in `scope`.
            names: Names of the environment.
            purpose: `retrain`, `deploy` or `score`.
            key: The environment's key; grants include it. Default: grants are for the queue alone.
        """
        imported = TriggerQueueBase(scope, construct_id)
        imported.queue = import_queue(imported, "Queue", names, names.queue(purpose), key)
        imported.dead_letters = import_queue(imported, "DeadLetters", names, names.dead_letter_queue(purpose), key)
        return imported


class UndeliveredQueue(Construct):
    """The dead-letter queue of EventBridge rules and schedules, which cannot use a FIFO queue for that, and its alarm.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment: the queue is `<prefix>-undelivered`. Default: CloudFormation generates the name.
        key: Key that encrypts messages. Default: a key of its own.
        alarm_topic: Topic that the alarm on messages publishes to. Default: the alarm has no action.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames | None = None,
        key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        queue = sqs.Queue(
            self,
            "Queue",
            queue_name=names.undelivered_queue if names else None,
            encryption_master_key=key_or_own(self, key, names, services=["events"]),
            enforce_ssl=True,
            retention_period=_FOURTEEN_DAYS,
        )
        self.queue = cast(sqs.IQueue, queue)
        """The queue as rules and schedules take it."""
        _allow_rules(self.queue, names)
        suppress(
            queue, {"AwsSolutions-SQS3": "This queue is a dead-letter queue itself; an alarm reports its messages."}
        )
        name = names.undelivered_queue if names else queue.queue_name
        self.alarm = count_alarm(
            self,
            "NotEmpty",
            names=names,
            purpose="undelivered",
            description=f"The queue {name} got messages: read them, fix the cause, then redrive or delete them.",
            namespace="AWS/SQS",
            # EventBridge and Scheduler send to the queue, which this counts, so that the alarm returns to OK and notifies of
            # each later message; it does not count messages that SQS moves because of a redrive policy.
            metric="NumberOfMessagesSent",
            dimensions={"QueueName": name},
            statistic="Sum",
            alarm_topic=alarm_topic,
        )
        """The alarm on new messages in the queue."""

    @staticmethod
    def from_names(
        scope: Construct, construct_id: str, names: EnvironmentNames, *, key: kms.IKey | None = None
    ) -> sqs.IQueue:
        """Import the queue of a deployed environment.

        Args:
            scope: Parent construct.
            construct_id: Id of the imported queue in `scope`.
            names: Names of the environment.
            key: The environment's key; grants include it. Default: grants are for the queue alone.
        """
        return import_queue(scope, construct_id, names, names.undelivered_queue, key)

    def grant_send_messages(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to send messages to the queue."""
        return self.queue.grant_send_messages(grantee)

    def metric_messages_visible(self, **options: Any) -> cloudwatch.Metric:
        """Messages in the queue. `options` are those of `cloudwatch.Metric`."""
        return self.queue.metric_approximate_number_of_messages_visible(**options)


def import_queue(
    scope: Construct, construct_id: str, names: EnvironmentNames, name: str, key: kms.IKey | None
) -> sqs.IQueue:
    """A queue of the environment by its name."""
    return sqs.Queue.from_queue_attributes(
        scope,
        construct_id,
        queue_arn=names.arn("sqs", name),
        fifo=name.endswith(".fifo"),
        key_arn=key.key_arn if key else None,
    )


def _allow_rules(queue: sqs.IQueue, names: EnvironmentNames | None) -> None:
    """Let EventBridge rules send to the queue: with names those of the factory, without those of the account."""
    at = names or StackLocation.of(queue)
    rules = f"rule/{names.prefix}-*" if names else "rule/*"
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="RulesOfThisFactory" if names else "RulesOfThisAccount",
            principals=[service_principal("events")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": at.account},
                "ArnLike": {"aws:SourceArn": at.arn("events", rules)},
            },
        )
    )
