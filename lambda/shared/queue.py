"""Handling of queue messages for the retrain and deploy functions: one message with its model's settings, and failures.

A refused message, and one that failed at its last attempt, moves to the dead-letter queue with its reason, and an alert says
so. Others return to the queue, and are delivered again after a delay that doubles. The environment variables QUEUE_URL,
DEAD_LETTER_QUEUE_URL and MAX_RECEIVES are those of the function's own queue.
"""

import os
from collections.abc import Callable
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent, SQSRecord
from pydantic import BaseModel

from .alerts import Alert, send_alert
from .clients import client
from .messages import InvalidMessageError, Origin
from .names import factory_and_environment, is_model_name
from .settings import PARAMETER_PREFIX, read_settings
from .text import one_line

RETRY_SECONDS = 30
"""Delay before the second attempt; each further one takes twice as long: with five attempts seven and a half minutes."""
LONGEST_REASON = 1024
_LONGEST_BODY = 1_000_000
"""Bytes of a body beside which an attribute has room: SQS counts both for its limit of 1 MiB."""
logger = Logger()


class ModelMessage(Protocol):
    """A message about one model."""

    @property
    def model(self) -> str:
        """The model's name, validated."""
        ...


class RefusedMessageError(Exception):
    """The message is invalid, or about a model that the environment does not have; a retry does not change that."""


class ReceiverError(Exception):
    """A receiver outside of AWS did not take what a message is about.

    Args:
        reason: What it answered, or why it cannot be reached.
        cause: Id of the receiver's alert. All messages to it have one alert within a window, without a model.
    """

    def __init__(self, reason: str, cause: str) -> None:
        super().__init__(reason)
        self.cause = cause


class UnknownModelError(RefusedMessageError, LookupError):
    """The environment does not have the model of the valid `message`."""

    def __init__(self, reason: str, message: ModelMessage) -> None:
        super().__init__(reason)
        self.message = message


def process_batch(event: dict[str, Any], context: Any, handle: Callable[..., None]) -> dict[str, Any]:
    """Call `handle(record, lambda_context)` for each SQS message; the ids of those that return to the queue.

    Messages do not depend on each other; the queue's message groups keep them in order. Raises errors of SQS and EventBridge
    when a message that is given up cannot be moved or reported; the alarm on the function's errors reports those.
    """
    failed = [record.message_id for record in SQSEvent(event).records if not _succeeds(record, context, handle)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def read_message[Message: ModelMessage, Settings: BaseModel](
    record: SQSRecord, context: Any, parse: Callable[[str, Origin], Message], settings_type: type[Settings]
) -> tuple[Message, Settings]:
    """The message in a record, and the settings of its model.

    Raises RefusedMessageError when the message is invalid, UnknownModelError when there is no such model.
    """
    try:
        message = parse(record.body, origin_of(context))
    except InvalidMessageError as error:
        raise RefusedMessageError(str(error)) from error
    try:
        return message, read_settings(message.model, settings_type)
    except LookupError as error:
        raise UnknownModelError(str(error), message) from error


def _succeeds(record: SQSRecord, context: Any, handle: Callable[..., None]) -> bool:
    """Handle a message. False: it returns to the queue."""
    attempt = int(record.attributes.approximate_receive_count)
    try:
        handle(record, lambda_context=context)
    except RefusedMessageError as error:
        # Not `exception`: the sender made the mistake, and a traceback would hide that.
        logger.error("message refused", message_id=record.message_id, reason=str(error))  # noqa: TRY400
        _give_up(record, "message-refused", "was refused", error, str(error))
    except Exception as error:
        logger.exception("message failed", message_id=record.message_id, attempt=attempt)
        if attempt < int(os.environ["MAX_RECEIVES"]):
            _delay(record, RETRY_SECONDS * 2 ** (attempt - 1))
            return False
        reason = str(error) if isinstance(error, ReceiverError) else f"{type(error).__name__}: {error}"
        _give_up(record, "message-failed", f"failed {attempt} times", error, reason)
    return True


def _delay(record: SQSRecord, seconds: int) -> None:
    """Deliver the message again after `seconds`, instead of after the queue's visibility timeout."""
    try:
        client("sqs").change_message_visibility(
            QueueUrl=os.environ["QUEUE_URL"], ReceiptHandle=record.receipt_handle, VisibilityTimeout=seconds
        )
    except Exception:
        logger.exception("the delay of the next attempt is the visibility timeout", message_id=record.message_id)


def _give_up(record: SQSRecord, cause: str, what: str, error: Exception, reason: str) -> None:
    """Alert, then move the message: with one that was moved first, the alert would be lost with the function."""
    dead_letters = os.environ["DEAD_LETTER_QUEUE_URL"]
    group = record.attributes.message_group_id or "unknown"
    reason = one_line(reason, LONGEST_REASON) or "no reason given"
    # A group is a model, or a part of one: `<model>/<part>`.
    model = group.partition("/")[0] if is_model_name(group.partition("/")[0]) else ""
    if isinstance(error, ReceiverError):
        model, cause = "", error.cause
    queue = record.event_source_arn
    send_alert(
        Alert(
            model=model,
            cause=cause,
            what=f"A message of the queue {queue.split(':')[-1]} {what}.",
            why=reason,
            done=f"The message moved to {dead_letters.split('/')[-1]}, with the reason as its attribute.",
            command=f"aws sqs receive-message --message-attribute-names All --queue-url {dead_letters}",
        )
    )
    attributes = {"Reason": {"DataType": "String", "StringValue": reason}}
    client("sqs").send_message(
        QueueUrl=dead_letters,
        MessageBody=record.body,
        MessageGroupId=group,
        MessageDeduplicationId=record.message_id,
        **({"MessageAttributes": attributes} if len(record.body.encode()) < _LONGEST_BODY else {}),
    )
    logger.error("message moved to the dead-letter queue", message_id=record.message_id, reason=reason)


def origin_of(context: Any) -> Origin:
    """The account and the prefix of names that the function's messages are about."""
    # /<factory>/<environment>/models/ and <factory>-<environment>-<model> have the same parts.
    factory, environment = factory_and_environment(PARAMETER_PREFIX)
    return Origin(account=context.invoked_function_arn.split(":")[4], prefix=f"{factory}-{environment}")
