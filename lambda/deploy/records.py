"""Audit records of the deploy function: one JSON object per version, one per ended deployment, written once."""

# pyright: reportMissingTypeStubs=false

from datetime import datetime
from typing import Any

from deployment import Deployment, End
from settings import Settings
from shared.approvals import modified_by
from shared.clients import client
from shared.records import put_once, record_name

_VERSION_FIELDS = (
    "ModelPackageArn",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "CreationTime",
    "CreatedBy",
    "LastModifiedTime",
    "LastModifiedBy",
    "ModelApprovalStatus",
    "ApprovalDescription",
    "InferenceSpecification",
    "ModelMetrics",
    "DriftCheckBaselines",
    "CustomerMetadataProperties",
)


def write_version(records_uri: str, package: dict[str, Any]) -> None:
    """Write `versions/<version>.json` unless it exists: the described model package, and who approved it."""
    content = {name: package[name] for name in _VERSION_FIELDS if name in package}
    uri = f"{records_uri}versions/{package['ModelPackageVersion']}.json"
    put_once(client("s3"), uri, content | {"approved_by": approved_by(package)})


def write_deployment(settings: Settings, deployment: Deployment, end: End, endpoint: dict[str, Any]) -> None:
    """Write `deployments/<time of the start>-v<version>.json` unless it exists, from the endpoint that SageMaker describes."""
    record: dict[str, Any] = _about(settings, deployment) | {
        "time": end.time.isoformat(),
        "started": deployment.started.isoformat(),
        "previous": deployment.previous or None,
        "outcome": end.outcome,
        "reason": end.reason,
        "rollback_alarms_left_out": _left_out(settings, endpoint) if deployment.previous else [],
    }
    name = record_name("deployments", deployment.started, deployment.version)
    put_once(client("s3"), f"{settings.records_uri}{name}", record)


def write_deletion(settings: Settings, deployment: Deployment, time: datetime, request: str) -> None:
    """Write `deployments/<time>-v<version>.json` unless it exists: the endpoint with this deployment was deleted by hand."""
    record: dict[str, Any] = _about(settings, deployment) | {
        "time": time.isoformat(),
        "started": time.isoformat(),
        "previous": deployment.configuration,
        "outcome": "deleted",
        "reason": None,
        "request": request,
        "requested_by": None,
        "rollback_alarms_left_out": [],
    }
    put_once(client("s3"), f"{settings.records_uri}{record_name('deployments', time, deployment.version)}", record)


def approved_by(package: dict[str, Any]) -> str:
    """Who approved the version: the person who modified it last, or the policy that registered it as approved."""
    return modified_by(package) or "automatic: the environment's approval policy"


def _about(settings: Settings, deployment: Deployment) -> dict[str, Any]:
    return {
        "ModelPackageArn": deployment.model_package,
        "ModelPackageVersion": deployment.version,
        "endpoint": settings.endpoint,
        "configuration": deployment.configuration,
        "request": deployment.request,
        "requested_by": deployment.requested_by,
    }


def _left_out(settings: Settings, endpoint: dict[str, Any]) -> list[str] | None:
    """The rollback alarms of the settings that the endpoint's last deployment went without; None where only an event is known."""
    if "LastDeploymentConfig" not in endpoint:
        return None
    used = endpoint["LastDeploymentConfig"].get("AutoRollbackConfiguration", {}).get("Alarms", [])
    names = {alarm["AlarmName"] for alarm in used}
    return [alarm for alarm in settings.serving.rollback_alarms if alarm not in names]
