"""An endpoint as SageMaker has it: what it is doing, and the calls that change it."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from typing import Any

import api_requests as requests
from botocore.exceptions import ClientError
from settings import Settings, client

BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def describe(endpoint: str) -> dict[str, Any] | None:
    """DescribeEndpoint; None when there is none."""
    return _or_none(lambda: client("sagemaker").describe_endpoint(EndpointName=endpoint))


def describe_config(name: str) -> dict[str, Any] | None:
    """DescribeEndpointConfig; None when there is none."""
    return _or_none(lambda: client("sagemaker").describe_endpoint_config(EndpointConfigName=name))


def target(endpoint: dict[str, Any]) -> str:
    """The configuration that the endpoint has, or is on its way to."""
    return endpoint.get("PendingDeploymentSummary", endpoint)["EndpointConfigName"]


def create(settings: Settings, config: dict[str, Any], version: int, package_arn: str) -> None:
    """Create model and configuration; those of the same name have the same content and are left alone."""
    for operation, request in (
        ("create_model", requests.model(settings, version, package_arn)),
        ("create_endpoint_config", config),
    ):
        try:
            getattr(client("sagemaker"), operation)(**request)
        except ClientError as error:
            if "already exist" not in str(error):
                raise


def deploy(settings: Settings, endpoint: dict[str, Any] | None, config: dict[str, Any]) -> None:
    """CreateEndpoint, or UpdateEndpoint where there is one."""
    name = config["EndpointConfigName"]
    if endpoint is None:
        client("sagemaker").create_endpoint(EndpointName=settings.endpoint, EndpointConfigName=name)
        return
    if _instance(describe_config(endpoint["EndpointConfigName"])) != _instance(config):
        # SageMaker refuses an update to another instance type while the variant is a target of automatic scaling.
        deregister(settings)
    client("sagemaker").update_endpoint(**requests.update(settings, name))


def delete(settings: Settings) -> None:
    """DeleteEndpoint, and its target of automatic scaling first."""
    deregister(settings)
    client("sagemaker").delete_endpoint(EndpointName=settings.endpoint)


def scale(settings: Settings) -> None:
    """Target tracking as the settings have it; only while the endpoint is in service and nothing changes it."""
    if not requests.scales(settings):
        deregister(settings)
        return
    limits, policy = requests.scaling(settings)
    client("application-autoscaling").register_scalable_target(**limits)
    client("application-autoscaling").put_scaling_policy(**policy)


def deregister(settings: Settings) -> None:
    """End automatic scaling of the variant, if there is any; its policies go with it."""
    try:
        client("application-autoscaling").deregister_scalable_target(**requests.scalable_target(settings))
    except ClientError as error:
        if "No scalable target found" not in str(error):
            raise


def _instance(config: dict[str, Any] | None) -> str | None:
    return config["ProductionVariants"][0].get("InstanceType") if config else None


def _or_none(call: Any) -> dict[str, Any] | None:
    try:
        return call()
    except ClientError as error:
        if "Could not find" in str(error):
            return None
        raise
