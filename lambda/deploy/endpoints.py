"""The endpoint in SageMaker: its state, and the calls that change it."""

# pyright: reportMissingTypeStubs=false

from typing import Any

import api_requests as requests
from botocore.exceptions import ClientError
from decision import EndpointState
from settings import Settings
from shared.clients import client
from shared.endpoints import describe_endpoint, is_missing, scalable_target


def describe(endpoint: str) -> dict[str, Any] | None:
    """DescribeEndpoint; None when the endpoint does not exist."""
    return describe_endpoint(client("sagemaker"), endpoint)


def state(endpoint: dict[str, Any], config: dict[str, Any], version: int) -> EndpointState:
    """The state of a described endpoint. `config`: the CreateEndpointConfig request of the wanted version."""
    live = _describe_config(endpoint["EndpointConfigName"])
    return EndpointState(
        status=endpoint["EndpointStatus"],
        target=endpoint.get("PendingDeploymentSummary", endpoint)["EndpointConfigName"],
        wanted=config["EndpointConfigName"],
        wanted_version=version,
        wanted_exists=_describe_config(config["EndpointConfigName"]) is not None,
        live_version=requests.version_of(live) if live else None,
        failure_reason=endpoint.get("FailureReason"),
    )


def create(settings: Settings, config: dict[str, Any], version: int, package_arn: str) -> None:
    """Create the SageMaker model and the endpoint configuration unless they exist: the same name has the same content."""
    for operation, request in (
        ("create_model", requests.model(settings, version, package_arn)),
        ("create_endpoint_config", config),
    ):
        try:
            getattr(client("sagemaker"), operation)(**request)
        except ClientError as error:
            if "already exist" not in str(error):
                raise


def deploy(settings: Settings, endpoint: dict[str, Any] | None, config: dict[str, Any]) -> list[str]:
    """CreateEndpoint, or UpdateEndpoint for a described endpoint.

    Returns the rollback alarms that this deployment goes without, because they are in ALARM by the errors of the version that
    it replaces: SageMaker ends a deployment whose alarms are in ALARM ('Auto-Rollback Configuration and Monitoring'), and so
    no version could ever replace a broken one.
    """
    name = config["EndpointConfigName"]
    if endpoint is None:
        client("sagemaker").create_endpoint(EndpointName=settings.endpoint, EndpointConfigName=name, Tags=settings.tags)
        return []
    if _instance_type(_describe_config(endpoint["EndpointConfigName"])) != _instance_type(config):
        # SageMaker rejects an update to another instance type while the variant is a scalable target.
        deregister(settings)
    in_alarm = _in_alarm(settings.serving.rollback_alarms)
    alarms = [alarm for alarm in settings.serving.rollback_alarms if alarm not in in_alarm]
    client("sagemaker").update_endpoint(**requests.update(settings, name, alarms))
    return in_alarm


def delete(settings: Settings) -> None:
    """End automatic scaling, then DeleteEndpoint."""
    deregister(settings)
    client("sagemaker").delete_endpoint(EndpointName=settings.endpoint)


def scale(settings: Settings) -> None:
    """Apply target tracking as configured; only possible while the endpoint is in service and no update is in progress."""
    if not requests.scales(settings):
        deregister(settings)
        return
    limits, policy = requests.scaling(settings)
    client("application-autoscaling").register_scalable_target(**limits)
    client("application-autoscaling").put_scaling_policy(**policy)


def deregister(settings: Settings) -> None:
    """Deregister the variant as a scalable target if it is one, which deletes its policies."""
    try:
        client("application-autoscaling").deregister_scalable_target(**scalable_target(settings.endpoint))
    except ClientError as error:
        if "No scalable target found" not in str(error):
            raise


def _in_alarm(names: list[str]) -> list[str]:
    """The alarms in ALARM."""
    if not names:
        return []
    found = client("cloudwatch").describe_alarms(AlarmNames=names, StateValue="ALARM")["MetricAlarms"]
    return [alarm["AlarmName"] for alarm in found]


def _describe_config(name: str) -> dict[str, Any] | None:
    try:
        return client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None


def _instance_type(config: dict[str, Any] | None) -> str | None:
    return config["ProductionVariants"][0].get("InstanceType") if config else None
