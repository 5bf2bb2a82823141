"""Versions of a model in an environment: the newest, the served one, and whether the deployed code differs from them."""

import json
from collections.abc import Iterator
from typing import Any

from environment import Environment

_METADATA_KEYS = {"CODE_DIGEST": "code_digest", "IMAGE": "image"}
"""Environment variables of the training pipeline's jobs, and the version's metadata keys with the same values."""


def list_versions(environment: Environment, model: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The model's versions as described model packages, newest first."""
    sagemaker = environment.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=model["model_package_group"], SortBy="CreationTime", SortOrder="Descending"
    )
    for page in pages:
        for summary in page["ModelPackageSummaryList"]:
            yield sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])


def newest_version(environment: Environment, model: dict[str, Any], *statuses: str) -> dict[str, Any] | None:
    """The newest version whose approval status is one of `statuses`."""
    versions = list_versions(environment, model)
    return next((version for version in versions if version["ModelApprovalStatus"] in statuses), None)


def served_version(environment: Environment, endpoint: dict[str, Any]) -> str:
    """ARN of the model package that a described endpoint serves; empty when it serves none."""
    sagemaker = environment.client("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    container = model.get("PrimaryContainer") or model["Containers"][0]
    return container.get("ModelPackageName", "")


def deployed_code(environment: Environment, model: dict[str, Any]) -> dict[str, str]:
    """`code_digest` and `image` of the deployed training pipeline.

    A pipeline of the model's own has the digest, which covers its images too, where it registers a version.
    """
    pipeline = environment.client("sagemaker").describe_pipeline(PipelineName=model["training_pipeline"])
    for step in _steps(json.loads(pipeline["PipelineDefinition"])["Steps"]):
        arguments = step.get("Arguments", {})
        variables = arguments.get("Environment", {})
        if "CODE_DIGEST" in variables:
            return {key: variables[name] for name, key in _METADATA_KEYS.items() if name in variables}
        if isinstance(digest := arguments.get("CustomerMetadataProperties", {}).get("code_digest"), str):
            return {"code_digest": digest}
    return {}


def _steps(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Steps with those in the branches of conditions."""
    for step in steps:
        yield step
        for branch in ("IfSteps", "ElseSteps") if step.get("Type") == "Condition" else ():
            yield from _steps(step["Arguments"].get(branch, []))


def code_changed(environment: Environment, model: dict[str, Any]) -> bool:
    """Whether the deployed code or image differs from that of the newest version that was not rejected.

    The digest covers jobs/, the model's folder and every setting of its model.yaml.
    """
    deployed = deployed_code(environment, model)
    version = newest_version(environment, model, "Approved", "PendingManualApproval")
    metadata: dict[str, str] = (version or {}).get("CustomerMetadataProperties", {})
    return any(metadata.get(key) != value for key, value in deployed.items())


def version_label(version: dict[str, Any] | None) -> str:
    """A version's number and the value of its metric, such as `v3 (auc 0.9012)`; `none` without a version."""
    if version is None:
        return "none"
    metadata = version.get("CustomerMetadataProperties", {})
    metric = f" ({metadata['metric']} {float(metadata['metric_value']):.4f})" if "metric_value" in metadata else ""
    return f"v{version['ModelPackageVersion']}{metric}"
