"""What is removed, in SageMaker's order: automatic scaling, the endpoint, its configurations, its models, the versions."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import re
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

POLL_SECONDS = 2.0
RESERVE_MILLISECONDS = 25_000
"""What is left to answer CloudFormation."""
SETTLED = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")
MISSING = ("Could not find", "does not exist", "ResourceNotFound", "No scalable target found")
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 8})
_sagemaker: Any = boto3.client("sagemaker", config=_RETRIES)
_scaling: Any = boto3.client("application-autoscaling", config=_RETRIES)


def remove_serving(endpoint: str, remaining_milliseconds: Callable[[], int]) -> None:
    """Delete the endpoint, wait until it is gone, then its configurations and models. Repeating it does no harm.

    Raises TimeoutError when the endpoint is being changed for longer than this function may run.
    """
    _deregister(endpoint)
    while (state := _state(endpoint)) is not None:
        if state in SETTLED:
            _tolerant(_sagemaker.delete_endpoint, EndpointName=endpoint)
        if remaining_milliseconds() < RESERVE_MILLISECONDS:
            raise TimeoutError(f"endpoint {endpoint} is still {state}; delete the stack again when that has ended")
        time.sleep(POLL_SECONDS)
    for name in _names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", endpoint):
        _tolerant(_sagemaker.delete_endpoint_config, EndpointConfigName=name)
    for name in _names("list_models", "Models", "ModelName", endpoint):
        _tolerant(_sagemaker.delete_model, ModelName=name)


def remove_versions(group: str) -> None:
    """Delete every version: SageMaker refuses to delete a model package group that has some."""
    pages = _tolerant(
        lambda: list(_sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group))
    )
    for page in pages or []:
        for package in page["ModelPackageSummaryList"]:
            _tolerant(_sagemaker.delete_model_package, ModelPackageName=package["ModelPackageArn"])


def _deregister(endpoint: str) -> None:
    """End automatic scaling: its target would outlive the endpoint."""
    _tolerant(
        _scaling.deregister_scalable_target,
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{endpoint}/variant/AllTraffic",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
    )


def _state(endpoint: str) -> str | None:
    described = _tolerant(_sagemaker.describe_endpoint, EndpointName=endpoint)
    return described and described["EndpointStatus"]


def _names(operation: str, collection: str, name: str, endpoint: str) -> list[str]:
    """Names that the deploy function built from the endpoint's: `<endpoint>-v<version>[-<digest>]`, and no other model's."""
    stem = f"{endpoint[:45].rstrip('-')}-v"
    pages = _sagemaker.get_paginator(operation).paginate(NameContains=stem)
    found = [item[name] for page in pages for item in page[collection]]
    return [item for item in found if re.fullmatch(rf"{re.escape(stem)}\d+(-[0-9a-f]{{8}})?", item)]


def _tolerant(call: Callable[..., Any], **request: Any) -> Any:
    """What `call` answers; None when that of which it speaks does not exist."""
    try:
        return call(**request)
    except ClientError as error:
        if any(words in str(error) for words in MISSING):
            return None
        raise
