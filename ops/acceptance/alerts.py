"""A temporary SQS queue that is subscribed to the alerts topic of an environment."""

import json
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from model_factory.core.names import EnvironmentNames

from ..waiting import wait_for


@dataclass
class Alerts:
    """Messages of a topic since the subscription. Calling it waits for a message that contains a text."""

    sqs: Any
    queue: str
    received: list[str] = field(default_factory=list)

    def __call__(self, text: str, seconds: float = 60) -> str:
        def find() -> str | None:
            return next((body for body in self.all() if text in body), None)

        return wait_for(f"an alert with {text!r}; received: {self.received}", find, seconds)

    def all(self) -> list[str]:
        """The text of all messages, in the order of their receipt."""
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.received.append(json.loads(message["Body"])["Message"])
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return self.received


@contextmanager
def subscribed_queue(client: Callable[[str], Any], names: EnvironmentNames) -> Generator[Alerts]:
    """Subscribe a new queue to the alerts topic; unsubscribe and delete it at the end.

    `client`: returns a boto3 client of the environment's account and region for the name of a service.
    """
    sqs, sns = client("sqs"), client("sns")
    topic = names.arn("sns", names.alerts_topic)
    # SQS refuses the name of a queue that was deleted less than a minute ago.
    queue = sqs.create_queue(QueueName=f"{names.prefix}-acceptance-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    subscription = ""
    try:
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(_policy(arn, topic))})
        subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)[
            "SubscriptionArn"
        ]
        yield Alerts(sqs, queue)
    finally:
        if subscription:
            sns.unsubscribe(SubscriptionArn=subscription)
        sqs.delete_queue(QueueUrl=queue)


def _policy(queue_arn: str, topic_arn: str) -> dict[str, Any]:
    """The policy that lets the topic send to the queue."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
