"""SageMaker endpoints: statuses, the names that the deploy function derives from an endpoint's, and DescribeEndpoint."""

from typing import Any

from botocore.exceptions import ClientError

CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
"""Statuses of an endpoint that SageMaker is changing; it refuses other changes meanwhile."""

VARIANT = "AllTraffic"
"""Name of the production variant of the live version; outside of a trial it is the only one."""

CHALLENGER, SHADOW = "Challenger", "Shadow"
"""Names of the variant of a version on trial: a production variant with a share of the requests, or a shadow variant."""

TERMINATION_WAIT_SECONDS = 60
"""Time for which the instances before a deployment are kept after it."""


def deployment_seconds(bake_seconds: float) -> int:
    """Time after which SageMaker ends a deployment (MaximumExecutionTimeoutInSeconds, at most 28,800).

    It must be longer than all waiting times together: the bake time after each of the two steps of a canary, and the wait
    before the termination. An hour more is for the start of instances.
    """
    return 3600 + 2 * int(bake_seconds) + TERMINATION_WAIT_SECONDS


def name_stem(endpoint: str) -> str:
    """Prefix of the names of an endpoint's models and configurations; with version and digest they stay within 63 characters."""
    return endpoint[:45].rstrip("-")


def scalable_target(endpoint: str, variant: str = VARIANT) -> dict[str, str]:
    """A variant of the endpoint in requests to Application Auto Scaling."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
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


def variants(described: dict[str, Any]) -> list[dict[str, Any]]:
    """The variants of a described endpoint or endpoint configuration: those in production, then the shadow variants."""
    return [*described.get("ProductionVariants", []), *described.get("ShadowProductionVariants", [])]


def is_missing(error: ClientError) -> bool:
    """Whether SageMaker's Describe call failed because the resource does not exist."""
    return any(words in str(error) for words in ("Could not find", "does not exist"))
