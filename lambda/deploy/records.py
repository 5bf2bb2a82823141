"""Audit records of the deploy function: one for each deployment that ended, and one for each endpoint deleted by hand."""

from datetime import datetime
from typing import Any

from deployment import Deployment, End
from settings import Settings
from shared.records import Record, send_record


def write_deployment(settings: Settings, deployment: Deployment, end: End, endpoint: dict[str, Any]) -> None:
    """Send the record of a deployment that has ended, from the endpoint that SageMaker describes."""
    facts: dict[str, Any] = {
        "started": deployment.started.isoformat(),
        "previous": deployment.previous or None,
        "outcome": end.outcome,
        "reason": end.reason,
        "rollback_alarms_left_out": _left_out(settings, deployment, endpoint) if deployment.previous else [],
    }
    _send(settings, deployment, "ended", end.time, facts, by=deployment.requested_by)


def write_deletion(settings: Settings, deployment: Deployment, time: datetime, request: str) -> None:
    """Send the record that the endpoint with this deployment was deleted by hand."""
    facts: dict[str, Any] = {
        "started": time.isoformat(),
        "previous": deployment.configuration,
        "outcome": "deleted",
        "reason": None,
        "request": request,
        "requested_by": None,
        "rollback_alarms_left_out": [],
    }
    _send(settings, deployment, "deleted", time, facts, by=None)


def _send(
    settings: Settings, deployment: Deployment, what: str, time: datetime, facts: dict[str, Any], *, by: str | None
) -> None:
    about = {
        "endpoint": settings.endpoint,
        "configuration": deployment.configuration,
        "request": deployment.request,
        "requested_by": deployment.requested_by,
        **({"challenger": deployment.challenger_version} if deployment.challenger else {}),
    }
    record = Record(
        kind="deployment",
        id=f"{deployment.configuration}#{deployment.started.isoformat()}#{what}",
        model=settings.model,
        time=time,
        version=deployment.version,
        subject=deployment.model_package,
        by=by,
        facts=about | facts,
    )
    send_record(record)


def _left_out(settings: Settings, deployment: Deployment, endpoint: dict[str, Any]) -> list[str] | None:
    """The rollback alarms of the settings that the endpoint's last deployment went without; None where only an event is known."""
    if deployment.challenger and not deployment.timeout:
        return list(settings.serving.rollback_alarms)  # SageMaker has no guardrails where a variant is added
    if "LastDeploymentConfig" not in endpoint or not deployment.timeout:
        return None
    used = endpoint["LastDeploymentConfig"].get("AutoRollbackConfiguration", {}).get("Alarms", [])
    names = {alarm["AlarmName"] for alarm in used}
    return [alarm for alarm in settings.serving.rollback_alarms if alarm not in names]
