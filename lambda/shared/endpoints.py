"""SageMaker endpoints: statuses, the names that the deploy function derives from an endpoint's, and DescribeEndpoint."""

from typing import Any

from botocore.exceptions import ClientError

CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
"""Statuses of an endpoint that SageMaker is changing; it refuses other changes meanwhile."""

VARIANT = "AllTraffic"
"""Name of the production variant of the live version; outside of a trial it is the only one."""

CHALLENGER, SHADOW = "Challenger", "Shadow"
"""Names of the variant of a version on trial: a production variant with a share of the requests, or a shadow variant."""

BACKLOG_ALARM = "-scale-from-zero"
"""What follows the name of an endpoint in that of the alarm of `backlog_alarm_name`."""

KINDS_THAT_UPDATE = (("serverless", "realtime"),)
"""Pairs of different modes, from and to, between which SageMaker updates an endpoint; for others it has to be deleted first."""

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


def kind_of(endpoint: dict[str, Any]) -> str:
    """The mode of a described endpoint: realtime, serverless or async."""
    if "AsyncInferenceConfig" in endpoint:
        return "async"
    serverless = any("CurrentServerlessConfig" in each for each in endpoint.get("ProductionVariants", []))
    return "serverless" if serverless else "realtime"


def is_updated(old: str, new: str) -> bool:
    """Whether UpdateEndpoint changes an endpoint of one mode to another one.

    Sources: SageMaker developer guide, 'Serverless Inference', feature exclusions: a real-time endpoint cannot be converted, a
    serverless one can, and not be rolled back. UpdateEndpoint's own message (quoted in aws/sagemaker-python-sdk, pull request
    3124): 'The AsyncInferenceConfig parameter cannot be removed from this endpoint'.
    """
    return old == new or (old, new) in KINDS_THAT_UPDATE


def backlog_alarm_name(endpoint: str) -> str:
    """Name of the alarm by which an asynchronous endpoint without instances gets its first one."""
    return f"{endpoint}{BACKLOG_ALARM}"


def variants(described: dict[str, Any]) -> list[dict[str, Any]]:
    """The variants of a described endpoint or endpoint configuration: those in production, then the shadow variants."""
    return [*described.get("ProductionVariants", []), *described.get("ShadowProductionVariants", [])]


def is_missing(error: ClientError) -> bool:
    """Whether SageMaker's Describe call failed because the resource does not exist."""
    return any(words in str(error) for words in ("Could not find", "does not exist"))
