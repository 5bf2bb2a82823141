"""Alerts: the event that a function or the command `model-factory` puts on EventBridge's default bus.

The rule `<factory>-<env>-alert` delivers it to the people who are notified (docs/reference/contracts.md).
"""

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

from .clients import client
from .names import factory_and_environment

SOURCE = "model-factory"
DETAIL_TYPE = "Model Factory Alert"
LONGEST_TEXT = 4000
"""Characters of a sentence. EventBridge takes entries of 1 MB and SNS messages of 256 KB."""


@dataclass(frozen=True)
class Alert:
    """What people are notified of.

    Args:
        model: Name of the model; empty for the environment as a whole.
        cause: Id of the kind of event, such as `deployment-rolled-back`. Alerts with the same model, version and cause are
            one within a window.
        what: One sentence: what happened.
        why: The reason, as the service gave it.
        done: What was done without a person. Default: nothing.
        command: The command to run next. Default: none.
        version: Version of the model. Default: none.
    """

    model: str
    cause: str
    what: str
    why: str
    done: str = ""
    command: str = ""
    version: int | None = None


class AlertError(Exception):
    """EventBridge did not take the event; the message has its error code and message."""


def send_alert(alert: Alert) -> None:
    """Put the alert on the default bus, as the function that runs. Raises AlertError, and ClientError of PutEvents.

    Needs events:PutEvents on the default bus for the source `model-factory`.
    """
    factory, environment = factory_and_environment(os.environ["MODELS_PARAMETER_PREFIX"])
    put_alert(client("events"), alert, factory=factory, environment=environment)


def put_alert(events: Any, alert: Alert, *, factory: str, environment: str) -> str:
    """Put the alert of an environment on the default bus with a client of EventBridge; the id of the event.

    Raises AlertError, and ClientError of PutEvents.
    """
    detail = {"factory": factory, "environment": environment} | _bounded(asdict(alert))
    return put_event(events, DETAIL_TYPE, detail)["EventId"]


def put_event(events: Any, detail_type: str, detail: dict[str, Any]) -> dict[str, Any]:
    """Put an event of Model Factory on the default bus with a client of EventBridge; the entry of PutEvents' response.

    `detail` has the `cause` of an alert. Raises AlertError, and ClientError of PutEvents.
    """
    entry = {"Source": SOURCE, "DetailType": detail_type, "Detail": json.dumps(detail)}
    answer = events.put_events(Entries=[entry])
    result = answer["Entries"][0]
    # PutEvents succeeds also when it takes no entry.
    if answer["FailedEntryCount"]:
        raise AlertError(f"{detail['cause']}: {result.get('ErrorCode')}: {result.get('ErrorMessage')}")
    return result


def _bounded(detail: dict[str, Any]) -> dict[str, Any]:
    return {name: value[:LONGEST_TEXT] if isinstance(value, str) else value for name, value in detail.items()}
