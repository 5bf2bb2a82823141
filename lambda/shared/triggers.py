"""Messages to the retrain and deploy queues, as the command `model-factory` and the delivery pipeline send them."""

import json
import uuid
from typing import Any, Literal

LONGEST_DESCRIBED_REASON = 800
"""The description of a version is `<trigger>: <reason>; <measured>`. SageMaker allows 1,024 characters, Evaluate writes 200."""


def send_trigger(sqs: Any, queue_name: str, model: str, trigger: Literal["manual", "code"], reason: str) -> str:
    """Send a trigger for one model to a FIFO queue, in the model's message group; the message's `id`."""
    url = sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]
    identifier = uuid.uuid4().hex
    body = {"model": model, "trigger": trigger, "reason": reason[:LONGEST_DESCRIBED_REASON], "id": identifier}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body), MessageGroupId=model)
    return identifier
