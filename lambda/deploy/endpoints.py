"""The endpoint in SageMaker: its state, the tags about its deployments, and the calls that change it."""

from dataclasses import replace
from typing import Any

import api_requests as requests
from botocore.exceptions import ClientError
from decision import EndpointState
from deployment import DELETED_BY, POINTER, STARTED, Deployment
from settings import Settings
from shared.clients import client
from shared.endpoints import (
    CHALLENGER,
    VARIANT,
    backlog_alarm_name,
    describe_endpoint,
    is_missing,
    kind_of,
    scalable_target,
)
from shared.errors import error_code, error_status

WITHDRAWN, DELETED_BY_HAND = "none because the mode is batch", "deleted by hand"
"""Values of the tag `model-factory:endpoint` of a model package group: why there is no endpoint, while there is none."""

_WHY_NONE = "model-factory:endpoint"
_PROMOTED = "model-factory:promoted"


def describe(endpoint: str) -> dict[str, Any] | None:
    """DescribeEndpoint; None when the endpoint does not exist."""
    return describe_endpoint(client("sagemaker"), endpoint)


def state(endpoint: dict[str, Any]) -> EndpointState:
    """The state of a described endpoint."""
    live = _describe_config(endpoint["EndpointConfigName"])
    return EndpointState(
        status=endpoint["EndpointStatus"],
        target=target(endpoint),
        live_version=requests.version_of(live) if live else None,
        failure_reason=endpoint.get("FailureReason"),
        challenger=requests.challenger_of(live) if live else None,
        kind=kind_of(endpoint),
    )


def target(endpoint: dict[str, Any]) -> str:
    """The configuration that a described endpoint has, or will have when the deployment in progress succeeds."""
    return endpoint.get("PendingDeploymentSummary", endpoint)["EndpointConfigName"]


def last_deployment(endpoint: dict[str, Any]) -> Deployment | None:
    """The last deployment of a described endpoint; None when lambda/deploy has not tagged the endpoint."""
    tags = _tags(endpoint["EndpointArn"])
    last = deployment_of(tags[POINTER]) if POINTER in tags else None
    return last.confirmed_by(Deployment.from_endpoint_tags(tags)) if last else None


def deployment_of(configuration: str) -> Deployment | None:
    """The last deployment of a configuration; None when there was none, or the configuration was deleted."""
    config = _describe_config(configuration)
    return Deployment.from_tags(configuration, _tags(config["EndpointConfigArn"])) if config else None


def prepare(settings: Settings, config: dict[str, Any], deployment: Deployment) -> None:
    """Create the SageMaker models and the endpoint configuration unless they exist, and tag the configuration.

    The same name has the same content, but for the tags of its last deployment.
    """
    for package_arn in filter(None, (deployment.model_package, deployment.challenger)):
        _unless_exists("create_model", requests.model(settings, package_arn))
    tagged = config | {"Tags": [*config["Tags"], *deployment.tags()]}
    if not _unless_exists("create_endpoint_config", tagged):
        tag(deployment)


def tag(deployment: Deployment) -> None:
    """Write the tags of a deployment to its configuration, unless that was deleted."""
    if config := _describe_config(deployment.configuration):
        client("sagemaker").add_tags(ResourceArn=config["EndpointConfigArn"], Tags=deployment.tags())


def start(
    settings: Settings, endpoint: dict[str, Any] | None, config: dict[str, Any], deployment: Deployment
) -> list[str]:
    """CreateEndpoint, or UpdateEndpoint for a described endpoint, which gets the tags of the deployment.

    Returns the rollback alarms that this deployment goes without, because they are in ALARM by the errors of the version that
    it replaces: SageMaker ends a deployment whose alarms are in ALARM ('Auto-Rollback Configuration and Monitoring'), and so
    no version could ever replace a broken one.
    """
    name = config["EndpointConfigName"]
    if endpoint is None:
        client("sagemaker").create_endpoint(
            EndpointName=settings.endpoint,
            EndpointConfigName=name,
            Tags=[*settings.tags, *replace(deployment, outcome=STARTED).endpoint_tags()],
        )
        return []
    if _instance_type(_describe_config(endpoint["EndpointConfigName"])) != _instance_type(config):
        # SageMaker rejects an update to another instance type while the variant is a scalable target.
        deregister(settings)
    if CHALLENGER in requests.variant_names(endpoint) - requests.variant_names(config):
        deregister(settings, CHALLENGER)  # likewise an update without the variant
    in_alarm = alarms_in_alarm(settings.serving.rollback_alarms) if deployment.timeout else []
    alarms = [alarm for alarm in settings.serving.rollback_alarms if alarm not in in_alarm]
    tag_endpoint(endpoint, deployment)
    client("sagemaker").update_endpoint(**requests.update(settings, name, alarms, deployment.timeout))
    tag_endpoint(endpoint, replace(deployment, outcome=STARTED))
    return in_alarm


def tag_promoted(endpoint: dict[str, Any], version: int) -> None:
    """Write to a described endpoint that a version is to become live without a trial, or after it."""
    client("sagemaker").add_tags(ResourceArn=endpoint["EndpointArn"], Tags=[{"Key": _PROMOTED, "Value": str(version)}])


def promoted(endpoint: dict[str, Any]) -> int | None:
    """The last version that was promoted on a described endpoint; None without one."""
    value = _tags(endpoint["EndpointArn"]).get(_PROMOTED, "")
    return int(value) if value.isdigit() else None


def tag_endpoint(endpoint: dict[str, Any], deployment: Deployment) -> None:
    """Write the tags of the last deployment to a described endpoint."""
    client("sagemaker").add_tags(ResourceArn=endpoint["EndpointArn"], Tags=deployment.endpoint_tags())


def delete(settings: Settings, endpoint: dict[str, Any], request: str) -> None:
    """End automatic scaling, then DeleteEndpoint; the tag says that nobody deleted it by hand."""
    deregister(settings)
    delete_alarm(endpoint)
    if CHALLENGER in requests.variant_names(endpoint):
        deregister(settings, CHALLENGER)
    client("sagemaker").add_tags(ResourceArn=endpoint["EndpointArn"], Tags=[{"Key": DELETED_BY, "Value": request}])
    client("sagemaker").delete_endpoint(EndpointName=settings.endpoint)


def note(package_arn: str, why: str) -> None:
    """Write to the model package group of a version why there is no endpoint."""
    client("sagemaker").add_tags(ResourceArn=_group_arn(package_arn), Tags=[{"Key": _WHY_NONE, "Value": why}])


def is_withdrawn(package_arn: str) -> bool:
    """Whether there is no endpoint because the mode was batch, and not because somebody deleted it."""
    return _tags(_group_arn(package_arn)).get(_WHY_NONE) == WITHDRAWN


def scale(settings: Settings, endpoint: dict[str, Any]) -> None:
    """Apply scaling as configured; only possible while the endpoint is in service and no update is in progress.

    An endpoint of an earlier mode is not scaled by the settings of another one. A shadow variant is not scaled: who calls does
    not wait for it.
    """
    is_of_mode = kind_of(endpoint) == settings.serving.mode
    if not (is_of_mode and requests.scales_to_zero(settings)):
        delete_alarm(endpoint)
    for variant in (VARIANT, CHALLENGER) if CHALLENGER in requests.variant_names(endpoint) else (VARIANT,):
        if not (is_of_mode and requests.scales(settings)):
            deregister(settings, variant)
            continue
        limits, policy = requests.scaling(settings, variant)
        client("application-autoscaling").register_scalable_target(**limits)
        client("application-autoscaling").put_scaling_policy(**policy)
    if is_of_mode and requests.scales_to_zero(settings):
        policy = client("application-autoscaling").put_scaling_policy(**requests.first_instance(settings))
        client("cloudwatch").put_metric_alarm(**requests.backlog_alarm(settings, policy["PolicyARN"]))


def delete_alarm(endpoint: dict[str, Any]) -> None:
    """Delete the alarm by which a described asynchronous endpoint gets its first instance, if there is one."""
    if kind_of(endpoint) != "async":
        return
    try:
        client("cloudwatch").delete_alarms(AlarmNames=[backlog_alarm_name(endpoint["EndpointName"])])
    except ClientError as error:
        if "NotFound" not in error_code(error):
            raise


def deregister(settings: Settings, variant: str = VARIANT) -> None:
    """Deregister a variant as a scalable target if it is one, which deletes its policies."""
    try:
        client("application-autoscaling").deregister_scalable_target(**scalable_target(settings.endpoint, variant))
    except ClientError as error:
        if "No scalable target found" not in str(error):
            raise


def is_refusal(error: ClientError) -> bool:
    """Whether AWS refuses a call for what it asks, and not by throttling or an error of its own."""
    return 400 <= error_status(error) < 500 and "Throttl" not in error_code(error)


def _unless_exists(operation: str, request: dict[str, Any]) -> bool:
    """Create something; whether it did not exist."""
    try:
        getattr(client("sagemaker"), operation)(**request)
    except ClientError as error:
        if "already exist" not in str(error):
            raise
        return False
    return True


def _tags(arn: str) -> dict[str, str]:
    pages = client("sagemaker").get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def alarms_in_alarm(names: list[str]) -> list[str]:
    """Those of the alarms that are in ALARM."""
    if not names:
        return []
    found = client("cloudwatch").describe_alarms(AlarmNames=names, StateValue="ALARM")["MetricAlarms"]
    return [alarm["AlarmName"] for alarm in found]


def _group_arn(package_arn: str) -> str:
    return package_arn.rpartition("/")[0].replace(":model-package/", ":model-package-group/")


def _describe_config(name: str) -> dict[str, Any] | None:
    try:
        return client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None


def _instance_type(config: dict[str, Any] | None) -> str | None:
    return config["ProductionVariants"][0].get("InstanceType") if config else None
