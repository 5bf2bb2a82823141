"""Alerts in the events of AWS services and of Model Factory. Pure: no AWS here."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import texts
from shared.alerts import SOURCE, Alert
from texts import Place

_CHANGING = re.compile(r"\w*\d\w*")
"""Numbers, ids and times in a reason: two failures with the same words have the same cause."""


@dataclass(frozen=True)
class Event:
    """An alert in an event. `key`: of its window, below the window's prefix."""

    id: str
    time: str
    key: str
    alert: Alert

    @property
    def model(self) -> str:
        """The alert's model."""
        return self.alert.model

    @property
    def cause(self) -> str:
        """The alert's cause."""
        return self.alert.cause


@dataclass(frozen=True)
class Ended:
    """What an earlier alert told has ended: an alarm is OK."""

    key: str
    model: str
    cause: str


def read_event(body: str, place: Place) -> Event | Ended | None:
    """The alert in an event of EventBridge; None when it is none.

    An event that cannot be read is an alert as well: nobody else would tell.
    """
    try:
        event = json.loads(body)
        return _READERS[event["source"]](event, place)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        digest = hashlib.sha256(body.encode()).hexdigest()[:32]
        alert = texts.unknown_event(f"{type(error).__name__}: {error}; the message is {body[:1000]}")
        return Event(digest, "", f"environment/{alert.cause}-{digest[:8]}", alert)


def window_key(alert: Alert, detail: str = "") -> str:
    """Model, cause and version. `detail` distinguishes causes of the same kind, such as the reason of a failed step."""
    version = f"-v{alert.version}" if alert.version else ""
    digest = f"-{_fingerprint(detail)}" if detail else ""
    # Cause and model of an event are any text.
    model, cause = (re.sub(r"[^A-Za-z0-9-]", "_", part)[:100] for part in (alert.model or "environment", alert.cause))
    return f"{model}/{cause}{version}{digest}"


def _fingerprint(reason: str) -> str:
    return hashlib.sha256(_CHANGING.sub("#", reason).encode()).hexdigest()[:8]


def _event(event: dict[str, Any], alert: Alert, detail: str = "") -> Event:
    return Event(event["id"], event["time"], window_key(alert, detail), alert)


def _own(event: dict[str, Any], place: Place) -> Event:
    detail: dict[str, Any] = event["detail"]
    given = {name: str(detail[name]) for name in ("model", "cause", "what", "why")}
    optional = {name: str(detail.get(name) or "") for name in ("done", "command")}
    version = detail.get("version")
    return _event(event, Alert(**given, **optional, version=int(version) if version else None))


def _alarm(event: dict[str, Any], place: Place) -> Event | Ended | None:
    detail = event["detail"]
    name, state = str(detail["alarmName"]), detail["state"]
    found = texts.alarm_of(name, place)
    if found is None:
        return None
    model, purpose = found
    if state["value"] == texts.told_in(purpose):
        configuration = detail["configuration"]
        metric = configuration["metrics"][0]["metricStat"]["metric"]["name"]
        alert = texts.alarm(model, purpose, configuration.get("description", ""), place)
        alert = replace(alert, why=f"Alarm {name} on {metric}: {state['reason']}")
        return _event(event, alert)
    if state["value"] == "OK":
        ended = Alert(model, purpose, "", "")
        return Ended(window_key(ended), model, purpose)
    return None


def _step(event: dict[str, Any], place: Place) -> Event:
    detail = event["detail"]
    step, reason = detail["stepName"], detail.get("failureReason") or "SageMaker gives no reason."
    execution = detail["pipelineExecutionArn"]
    pipeline = execution.split(":pipeline/")[1].split("/")[0]
    return _event(event, texts.failed_step(pipeline, step, execution, reason, place), f"{step}: {reason}")


def _delivery(event: dict[str, Any], place: Place) -> Event:
    detail = event["detail"]
    execution = detail["execution-id"]
    if detail["state"] == "FAILED":
        result: dict[str, str] = detail.get("execution-result") or {}
        reason = result.get("external-execution-summary") or "CodePipeline gives no reason."
        alert = texts.failed_action(detail["pipeline"], detail["stage"], detail["action"], execution, reason)
        return _event(event, alert, reason)
    alert = texts.waiting_action(detail["pipeline"], detail["stage"], detail["action"], execution)
    return _event(event, alert, execution)


_READERS: dict[str, Callable[[dict[str, Any], Place], Event | Ended | None]] = {
    SOURCE: _own,
    "aws.cloudwatch": _alarm,
    "aws.sagemaker": _step,
    "aws.codepipeline": _delivery,
}
