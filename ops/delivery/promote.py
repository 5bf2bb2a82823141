"""Promotion of an approved version to a later environment: the same artifact, encrypted with that environment's key."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from model_factory.core.image import ImageError, default_image_uri, images
from model_factory.functions.shared.promotion import Promoted, PromotionError, Target
from model_factory.functions.shared.promotion import promote as promote_package
from model_factory.functions.shared.records import RecorderQueue

from ..project import EnvironmentSession, UsageError
from .approvals import find_version


def promote(
    source: EnvironmentSession, target: EnvironmentSession, model: str, number: int | None, reason: str
) -> Promoted:
    """Register a version (default: the newest approved one of `source`) in `target`.

    Raises UsageError.
    """
    order = [environment.name for environment in source.project.factory.environments]
    if order.index(source.environment.name) >= order.index(target.environment.name):
        raise UsageError(
            f"{target.environment.name} does not come after {source.environment.name}; the order of promotion is "
            f"{', '.join(order)}"
        )
    version = find_version(source, model, number, "Approved")
    if version["ModelApprovalStatus"] != "Approved":
        raise UsageError(f"version {version['ModelPackageVersion']} of {model} is {version['ModelApprovalStatus']}")
    names = target.names
    group = names.model(model).model_package_group
    if version["ModelPackageArn"] in _origins(target.client("sagemaker"), group):
        raise UsageError(f"{version['ModelPackageArn']} was promoted to {target.environment.name} already")
    promotion_target = Target(
        environment=target,
        model_package_group=group,
        artifacts_uri=f"s3://{names.bucket('artifacts')}/{model}/",
        recorder=RecorderQueue.of(target, names.prefix),
        model=model,
        approval_status="Approved" if target.environment.approval == "automatic" else "PendingManualApproval",
        image=_image(version["InferenceSpecification"]["Containers"][0]["Image"], source, target),
    )
    name = source.environment.name
    try:
        return promote_package(
            version,
            source,
            name,
            promotion_target,
            by=target.caller_arn,
            reason=reason,
            evidence_uri=f"s3://{source.names.bucket('records')}/{model}/evidence",
        )
    except PromotionError as error:
        raise UsageError(str(error)) from None


def _image(image: str, source: EnvironmentSession, target: EnvironmentSession) -> str | None:
    """URI of AWS's image of a framework in the target's region. None for any other image: its URI does not change."""
    for framework in images():
        with suppress(ImageError):
            if image == default_image_uri(source.environment.region, framework):
                return default_image_uri(target.environment.region, framework)
    return None


def _origins(sagemaker: Any, group: str) -> Iterator[str]:
    """ARNs of the versions that versions of the group were promoted from."""
    for page in sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group):
        for each in page["ModelPackageSummaryList"]:
            described = sagemaker.describe_model_package(ModelPackageName=each["ModelPackageArn"])
            yield described.get("CustomerMetadataProperties", {}).get("origin", "")
