"""A queue that is subscribed to an alerts topic, as a person's mailbox would be."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from model_factory.names import EnvironmentNames
from ops.demo.reading import wait


@contextmanager
def subscribed(client: Callable, names: EnvironmentNames) -> Iterator[Callable[..., str]]:
    """A function that waits for an alert with a word in it, among what the topic published since the beginning."""
    sqs, sns = client("sqs"), client("sns")
    queue = sqs.create_queue(QueueName="test-alerts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    delivery = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [delivery | {"Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    topic = names.arn("sns", names.alerts_topic)
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    received: list[str] = []

    def read(word: str, seconds: float = 15) -> str:
        def look() -> str | None:
            for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
                received.append(message["Body"])
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return next((body for body in received if word in body), None)

        return wait(f"an alert with {word!r}; there were {received}", look, seconds)

    try:
        yield read
    finally:
        sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=queue)
