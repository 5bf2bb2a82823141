"""Queues: the ordered one in front of a function with its dead letters, and the one for what was never delivered."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .nag import suppress
from .names import EnvironmentNames
from .permissions import service_principal

_FOURTEEN_DAYS = Duration.days(14)


class TriggerQueue(Construct):
    """A FIFO queue whose message group is a model: what concerns one model is handled strictly one after the other."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames,
        purpose: str,
        key: kms.IKey,
        function_timeout: Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=names.dead_letter_queue(purpose),
            fifo=True,
            content_based_deduplication=True,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=_FOURTEEN_DAYS,
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=names.queue(purpose),
            fifo=True,
            content_based_deduplication=True,
            encryption_master_key=key,
            enforce_ssl=True,
            # Lambda asks for six times: a message must not come back while its batch is still being tried.
            visibility_timeout=Duration.seconds(6 * function_timeout.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=3),
        )
        allow_rules(self.queue, names)
        alarm_when_not_empty(self, names, names.dead_letter_queue(purpose), f"{purpose}-dead-letters")


class UndeliveredQueue(Construct):
    """A standard queue for events that a rule or a schedule could not deliver: neither takes a FIFO queue for that."""

    def __init__(self, scope: Construct, construct_id: str, *, names: EnvironmentNames, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=names.undelivered_queue,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=_FOURTEEN_DAYS,
        )
        allow_rules(self.queue, names)
        suppress(self.queue, {"AwsSolutions-SQS3": "This queue is where undelivered events end; an alarm watches it."})
        alarm_when_not_empty(self, names, names.undelivered_queue, "undelivered")


def allow_rules(queue: sqs.Queue, names: EnvironmentNames) -> None:
    """Let the factory's EventBridge rules, and no others, send to the queue."""
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="RulesOfThisFactory",
            principals=[service_principal("events")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": names.account},
                "ArnLike": {"aws:SourceArn": names.arn("events", f"rule/{names.prefix}-*")},
            },
        )
    )


def alarm_when_not_empty(scope: Construct, names: EnvironmentNames, queue_name: str, purpose: str) -> None:
    """Tell people about messages that wait for a person."""
    cloudwatch.CfnAlarm(
        scope,
        "NotEmpty",
        alarm_name=f"{names.prefix}-{purpose}",
        alarm_description=f"Messages wait in {queue_name}: read them, mend the cause, then redrive or delete them.",
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="QueueName", value=queue_name)],
        statistic="Maximum",
        period=300,
        evaluation_periods=1,
        threshold=0,
        comparison_operator="GreaterThanThreshold",
        treat_missing_data="notBreaching",
        alarm_actions=[names.arn("sns", names.alerts_topic)],
    )
