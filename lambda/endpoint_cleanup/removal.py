"""Deletes in the order that SageMaker requires: scalable target, endpoint, endpoint configurations, models, versions."""

import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from shared.clients import client
from shared.endpoints import CHALLENGER, VARIANT, backlog_alarm_name, name_stem, scalable_target

POLL_SECONDS = 2.0
RESPONSE_RESERVE_MILLISECONDS = 25_000
"""Time that is kept for the response to CloudFormation."""
DELETABLE = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")
MISSING = ("Could not find", "does not exist", "ResourceNotFound", "No scalable target found")
# Many deletions at once are throttled more than a single call.
_client = partial(client, max_attempts=8)


def remove_serving(endpoint: str, remaining_milliseconds: Callable[[], int]) -> None:
    """Delete the alarm and the endpoint, wait for it, then delete its configurations and models. Safe to repeat.

    Raises TimeoutError when a change of the endpoint takes longer than this function may run.
    """
    sagemaker = _client("sagemaker")
    # The scalable targets and the alarm of an asynchronous endpoint would outlive the endpoint.
    _if_exists(_client("cloudwatch").delete_alarms, AlarmNames=[backlog_alarm_name(endpoint)])
    for variant in (VARIANT, CHALLENGER):
        _if_exists(_client("application-autoscaling").deregister_scalable_target, **scalable_target(endpoint, variant))
    while (status := _status(endpoint)) is not None:
        if status in DELETABLE:
            _if_exists(sagemaker.delete_endpoint, EndpointName=endpoint)
        if remaining_milliseconds() < RESPONSE_RESERVE_MILLISECONDS:
            raise TimeoutError(f"endpoint {endpoint} is still {status}; delete the stack again when that has ended")
        time.sleep(POLL_SECONDS)
    for name in _names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", endpoint):
        _if_exists(sagemaker.delete_endpoint_config, EndpointConfigName=name)
    for name in _names("list_models", "Models", "ModelName", endpoint):
        _if_exists(sagemaker.delete_model, ModelName=name)


def remove_versions(group: str) -> None:
    """Delete every version: SageMaker refuses to delete a model package group that has some."""
    sagemaker = _client("sagemaker")
    pages = _if_exists(
        lambda: list(sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group))
    )
    for page in pages or []:
        for package in page["ModelPackageSummaryList"]:
            _if_exists(sagemaker.delete_model_package, ModelPackageName=package["ModelPackageArn"])


def _status(endpoint: str) -> str | None:
    description = _if_exists(_client("sagemaker").describe_endpoint, EndpointName=endpoint)
    return description and description["EndpointStatus"]


def _names(operation: str, collection: str, name: str, endpoint: str) -> list[str]:
    """Names that the deploy function built from the endpoint's, `<stem>-v<version>[-<digest>]`, and no other model's."""
    stem = f"{name_stem(endpoint)}-v"
    pages = _client("sagemaker").get_paginator(operation).paginate(NameContains=stem)
    names = [item[name] for page in pages for item in page[collection]]
    return [each for each in names if re.fullmatch(rf"{re.escape(stem)}\d+(-[0-9a-f]{{8}})?", each)]


def _if_exists(call: Callable[..., Any], **request: Any) -> Any:
    """The response of `call`; None when its resource does not exist."""
    try:
        return call(**request)
    except ClientError as error:
        if any(words in str(error) for words in MISSING):
            return None
        raise
