"""SageMaker endpoints: statuses, the names that the deploy function derives from an endpoint's, and DescribeEndpoint."""

# pyright: reportMissingTypeStubs=false

from typing import Any

from botocore.exceptions import ClientError

CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
"""Statuses of an endpoint that SageMaker is changing; it refuses other changes meanwhile."""

VARIANT = "AllTraffic"
"""Name of the only production variant."""


def name_stem(endpoint: str) -> str:
    """Prefix of the names of an endpoint's models and configurations; with version and digest they stay within 63 characters."""
    return endpoint[:45].rstrip("-")


def scalable_target(endpoint: str) -> dict[str, str]:
    """The endpoint's variant in requests to Application Auto Scaling."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def describe_endpoint(sagemaker: Any, endpoint: str) -> dict[str, Any] | None:
    """DescribeEndpoint; None when the endpoint does not exist."""
    try:
        return sagemaker.describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None


def is_missing(error: ClientError) -> bool:
    """Whether SageMaker's Describe call failed because the resource does not exist."""
    return "Could not find" in str(error)
