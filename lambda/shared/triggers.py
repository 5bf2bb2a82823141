"""Messages to the retrain and deploy queues, as the command `model-factory` and the delivery pipeline send them."""

import json
import uuid
from typing import Any, Literal

_MAX_REASON_LENGTH = 1024


def send_trigger(sqs: Any, queue_name: str, model: str, trigger: Literal["manual", "code"], reason: str) -> None:
    """Send a trigger for one model to a FIFO queue, in the model's message group."""
    url = sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]
    body = {"model": model, "trigger": trigger, "reason": reason[:_MAX_REASON_LENGTH], "id": uuid.uuid4().hex}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body), MessageGroupId=model)
