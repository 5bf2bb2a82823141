"""Messages to an environment's retrain and deploy queues."""

from typing import Literal

from model_factory.functions.shared.triggers import send_trigger

from ..project import EnvironmentSession


def send_manual_trigger(
    session: EnvironmentSession, queue: Literal["retrain", "deploy"], model: str, reason: str
) -> str:
    """Send a message with the trigger `manual` for one model; its id. Raises UsageError when the queue does not exist."""
    sqs, name = session.client("sqs"), session.names.queue(queue)
    try:
        return send_trigger(sqs, name, model, "manual", reason)
    except sqs.exceptions.QueueDoesNotExist:
        raise session.not_deployed(f"queue {name!r}") from None
