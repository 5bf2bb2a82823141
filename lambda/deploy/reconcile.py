"""The endpoint, moved towards the newest approved version; safe to repeat at any point.

A version that finds the endpoint being changed is not retried by its message, which would be given up long before a
deployment with an hour of baking ends: SageMaker tells when the endpoint has settled, and that event reconciles again.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import api_requests as requests
import endpoints
from messages import Request
from records import write_deployment, write_version
from settings import Settings, client


@dataclass(frozen=True)
class Outcome:
    """What was done, in words and facts for the log."""

    what: str
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Delivery:
    """When the request was sent, and whether it was tried before."""

    sent: datetime
    again: bool


class EndpointGone(Exception):
    """The endpoint is being deleted; the message comes back and creates it anew."""


def reconcile(settings: Settings, request: Request, delivery: Delivery) -> Outcome:
    """Bring the endpoint to the newest approved version. Raises EndpointGone."""
    package = newest_approved(settings.model_package_group)
    if package is None:
        return Outcome("nothing is approved")
    version: int = package["ModelPackageVersion"]
    write_version(settings.records_uri, package)
    config = requests.endpoint_config(settings, version)
    names = {"EndpointName": settings.endpoint, "EndpointConfigName": config["EndpointConfigName"]}
    facts = {"version": version, "endpoint": settings.endpoint}
    endpoint = endpoints.describe(settings.endpoint)
    previous = endpoint["EndpointConfigName"] if endpoint else None

    def record(previous: str | None) -> None:
        write_deployment(settings.records_uri, package, names, previous, request.id, delivery.sent)

    if endpoint:
        if endpoints.target(endpoint) == config["EndpointConfigName"] and delivery.again:
            record(None)  # an earlier attempt may have ended between the deployment and its record
        if done := _nothing_to_do(settings, endpoint, config, request):
            return Outcome(done, facts | {"status": endpoint["EndpointStatus"], "why": endpoint.get("FailureReason")})
    elif request.kind == "settled" and not delivery.again:
        return Outcome("the endpoint is no longer there", facts)  # it was deleted since, and not by this message
    endpoints.create(settings, config, version, package["ModelPackageArn"])
    endpoints.deploy(settings, endpoint, config)
    record(previous)
    return Outcome("deploying", facts | {"previous": previous})


def _nothing_to_do(
    settings: Settings, endpoint: dict[str, Any], config: dict[str, Any], request: Request
) -> str | None:
    """Why the endpoint needs no deployment now, in words; None when it needs one. Raises EndpointGone."""
    status, name = endpoint["EndpointStatus"], config["EndpointConfigName"]
    reached = endpoints.target(endpoint) == name
    if status == "Deleting":
        raise EndpointGone(f"{settings.endpoint} is being deleted")
    if status in endpoints.BUSY:
        return "already on its way" if reached else "waits until the endpoint is in service"
    # The end of a deployment that failed must not start the same one again; a person or a newer version may.
    tried = (
        request.kind == "settled" and endpoints.describe_config(name) is not None and not _withdrawn(endpoint, config)
    )
    if status == "Failed":
        if tried:
            return "the endpoint could not be created"
        endpoints.delete(settings)
        raise EndpointGone(f"{settings.endpoint} had failed ({endpoint.get('FailureReason', '?')}) and is deleted")
    endpoints.scale(settings)
    if reached:
        return "already live"
    return "the deployment was rolled back" if tried else None


def _withdrawn(endpoint: dict[str, Any], config: dict[str, Any]) -> bool:
    """Whether a newer version than the newest approved one came into service: it was rejected on its way there.

    The configuration of the version to go back to is there since it was live; one that could not be gone back to is not
    tried again.
    """
    live = endpoints.describe_config(endpoint["EndpointConfigName"])
    return bool(live) and "FailureReason" not in endpoint and requests.version_of(live) > requests.version_of(config)


def newest_approved(group: str) -> dict[str, Any] | None:
    """The approved package with the highest version, described; None when there is none."""
    sagemaker = client("sagemaker")
    newest = sagemaker.list_model_packages(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
    )["ModelPackageSummaryList"]
    if not newest:
        return None
    last = max(newest, key=lambda package: package["ModelPackageVersion"])
    return sagemaker.describe_model_package(ModelPackageName=last["ModelPackageArn"])
