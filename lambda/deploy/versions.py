"""The versions of a model in the model registry."""

from typing import Any

from shared.clients import client


def newest_approved(group: str) -> dict[str, Any] | None:
    """The approved model package with the highest version, described; None when there is none."""
    sagemaker = client("sagemaker")
    newest = sagemaker.list_model_packages(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
    )["ModelPackageSummaryList"]
    if not newest:
        return None
    last = max(newest, key=lambda package: package["ModelPackageVersion"])
    return sagemaker.describe_model_package(ModelPackageName=last["ModelPackageArn"])
