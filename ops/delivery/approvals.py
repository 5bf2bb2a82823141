"""Approve or reject a version by hand, with the same audit record as the delivery pipeline's."""

from dataclasses import dataclass
from typing import Any

from model_factory.functions.shared.approvals import Decision, set_approval

from ..operations.trigger import send_manual_trigger
from ..project import EnvironmentSession, UsageError


@dataclass(frozen=True)
class Decided:
    """The version that was approved or rejected, the URI of the audit record, and whether the version was approved before."""

    version: int
    record_uri: str
    was_approved: bool


def decide(session: EnvironmentSession, model: str, number: int | None, decision: Decision, reason: str) -> Decided:
    """Set the approval status of a version; default: the newest one in PendingManualApproval.

    SageMaker's event of an approval starts the deployment. When an approved version is rejected, a message to the deploy queue
    returns the endpoint to the newest version that is still approved. Raises UsageError.
    """
    version = find_version(session, model, number)
    before = version["ModelApprovalStatus"]
    if before == decision:
        raise UsageError(f"version {version['ModelPackageVersion']} of {model} is {decision} already")
    records_uri = f"s3://{session.names.bucket('records')}/{model}/"
    record_uri = set_approval(session, records_uri, version, decision, by=session.caller_arn, reason=reason)
    if before == "Approved":
        send_manual_trigger(session, "deploy", model, f"rejected: {reason}")
    return Decided(version["ModelPackageVersion"], record_uri, before == "Approved")


def find_version(
    session: EnvironmentSession, model: str, number: int | None, status: str = "PendingManualApproval"
) -> dict[str, Any]:
    """The described version with this number; without a number, the newest one with this approval status.

    Raises UsageError, with a list of the newest versions.
    """
    sagemaker, group = session.client("sagemaker"), session.names.model(model).model_package_group
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    versions = [each for page in pages for each in page["ModelPackageSummaryList"]]
    versions.sort(key=lambda each: each["ModelPackageVersion"], reverse=True)
    for each in versions:
        if each["ModelPackageVersion"] == number or (number is None and each["ModelApprovalStatus"] == status):
            return sagemaker.describe_model_package(ModelPackageName=each["ModelPackageArn"])
    newest = ", ".join(f"v{each['ModelPackageVersion']} {each['ModelApprovalStatus']}" for each in versions[:5])
    wanted = f"version {number}" if number else f"version that is {status}"
    raise UsageError(f"{model} has no {wanted} in {session.environment.name}; there are: {newest or 'none yet'}")
