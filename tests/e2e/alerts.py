"""An SQS queue that is subscribed to the alerts topic."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from model_factory.core.names import EnvironmentNames
from model_factory.ops.waiting import wait_for


@dataclass
class Alerts:
    """Messages of a topic since the subscription. Calling it waits for a message that contains a word."""

    sqs: Any
    queue: str
    received: list[str] = field(default_factory=list)

    def __call__(self, word: str, seconds: float = 60) -> str:
        def find() -> str | None:
            return next((body for body in self.all() if word in body), None)

        return wait_for(f"an alert with {word!r}; received: {self.received}", find, seconds)

    def all(self) -> list[str]:
        """The text of all messages, in the order of their receipt."""
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.received.append(json.loads(message["Body"])["Message"])
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return self.received


@contextmanager
def subscribed_queue(client: Callable, names: EnvironmentNames) -> Iterator[Alerts]:
    """Subscribe a new queue to the alerts topic; unsubscribe and delete it at the end."""
    sqs, sns = client("sqs"), client("sns")
    queue = sqs.create_queue(QueueName="test-alerts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    delivery = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [delivery | {"Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    topic = names.arn("sns", names.alerts_topic)
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    try:
        yield Alerts(sqs, queue)
    finally:
        sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=queue)
