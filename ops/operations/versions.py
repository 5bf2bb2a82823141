"""Versions of a model: the newest ones, the one that an endpoint serves, and the gate's metric of one."""

import re
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.errors import is_missing

from ..project import EnvironmentSession

PAGE = 100
"""The most versions that ListModelPackages returns at a time."""

_NUMBER = re.compile(r"-v(\d+)(?:-[0-9a-f]+)?$")


def version_in(configuration: str) -> int | None:
    """The version in the name of an endpoint configuration `<stem>-v<version>-<digest>`; None in any other name."""
    found = _NUMBER.search(configuration)
    return int(found[1]) if found else None


def gate_metric(metadata: dict[str, str]) -> str | None:
    """Metric that the gate compared, from a model package's metadata: `auc 0.9056`. None when it has none."""
    return f"{metadata['metric']} {float(metadata['metric_value']):.4f}" if "metric_value" in metadata else None


def live_package(sagemaker: Any, endpoint: dict[str, Any]) -> dict[str, Any] | None:
    """Model package of the first variant of a described endpoint; None when its model was not created from one."""
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    container = model.get("PrimaryContainer") or next(iter(model.get("Containers", [])), {})
    package = container.get("ModelPackageName")
    return sagemaker.describe_model_package(ModelPackageName=package) if package else None


def list_versions(session: EnvironmentSession, model: str, **filters: str) -> list[dict[str, Any]]:
    """Summaries of the newest versions of a model, newest first, at most 100.

    Raises UsageError when the environment has no such model.
    """
    group = session.names.model(model).model_package_group
    try:
        found = session.client("sagemaker").list_model_packages(
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", MaxResults=PAGE, **filters
        )["ModelPackageSummaryList"]
    except ClientError as error:
        if not is_missing(error):
            raise
        raise session.not_deployed(f"model package group {group!r}") from None
    # Two versions may have been registered within the same second.
    return sorted(found, key=lambda each: each["ModelPackageVersion"], reverse=True)
