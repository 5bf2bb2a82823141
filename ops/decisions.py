"""Approve or reject a version by hand, with the same audit record as the delivery pipeline writes."""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from .project import EnvironmentSession, UsageError

type Decision = Literal["Approved", "Rejected"]


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
    sagemaker = session.client("sagemaker")
    version = find_version(session, model, number)
    before = version["ModelApprovalStatus"]
    if before == decision:
        raise UsageError(f"version {version['ModelPackageVersion']} of {model} is {decision} already")
    person = session.client("sts").get_caller_identity()["Arn"]
    sagemaker.update_model_package(
        ModelPackageArn=version["ModelPackageArn"],
        ModelApprovalStatus=decision,
        ApprovalDescription=f"{person}: {reason}"[:1024],
    )
    uri = write_record(session, model, version, "approvals", {"decision": decision, "by": person, "reason": reason})
    if before == "Approved":
        _reconcile(session, model, reason)
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


def write_record(
    session: EnvironmentSession, model: str, version: dict[str, Any], kind: str, facts: dict[str, Any]
) -> str:
    """Write `<records>/<model>/<kind>/<time>-v<version>.json`; its URI."""
    now, number = datetime.now(UTC), version["ModelPackageVersion"]
    bucket, key = session.names.bucket("records"), f"{model}/{kind}/{now:%Y%m%dT%H%M%SZ}-v{number}.json"
    record = {
        "time": now.isoformat(),
        **facts,
        "ModelPackageArn": version["ModelPackageArn"],
        "ModelPackageVersion": number,
    }
    # Where records cannot be overwritten S3 asks for a checksum.
    session.client("s3").put_object(
        Bucket=bucket,
        Key=key,
        Body=json.dumps(record, indent=2).encode(),
        ContentType="application/json",
        ChecksumAlgorithm="SHA256",
    )
    return f"s3://{bucket}/{key}"


def _reconcile(session: EnvironmentSession, model: str, reason: str) -> None:
    sqs = session.client("sqs")
    url = sqs.get_queue_url(QueueName=session.names.queue("deploy"))["QueueUrl"]
    body = {"model": model, "trigger": "manual", "reason": f"rejected: {reason}"[:1024], "id": uuid.uuid4().hex}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body), MessageGroupId=model)
