"""Approve or reject a version by hand, with the same audit record as the delivery pipeline's."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.approvals import KINDS, UNKNOWN, Decision, modified_by, set_approval
from model_factory.functions.shared.records import Record, RecorderQueue, send_record

from ..operations.trigger import send_manual_trigger
from ..operations.versions import PAGE, list_versions
from ..project import EnvironmentSession, UsageError
from ..records.chain import records


@dataclass(frozen=True)
class Decided:
    """The version that was approved or rejected, the id of the audit record, and whether the version was approved before.

    `completed`: the version had the status before, without a record, and only the record was written.
    """

    version: int
    record: str
    was_approved: bool
    completed: bool = False


def decide(session: EnvironmentSession, model: str, number: int | None, decision: Decision, reason: str) -> Decided:
    """Send the audit record, then set the approval status of a version; default: the newest one in PendingManualApproval.

    SageMaker's event of an approval starts the deployment. When an approved version is rejected, a message to the deploy queue
    returns the endpoint to the newest version that is still approved. Raises UsageError.
    """
    version = find_version(session, model, number)
    before = version["ModelApprovalStatus"]
    if before == decision:
        return _complete(session, model, version, reason)
    queue = RecorderQueue.of(session, session.names.prefix)
    record = set_approval(session, queue, model, version, decision, by=session.caller_arn, reason=reason)
    _check_effect(session, model, version, decision, record)
    if before == "Approved":
        send_manual_trigger(session, "deploy", model, f"rejected: {reason}")
    return Decided(version["ModelPackageVersion"], record, before == "Approved")


def _check_effect(
    session: EnvironmentSession, model: str, version: dict[str, Any], decision: Decision, record: str
) -> None:
    """Raise UsageError when somebody else has decided at the same time.

    UpdateModelPackage has no condition, so the last decision counts.
    """
    now = session.client("sagemaker").describe_model_package(ModelPackageName=version["ModelPackageArn"])
    if now["ModelApprovalStatus"] != decision:
        raise UsageError(
            f"version {version['ModelPackageVersion']} of {model} was {decision} (record {record}), but has been "
            f"set to {now['ModelApprovalStatus']} since: {now.get('ApprovalDescription') or modified_by(now) or UNKNOWN}"
        )


def _complete(session: EnvironmentSession, model: str, version: dict[str, Any], reason: str) -> Decided:
    """Send the record of a status that was set without one. Raises UsageError when there is one."""
    number, status = version["ModelPackageVersion"], version["ModelApprovalStatus"]
    recorded = _newest_record(session, model, version)
    if recorded and recorded["facts"]["decision"] == status:
        by = recorded["by"]["claimed"] or recorded["by"]["identity"]
        raise UsageError(f"version {number} of {model} is {status} already, by {by}: record {recorded['id']}")
    facts = {
        "decision": status,
        "decided_by": modified_by(version) or UNKNOWN,
        "reason": version.get("ApprovalDescription", ""),
        "completed_because": reason,
    }
    record = Record(
        kind=KINDS[status],
        id=uuid.uuid4().hex,
        model=model,
        version=number,
        subject=version["ModelPackageArn"],
        by=session.caller_arn,
        facts=facts,
    )
    send_record(record, RecorderQueue.of(session, session.names.prefix))
    return Decided(number, record.id, was_approved=status == "Approved", completed=True)


def _newest_record(session: EnvironmentSession, model: str, version: dict[str, Any]) -> dict[str, Any] | None:
    """The newest record of a decision on a version that took effect; None without one.

    The ARN of a version is used again after its group was deleted: records from before it was registered are of another.
    """
    bucket, number = session.names.bucket("records"), version["ModelPackageVersion"]
    registered = version["CreationTime"] - timedelta(minutes=10)  # the clock of the record's sender may be another
    kinds = tuple(KINDS.values())
    found = [entry.record for entry in records(session, bucket, model, kinds=kinds, since=registered)]
    about = [record for record in found if record.get("version") == number]
    refused = {record["facts"].get("refused") for record in about}
    return next((each for each in about if "decision" in each["facts"] and each["id"] not in refused), None)


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
