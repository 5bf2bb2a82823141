"""Approve or reject a version by hand, with the same audit record as the delivery pipeline's."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.approvals import KIND, UNKNOWN, Decision, modified_by, set_approval
from model_factory.functions.shared.records import write_record
from model_factory.functions.shared.s3 import split_uri

from ..operations.trigger import send_manual_trigger
from ..operations.versions import PAGE, list_versions
from ..project import EnvironmentSession, UsageError


@dataclass(frozen=True)
class Decided:
    """The version that was approved or rejected, the URI of the audit record, and whether the version was approved before.

    `completed`: the version had the status before, without a record, and only the record was written.
    """

    version: int
    record_uri: str
    was_approved: bool
    completed: bool = False


def decide(session: EnvironmentSession, model: str, number: int | None, decision: Decision, reason: str) -> Decided:
    """Write the audit record, then set the approval status of a version; default: the newest one in PendingManualApproval.

    SageMaker's event of an approval starts the deployment. When an approved version is rejected, a message to the deploy queue
    returns the endpoint to the newest version that is still approved. Raises UsageError.
    """
    version = find_version(session, model, number)
    before = version["ModelApprovalStatus"]
    if before == decision:
        return _complete(session, model, version, reason)
    records_uri = _records_uri(session, model)
    record_uri = set_approval(session, records_uri, version, decision, by=session.caller_arn, reason=reason)
    _check_effect(session, model, version, decision, record_uri)
    if before == "Approved":
        send_manual_trigger(session, "deploy", model, f"rejected: {reason}")
    return Decided(version["ModelPackageVersion"], record_uri, before == "Approved")


def _check_effect(
    session: EnvironmentSession, model: str, version: dict[str, Any], decision: Decision, record_uri: str
) -> None:
    """Raise UsageError when somebody else has decided at the same time.

    UpdateModelPackage has no condition, so the last decision counts.
    """
    now = session.client("sagemaker").describe_model_package(ModelPackageName=version["ModelPackageArn"])
    if now["ModelApprovalStatus"] != decision:
        raise UsageError(
            f"version {version['ModelPackageVersion']} of {model} was {decision} (recorded in {record_uri}), but has been "
            f"set to {now['ModelApprovalStatus']} since: {now.get('ApprovalDescription') or modified_by(now) or UNKNOWN}"
        )


def _complete(session: EnvironmentSession, model: str, version: dict[str, Any], reason: str) -> Decided:
    """Write the record of a status that was set without one. Raises UsageError when there is one."""
    number, status = version["ModelPackageVersion"], version["ModelApprovalStatus"]
    records_uri, s3 = _records_uri(session, model), session.client("s3")
    if recorded := _newest_record(s3, records_uri, version):
        uri, record = recorded
        if record.get("decision") == status:
            raise UsageError(f"version {number} of {model} is {status} already, by {record['by']}: {uri}")
    facts = {
        "decision": status,
        "by": modified_by(version) or UNKNOWN,
        "reason": version.get("ApprovalDescription", ""),
        "completed_by": session.caller_arn,
        "completed_because": reason,
    }
    record_uri = write_record(s3, records_uri, KIND, version, facts)
    return Decided(number, record_uri, was_approved=status == "Approved", completed=True)


def _newest_record(s3: Any, records_uri: str, version: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """URI and content of the newest record of a decision on a version.

    Records are named by time, so only those since the version was registered are listed.
    """
    bucket, prefix = split_uri(f"{records_uri}{KIND}/")
    registered = version["CreationTime"] - timedelta(minutes=10)  # the clock that names records may be another
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix, StartAfter=f"{prefix}{registered:%Y%m%dT%H%M%SZ}"
    )
    end = f"-v{version['ModelPackageVersion']}"
    names = [entry["Key"].removesuffix(".json") for page in pages for entry in page.get("Contents", [])]
    without_effect = {name.removesuffix("-not-set") for name in names if name.endswith("-not-set")}
    ends = (end, f"{end}-{version['ModelApprovalStatus']}")
    mine = [name for name in names if name.endswith(ends) and name not in without_effect]
    if not mine:
        return None
    key = f"{mine[-1]}.json"
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return f"s3://{bucket}/{key}", json.loads(body)


def _records_uri(session: EnvironmentSession, model: str) -> str:
    return f"s3://{session.names.bucket('records')}/{model}/"


def find_version(
    session: EnvironmentSession, model: str, number: int | None, status: str = "PendingManualApproval"
) -> dict[str, Any]:
    """The described version with this number; without a number, the newest one with this approval status.

    Raises UsageError, with a list of the newest versions.
    """
    sagemaker, group = session.client("sagemaker"), session.names.model(model).model_package_group
    newest = list_versions(session, model) if number is None else []
    fitting = [each["ModelPackageArn"] for each in newest if each["ModelApprovalStatus"] == status]
    if number is not None:
        fitting = [session.names.arn("sagemaker", f"model-package/{group}/{number}")]
    elif not fitting and len(newest) == PAGE:  # it may be older than the newest page
        fitting = [each["ModelPackageArn"] for each in list_versions(session, model, ModelApprovalStatus=status)]
    try:
        if fitting:
            return sagemaker.describe_model_package(ModelPackageName=fitting[0])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":  # it does not exist
            raise
    newest = newest or list_versions(session, model)
    existing = ", ".join(f"v{each['ModelPackageVersion']} {each['ModelApprovalStatus']}" for each in newest[:5])
    wanted = f"version {number}" if number else f"version that is {status}"
    raise UsageError(f"{model} has no {wanted} in {session.environment.name}; there are: {existing or 'none yet'}")
