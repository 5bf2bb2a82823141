"""Handler of the alerts queue: each message is an event of EventBridge, which becomes one notification.

Needs sns:Publish on the alerts topic; events:PutEvents on the default bus for notifications; s3:GetObject and s3:PutObject below
the prefix of windows; kms:Decrypt and kms:GenerateDataKey on the environment's key; its queue; its log group.
"""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent, SQSRecord
from notifications import Notifier
from sources import Ended, read_event
from windows import Windows

logger = Logger()
notifier = Notifier.from_environment()
windows = Windows.from_environment()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of SQS messages; failed ones return to the queue, and SQS finally moves them to the dead letters.

    Not `shared.queue`, which sends an alert about a message that failed: here nobody would read it.
    """
    failed = [record.message_id for record in SQSEvent(event).records if not _succeeds(record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _succeeds(record: SQSRecord) -> bool:
    try:
        handle(record)
    except Exception:
        logger.exception("message failed", message_id=record.message_id)
        return False
    return True


def handle(record: SQSRecord) -> None:
    """Notify of one event, unless its cause was told within the window. Raises when SQS has to deliver it again."""
    logger.remove_keys(["model", "cause", "key"])  # of the previous message
    event = read_event(record.body, notifier.place)
    if event is None:
        logger.info("not an alert", message_id=record.message_id)
        return
    logger.append_keys(model=event.model, cause=event.cause, key=event.key)
    if isinstance(event, Ended):
        windows.end(event.key)
        logger.info("the window ended")
        return
    told = windows.claim(event.key, event.id)
    if not told.first:
        logger.info("told before within the window", suppressed=told.suppressed)
        return
    notifier.notify(event, suppressed=told.suppressed, since=told.since)
    logger.info("told", suppressed_before=told.suppressed)
