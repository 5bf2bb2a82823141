"""SageMaker's events about versions: the record of a decision that has none, and the alert about a version that waits.

A version that a delivery created is approved with that delivery, so nobody is notified of it.
"""

import re
from datetime import UTC, datetime
from typing import Any, cast

from settings import Settings
from shared.alerts import Alert, send_alert
from shared.approvals import StatusEvent, record_decision
from shared.clients import client
from shared.settings import ENVIRONMENT
from versions import describe

WAITING = "PendingManualApproval"
_OF_DELIVERY = re.compile(r": pushed [\w ]+, delivery [0-9a-f-]+$")
_YEAR_3000 = 32_503_680_000


def status_event(status: str, time: Any, updated: Any, description: Any) -> StatusEvent:
    """The event from fields of its detail. Its times are documented as ISO 8601, those of other events are milliseconds."""
    fields = cast(list[Any], updated) if isinstance(updated, list) else []
    return StatusEvent(
        status,
        _time(time) or datetime.now(UTC),
        tuple(each for each in fields if isinstance(each, str)),
        description if isinstance(description, str) else None,
    )


def handle_version(settings: Settings, arn: str, event: StatusEvent) -> str | None:
    """Record and tell what the event says about a version; why the endpoint is not reconciled, or None if it is to be."""
    package = describe(arn)
    if package is None:
        return None
    record_decision(client("s3"), settings.records_uri, package, event)
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


def _time(value: Any) -> datetime | None:
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return time if time.tzinfo else None
        seconds = value / 1000
        return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _YEAR_3000 else None
    except (TypeError, ValueError):
        return None
