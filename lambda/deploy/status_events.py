"""SageMaker's events about versions: whether the endpoint is reconciled, and the alert about a version that waits.

A version that a delivery created is approved with that delivery, so nobody is notified of it.
"""

import re
from typing import Any

from settings import Settings
from shared.alerts import Alert, send_alert
from shared.approvals import StatusEvent
from shared.settings import ENVIRONMENT
from versions import describe

WAITING = "PendingManualApproval"
_OF_DELIVERY = re.compile(r": pushed [\w ]+, delivery [0-9a-f-]+$")


def handle_version(settings: Settings, arn: str, event: StatusEvent) -> str | None:
    """Tell what the event says about a version; why the endpoint is not reconciled, or None if it is to be."""
    package = describe(arn)
    if package is None:
        return None
    if event.updated and not event.decided:
        return "the approval has not changed"  # the event of an update of metadata has the approval status, too
    if event.status != WAITING:
        return None
    if package["ModelApprovalStatus"] == WAITING and not _OF_DELIVERY.search(
        package.get("ModelPackageDescription", "")
    ):
        send_alert(needs_approval(settings, package))
    return None if event.decided else "a version waits for approval"


def needs_approval(settings: Settings, package: dict[str, Any]) -> Alert:
    """A version waits for approval."""
    model, version = settings.model, package["ModelPackageVersion"]
    metadata: dict[str, str] = package.get("CustomerMetadataProperties", {})
    metric = f"; {metadata['metric']} {metadata['metric_value']}" if "metric_value" in metadata else ""
    origin = f"; promoted from {metadata['origin']}" if "origin" in metadata else ""
    return Alert(
        model=model,
        cause="version-needs-approval",
        what=f"Version {version} of {model} waits for approval in {ENVIRONMENT}.",
        why=f"{package.get('ModelPackageDescription', 'no description')}{metric}{origin}",
        done="It is not deployed before it is approved.",
        command=f'model-factory approve {model} --version {version} --env {ENVIRONMENT} --reason "…"',
        version=version,
    )
