"""Versions of a model in an environment, and whether what is deployed differs from what the newest was trained with."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError
from environment import Environment

KEYS = {"CODE_DIGEST": "code_digest", "IMAGE": "image"}
"""Variables of the training pipeline's jobs, and the metadata of a version that holds the same."""


def versions(environment: Environment, model: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The model's versions, described, newest first."""
    sagemaker = environment.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=model["model_package_group"], SortBy="CreationTime", SortOrder="Descending"
    )
    for page in pages:
        for summary in page["ModelPackageSummaryList"]:
            yield sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])


def newest(environment: Environment, model: dict[str, Any], *statuses: str) -> dict[str, Any] | None:
    """The newest version in one of the approval statuses."""
    return next((one for one in versions(environment, model) if one["ModelApprovalStatus"] in statuses), None)


def endpoint_of(environment: Environment, model: dict[str, Any]) -> dict[str, Any] | None:
    """DescribeEndpoint; None before the first deployment."""
    try:
        return environment.client("sagemaker").describe_endpoint(EndpointName=model["endpoint"])
    except ClientError as error:
        if "Could not find" in str(error):
            return None
        raise


def served(environment: Environment, endpoint: dict[str, Any]) -> str:
    """ARN of the version behind an endpoint; empty when there is none."""
    sagemaker = environment.client("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    container = model.get("PrimaryContainer") or model["Containers"][0]
    return container.get("ModelPackageName", "")


def deployed(environment: Environment, model: dict[str, Any]) -> dict[str, str]:
    """What the deployed training pipeline would train with; empty for a pipeline that is not the factory's own."""
    pipeline = environment.client("sagemaker").describe_pipeline(PipelineName=model["training_pipeline"])
    for step in json.loads(pipeline["PipelineDefinition"])["Steps"]:
        variables = step.get("Arguments", {}).get("Environment", {})
        if "CODE_DIGEST" in variables:
            return {key: variables[name] for name, key in KEYS.items() if name in variables}
    return {}


def changed(environment: Environment, model: dict[str, Any]) -> bool:
    """Whether the newest version that was not rejected was trained with other code, settings or image than deployed.

    The digest covers jobs/, the model's folder and every setting of its model.yaml.
    """
    wanted = deployed(environment, model)
    version = newest(environment, model, "Approved", "PendingManualApproval")
    facts: dict[str, str] = (version or {}).get("CustomerMetadataProperties", {})
    return bool(wanted) and any(facts.get(key) != value for key, value in wanted.items())


def label(version: dict[str, Any] | None) -> str:
    """A version in words: its number and its quality."""
    if version is None:
        return "none"
    facts = version.get("CustomerMetadataProperties", {})
    quality = f" ({facts['metric']} {float(facts['metric_value']):.4f})" if "metric_value" in facts else ""
    return f"v{version['ModelPackageVersion']}{quality}"
