"""Handling of queue messages for the retrain and deploy functions: batches, and a message with its model's settings."""

from collections.abc import Callable
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,  # pyright: ignore[reportUnknownVariableType]
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from pydantic import BaseModel

from .messages import InvalidMessageError, Origin
from .settings import PARAMETER_PREFIX, read_settings

# Not the processor for FIFO queues: that one fails all messages behind a failed one, which then move to the dead-letter
# queue with it. Messages do not depend on each other; the queue's message groups keep them in order.
_processor = BatchProcessor(event_type=EventType.SQS)


class ModelMessage(Protocol):
    """A message about one model."""

    @property
    def model(self) -> str:
        """The model's name, validated."""
        ...


def process_batch(event: dict[str, Any], context: Any, handle: Callable[..., None]) -> Any:
    """Call `handle(record, lambda_context)` for each SQS message; failed messages alone return to the queue."""
    return process_partial_response(event=event, record_handler=handle, processor=_processor, context=context)


def read_message[Message: ModelMessage, Settings: BaseModel](
    record: SQSRecord,
    context: Any,
    parse: Callable[[str, Origin], Message],
    settings_type: type[Settings],
    logger: Logger,
) -> tuple[Message, Settings]:
    """The message in a record, and the settings of its model.

    Logs `message refused` and raises InvalidMessageError, or LookupError when there is no such model.
    """
    try:
        message = parse(record.body, _origin(context))
        return message, read_settings(message.model, settings_type)
    except (InvalidMessageError, LookupError) as error:
        # Not `exception`: the sender made the mistake, and a traceback would hide that.
        logger.error("message refused", message_id=record.message_id, reason=str(error))  # noqa: TRY400
        raise


def _origin(context: Any) -> Origin:
    # /<factory>/<environment>/models/ and <factory>-<environment>-<model> have the same parts.
    factory, environment = PARAMETER_PREFIX.strip("/").split("/")[:2]
    return Origin(account=context.invoked_function_arn.split(":")[4], prefix=f"{factory}-{environment}")
