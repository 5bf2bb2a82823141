"""Messages to an environment's retrain and deploy queues, and the check that a model is deployed there."""

import json
from typing import Any, Literal

from model_factory.functions.shared.triggers import send_trigger

from ..project import EnvironmentSession


def send_manual_trigger(
    session: EnvironmentSession,
    queue: Literal["retrain", "deploy"],
    model: str,
    reason: str,
    *,
    version: int | None = None,
    by: str = "",
) -> str:
    """Send a message with the trigger `manual` for one model; its id. Raises UsageError when the queue does not exist."""
    sqs, name = session.client("sqs"), session.names.queue(queue)
    try:
        return send_trigger(sqs, name, model, "manual", reason, version=version, by=by)
    except sqs.exceptions.QueueDoesNotExist:
        raise session.not_deployed(f"queue {name!r}") from None


def require_deployed(session: EnvironmentSession, model: str) -> dict[str, Any]:
    """The settings of a model that is deployed in the environment. Raises UsageError before anything is sent."""
    ssm, name = session.client("ssm"), session.names.model(model).settings_parameter
    try:
        return json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        raise session.not_deployed(f"model {model!r} (there is no parameter {name})") from None
