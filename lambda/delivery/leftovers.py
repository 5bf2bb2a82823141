"""Alerts about models and environments that are deployed and not in the delivered commit."""

from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError
from commit import leftover_models, removed_by_commit, short_commit
from environment import Environment
from outcome import Job
from shared.alerts import Alert, AlertError, put_alert
from shared.clients import client
from shared.leftovers import leftover_alert, removed_environment_alert

logger = Logger()
DELIVERY = "delivery"
"""The environment of alerts about the delivery itself."""


def report_leftovers(job: Job, environment: Environment) -> list[str]:
    """Send an alert for each leftover model to the people of its environment; the names of the models.

    The first environment of the delivery also reports the environments that the commit removed, to the delivery's people. An
    alert that cannot be sent is logged as an error and fails no delivery: the action's summary names the models, too.
    """
    names, commit = leftover_models(job, environment), short_commit(job, environment)
    for name in names:
        _send(
            environment.client("events"), leftover_alert(name, environment.name, commit), environment, environment.name
        )
    if environment.previous is None:
        for removed in removed_by_commit(job, environment):
            _send(client("events"), removed_environment_alert(removed), environment, DELIVERY)
    return names


def _send(events: Any, alert: Alert, environment: Environment, name: str) -> None:
    try:
        put_alert(events, alert, factory=environment.config.factory, environment=name)
    except (AlertError, ClientError):
        logger.exception("alert not sent", cause=alert.cause, model=alert.model)
