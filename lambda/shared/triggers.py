"""Messages to the retrain and deploy queues, as the command `model-factory` and the delivery pipeline send them."""

import json
import uuid
from typing import Any, Literal

LONGEST_DESCRIBED_REASON = 800
"""The description of a version is `<trigger>: <reason>; <measured>`. SageMaker allows 1,024 characters, Evaluate writes 200."""


def send_trigger(
    sqs: Any,
    queue_name: str,
    model: str,
    trigger: Literal["manual", "code"],
    reason: str,
    *,
    version: int | None = None,
    by: str = "",
) -> str:
    """Send a trigger for one model to a FIFO queue, in the model's message group; the message's `id`.

    `version` and `by` are for the deploy queue: deploy nothing unless this is the newest approved version, and who asks.
    """
    url = sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]
    identifier = uuid.uuid4().hex
    body = {"model": model, "trigger": trigger, "reason": reason[:LONGEST_DESCRIBED_REASON], "id": identifier}
    optional: dict[str, int | str] = {"version": version} if version else {}
    optional |= {"by": by} if by else {}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body | optional), MessageGroupId=model)
    return identifier
