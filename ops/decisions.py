"""Approve or reject a version by hand, with the same audit record as the delivery pipeline writes."""

from dataclasses import dataclass
from typing import Any

from model_factory.functions.shared.approvals import Decision, set_approval
from model_factory.functions.shared.triggers import send_trigger

from .project import EnvironmentSession, UsageError


@dataclass(frozen=True)
class Decided:
    """What was decided, and where the record of it is."""

    version: int
    record_uri: str
    was_live: bool


def decide(session: EnvironmentSession, model: str, number: int | None, decision: Decision, reason: str) -> Decided:
    """Set the approval status of a version; default: the newest one that waits for an approval.

    Approving deploys by the approval's own event. Rejecting what was approved sends the endpoint back to the newest
    version that still is. Raises UsageError.
    """
    version = find_version(session, model, number)
    before = version["ModelApprovalStatus"]
    if before == decision:
        raise UsageError(f"version {version['ModelPackageVersion']} of {model} is {decision} already")
    person = session.client("sts").get_caller_identity()["Arn"]
    records_uri = f"s3://{session.names.bucket('records')}/{model}/"
    uri = set_approval(session, records_uri, version, decision, by=person, reason=reason)
    if before == "Approved":
        send_trigger(session.client("sqs"), session.names.queue("deploy"), model, "manual", f"rejected: {reason}")
    return Decided(version["ModelPackageVersion"], uri, before == "Approved")


def find_version(
    session: EnvironmentSession, model: str, number: int | None, status: str = "PendingManualApproval"
) -> dict[str, Any]:
    """A version by its number, else the newest in an approval status. Raises UsageError with what there is."""
    sagemaker, group = session.client("sagemaker"), session.names.model(model).model_package_group
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    found = [one for page in pages for one in page["ModelPackageSummaryList"]]
    found.sort(key=lambda one: one["ModelPackageVersion"], reverse=True)
    for one in found:
        if one["ModelPackageVersion"] == number or (number is None and one["ModelApprovalStatus"] == status):
            return sagemaker.describe_model_package(ModelPackageName=one["ModelPackageArn"])
    there = ", ".join(f"v{one['ModelPackageVersion']} {one['ModelApprovalStatus']}" for one in found[:5]) or "none yet"
    wanted = f"version {number}" if number else f"version that is {status}"
    raise UsageError(f"{model} has no {wanted} in {session.environment.name}; there are: {there}")
