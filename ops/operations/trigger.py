"""Messages to an environment's retrain and deploy queues, and the check that a model is deployed there."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from model_factory.functions.shared.executions import Execution
from model_factory.functions.shared.triggers import send_trigger

from ..project import EnvironmentSession, UsageError
from .executions import newest_executions


@dataclass(frozen=True)
class TrainingRequest:
    """A request for a training that was sent: the message's id, and the training that it will wait for, if any."""

    id: str
    waits_for: Execution | None

    @property
    def outlook(self) -> str:
        """What will follow, in words."""
        if self.waits_for is None:
            return "a training starts now"
        return (
            f"a training is in flight since {self.waits_for.started:%Y-%m-%d %H:%M} "
            f"({self.waits_for.trigger or 'started by hand'}): the request is remembered, and another one starts when it ends"
        )


def request_training(session: EnvironmentSession, model: str, reason: str) -> TrainingRequest:
    """Send a request for a training to the retrain queue.

    Raises UsageError, before a message is sent, when the model is not deployed or its versions are promoted there.
    """
    source = require_deployed(session, model).get("promoted_from")
    if source:
        environment = session.environment.name
        raise UsageError(
            f"{model} is deployed in {environment} with `promote: model`: {environment} trains no versions, they are "
            f"promoted from {source}; train there, then model-factory promote {model} --from {source} --env {environment}"
        )
    running = _running(session, model)
    return TrainingRequest(send_manual_trigger(session, "retrain", model, reason), running)


def _running(session: EnvironmentSession, model: str) -> Execution | None:
    """The training that is in flight; None without one, also while the model's stack is being deployed or deleted."""
    found = newest_executions(session.client("sagemaker"), session.names.model(model).training_pipeline)
    return next((each for each in map(Execution.of, found) if each.running), None)


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
