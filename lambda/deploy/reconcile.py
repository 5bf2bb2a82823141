"""The endpoint, moved towards the newest approved version; safe to repeat at any point."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from dataclasses import dataclass, field
from typing import Any

import api_requests as requests
from botocore.exceptions import ClientError
from records import write_deployment, write_version
from settings import Settings, client

BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


@dataclass(frozen=True)
class Outcome:
    """What was done, in words and facts for the log."""

    what: str
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


class EndpointBusy(Exception):
    """The endpoint is being changed; the message is to be tried again later."""


def reconcile(settings: Settings, request_id: str) -> Outcome:
    """Bring the endpoint to the newest approved version. Raises EndpointBusy when it cannot be changed now."""
    package = newest_approved(settings.model_package_group)
    if package is None:
        return Outcome("nothing is approved")
    version: int = package["ModelPackageVersion"]
    facts = {"version": version, "endpoint": settings.endpoint}
    write_version(settings.records_uri, package)
    endpoint = _describe(settings.endpoint)
    config = requests.endpoint_config(settings, version)
    if endpoint and endpoint["EndpointStatus"] in BUSY:
        if endpoint["EndpointConfigName"] == config["EndpointConfigName"]:
            return Outcome("already on its way", facts)
        raise EndpointBusy(f"{settings.endpoint} is {endpoint['EndpointStatus']}; version {version} has to wait")
    if endpoint and endpoint["EndpointStatus"] == "Failed":
        # An endpoint that never came up can only be deleted; the message comes back and creates it again.
        client("sagemaker").delete_endpoint(EndpointName=settings.endpoint)
        raise EndpointBusy(
            f"{settings.endpoint} had failed ({endpoint.get('FailureReason', '?')}) and is being removed"
        )
    if endpoint and endpoint["EndpointConfigName"] == config["EndpointConfigName"]:
        return Outcome("already live", facts)
    _create("create_model", requests.model(settings, version, package["ModelPackageArn"]))
    _create("create_endpoint_config", config)
    names = {"EndpointName": settings.endpoint, "EndpointConfigName": config["EndpointConfigName"]}
    if endpoint is None:
        client("sagemaker").create_endpoint(**names)
    else:
        client("sagemaker").update_endpoint(**names, DeploymentConfig=requests.deployment(settings))
        _scale(settings)
    previous = endpoint["EndpointConfigName"] if endpoint else None
    write_deployment(settings.records_uri, package, names, previous, request_id)
    return Outcome("deploying", facts | {"previous": previous})


def newest_approved(group: str) -> dict[str, Any] | None:
    """The approved package with the highest version, described; None when there is none."""
    pages = (
        client("sagemaker")
        .get_paginator("list_model_packages")
        .paginate(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    )
    found = [package for page in pages for package in page["ModelPackageSummaryList"]]
    if not found:
        return None
    newest = max(found, key=lambda package: package["ModelPackageVersion"])
    return client("sagemaker").describe_model_package(ModelPackageName=newest["ModelPackageArn"])


def _describe(endpoint: str) -> dict[str, Any] | None:
    try:
        return client("sagemaker").describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if _code(error) in ("ValidationException", "ResourceNotFound"):
            return None
        raise


def _create(operation: str, request: dict[str, Any]) -> None:
    """Create a model or configuration; one of the same name has the same content and is left alone."""
    try:
        getattr(client("sagemaker"), operation)(**request)
    except ClientError as error:
        if "already exist" not in str(error):
            raise


def _scale(settings: Settings) -> None:
    """Target tracking, once the endpoint is there; before an update the variant has to be free of its old target."""
    if settings.serving.mode == "realtime" and settings.serving.scaling.maximum > settings.serving.scaling.minimum:
        target, policy = requests.scaling(settings)
        client("application-autoscaling").register_scalable_target(**target)
        client("application-autoscaling").put_scaling_policy(**policy)


def _code(error: ClientError) -> str:
    response: Any = error.response
    return response["Error"]["Code"]
