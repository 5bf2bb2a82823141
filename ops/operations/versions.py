"""Versions of a model: the one that an endpoint serves, and the gate's metric of one."""

import re
from typing import Any

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
