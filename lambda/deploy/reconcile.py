"""Reconciles the endpoint with the newest approved version; safe to repeat at any point.

A message that finds a deployment in progress succeeds without a deployment of its own: its retries would end long before a
deployment with an hour of baking does. SageMaker's event at the end of that deployment reconciles again.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import api_requests as requests
import endpoints
from decision import Delete, Deploy, Keep, Retry, decide
from messages import Request
from records import write_deployment, write_version
from settings import Settings
from versions import newest_approved


@dataclass(frozen=True)
class Outcome:
    """A log message and its keys."""

    message: str
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Delivery:
    """When the SQS message was sent, and whether this is a retry."""

    sent: datetime
    is_retry: bool


class EndpointDeletedError(Exception):
    """The endpoint is being deleted; the message has to be delivered again to create it."""


def reconcile(settings: Settings, request: Request, delivery: Delivery) -> Outcome:
    """Deploy the newest approved version unless the endpoint has it. Raises EndpointDeletedError."""
    package = newest_approved(settings.model_package_group)
    if package is None:
        return Outcome("nothing is approved")
    version: int = package["ModelPackageVersion"]
    config = requests.endpoint_config(settings, version)
    facts: dict[str, Any] = {"version": version, "endpoint": settings.endpoint}
    write_version(settings.records_uri, package)

    def record_deployment(previous: str | None, without_alarms: list[str] | None = None) -> None:
        names = {"EndpointName": settings.endpoint, "EndpointConfigName": config["EndpointConfigName"]}
        details = {"previous": previous, "rollback_alarms_left_out": without_alarms or []}
        write_deployment(settings.records_uri, package, names | details, request.id, delivery.sent)

    description = endpoints.describe(settings.endpoint)
    endpoint = endpoints.state(description, config, version) if description else None
    if endpoint and endpoint.reached and delivery.is_retry:
        record_deployment(None)  # an earlier attempt may have failed between the deployment and its record
    if endpoint and endpoint.stable:
        endpoints.scale(settings)
    match decide(endpoint, update_ended=request.kind == "settled", is_retry=delivery.is_retry):
        case Keep(reason):
            status = {"status": endpoint.status, "why": endpoint.failure_reason} if endpoint else {}
            return Outcome(reason, facts | status)
        case Retry():
            raise EndpointDeletedError(f"{settings.endpoint} is being deleted")
        case Delete():
            endpoints.delete(settings)
            reason = endpoint.failure_reason if endpoint else None
            raise EndpointDeletedError(f"{settings.endpoint} had failed ({reason or '?'}) and is deleted")
        case Deploy():
            previous = description["EndpointConfigName"] if description else None
            endpoints.create(settings, config, version, package["ModelPackageArn"])
            left_out = endpoints.deploy(settings, description, config)
            record_deployment(previous, left_out)
            message = "deploying without the rollback alarms that are in ALARM already" if left_out else "deploying"
            return Outcome(message, facts | {"previous": previous, "rollback_alarms_left_out": left_out})
