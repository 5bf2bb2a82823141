"""The versions of a model in the model registry."""

from typing import Any

from botocore.exceptions import ClientError
from shared.clients import client
from shared.endpoints import is_missing

_MOST_DESCRIBED = 20
"""Versions that are described at most: a list shows a change of the last seconds late, and not of twenty versions."""


def newest_approved(group: str, named: str | None = None) -> dict[str, Any] | None:
    """The approved model package with the highest version, described; None when there is none.

    `named`: ARN of the version that an event is about. A list may not show it yet, and may still show as approved what was
    rejected; only descriptions count.
    """
    found = client("sagemaker").list_model_packages(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
    )["ModelPackageSummaryList"]
    arns = {package["ModelPackageVersion"]: package["ModelPackageArn"] for package in found}
    if named is not None:
        arns[int(named.rpartition("/")[2])] = named
    for version in sorted(arns, reverse=True)[:_MOST_DESCRIBED]:
        package = describe(arns[version])
        if package and package["ModelApprovalStatus"] == "Approved":
            return package
    return None


def describe(arn: str) -> dict[str, Any] | None:
    """DescribeModelPackage; None when the version was deleted."""
    try:
        return client("sagemaker").describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None
