"""Custom resource: when a model's stack is deleted, its endpoint and all that the deploy function made go with it.

Needs, on the factory's own names, sagemaker:Describe/Delete Endpoint, EndpointConfig and Model, their List actions,
ListModelPackages and DeleteModelPackage, and application-autoscaling:DeregisterScalableTarget; its log group.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import json
import time
import urllib.request
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config
from botocore.exceptions import ClientError

logger = Logger()
POLL_SECONDS = 2.0
RESERVE_MILLISECONDS = 20_000
_sagemaker: Any = boto3.client("sagemaker", config=Config(retries={"mode": "standard", "max_attempts": 8}))  # pyright: ignore[reportUnknownVariableType]


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer CloudFormation in every case: a stack that waits for an answer hangs for an hour."""
    status, reason = "SUCCESS", ""
    try:
        if event["RequestType"] == "Delete":
            properties = event["ResourceProperties"]
            remove_serving(properties["EndpointName"], context)
            if properties.get("DeleteVersions") == "true":
                remove_versions(properties["ModelPackageGroupName"])
    except Exception as error:
        logger.exception("clean-up failed")
        status, reason = "FAILED", f"{type(error).__name__}: {error}; see log stream {context.log_stream_name}"
    answer = {
        "Status": status,
        "Reason": reason[:1000],
        "PhysicalResourceId": event.get("PhysicalResourceId") or event["ResourceProperties"]["EndpointName"],
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 (CloudFormation's own pre-signed URL)
        logger.info("answered", status=status, http=response.status)


def remove_serving(endpoint: str, context: Any) -> None:
    """Delete the endpoint, wait until it is gone, then its configurations and models. Repeating it does no harm."""
    deadline = context.get_remaining_time_in_millis
    while (state := _endpoint_status(endpoint)) is not None:
        if state in ("InService", "Failed", "OutOfService", "UpdateRollbackFailed"):
            _sagemaker.delete_endpoint(EndpointName=endpoint)
        if deadline() < RESERVE_MILLISECONDS:
            raise TimeoutError(f"endpoint {endpoint} is still {state}")
        time.sleep(POLL_SECONDS if state == "Deleting" else 0.2)
    for name in _names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", endpoint):
        _sagemaker.delete_endpoint_config(EndpointConfigName=name)
    for name in _names("list_models", "Models", "ModelName", endpoint):
        _sagemaker.delete_model(ModelName=name)


def remove_versions(group: str) -> None:
    """Delete every version: SageMaker refuses to delete a model package group that has some."""
    try:
        pages = list(_sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group))
    except ClientError as error:
        if _code(error) in ("ValidationException", "ResourceNotFound"):
            return
        raise
    for page in pages:
        for package in page["ModelPackageSummaryList"]:
            _sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])


def _endpoint_status(endpoint: str) -> str | None:
    try:
        return _sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
    except ClientError as error:
        if _code(error) in ("ValidationException", "ResourceNotFound"):
            return None
        raise


def _names(operation: str, collection: str, name: str, endpoint: str) -> list[str]:
    """Names that the deploy function built from the endpoint's: `<endpoint>-v<version>…`."""
    pages = _sagemaker.get_paginator(operation).paginate(NameContains=f"{endpoint}-v")
    found = [item[name] for page in pages for item in page[collection]]
    return [item for item in found if item.startswith(f"{endpoint}-v")]


def _code(error: ClientError) -> str:
    response: Any = error.response
    return response["Error"]["Code"]
