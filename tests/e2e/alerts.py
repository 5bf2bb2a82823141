"""A queue that is subscribed to an alerts topic, as a person's mailbox would be."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from model_factory.core.names import EnvironmentNames
from model_factory.ops.waiting import wait_for


@dataclass
class Alerts:
    """What a topic published since the beginning. Called with a word: waits for an alert that has it."""

    sqs: Any
    queue: str
    received: list[str] = field(default_factory=list)

    def __call__(self, word: str, seconds: float = 60) -> str:
        def look() -> str | None:
            return next((body for body in self.so_far() if word in body), None)

        return wait_for(f"an alert with {word!r}; there were {self.received}", look, seconds)

    def so_far(self) -> list[str]:
        """The text of each, in the order in which they came."""
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.received.append(json.loads(message["Body"])["Message"])
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return self.received


@contextmanager
def subscribed(client: Callable, names: EnvironmentNames) -> Iterator[Alerts]:
    """A mailbox for the topic's alerts."""
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
