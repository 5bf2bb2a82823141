"""Approve or reject a version: the audit record of who decided and why, then the approval status in the model registry.

The record is written first, so that nothing that changes the endpoint lacks one; the approval description names it. A status
that was set in the console or by UpdateModelPackage gets its record from SageMaker's event
(docs/decisions/0041-records-come-before-approvals.md).
"""

# pyright: reportMissingTypeStubs=false

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from botocore.exceptions import ClientError

from .clients import ClientProvider
from .records import put_once, record_name, write_correction, write_record

type Decision = Literal["Approved", "Rejected"]

KIND = "approvals"
"""Folder of the records below a model's `records_uri`."""

RECORD_LEAD = timedelta(minutes=10)
"""Longest time between a record and the status that it is about: AWS refuses clocks that are five minutes wrong, and retries take
one or two."""

UNKNOWN = "unknown: see UpdateModelPackage in CloudTrail"
"""Who decided, when the version was changed again before it was described."""

_MAX_DESCRIPTION_LENGTH = 1024
_NOT_ONE_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_RECORD = re.compile(r" \[(?P<decision>\w+), record (?P<time>\d{8}T\d{6}Z)\]$")


@dataclass(frozen=True)
class StatusEvent:
    """What 'SageMaker Model Package State Change' says about a version.

    Args:
        status: ModelApprovalStatus after the change.
        time: LastModifiedTime; of a new version its CreationTime.
        updated: UpdatedModelPackageFields; empty for a new version.
        description: ApprovalDescription, where the event has it. Default: the described version's, which may be a later one.
    """

    status: str
    time: datetime
    updated: tuple[str, ...] = ()
    description: str | None = None

    @property
    def decided(self) -> bool:
        """Whether somebody set the approval status. Updates of metadata send the event as well, with the old status."""
        return "ModelApprovalStatus" in self.updated


def set_approval(
    environment: ClientProvider,
    records_uri: str,
    package: dict[str, Any],
    decision: Decision,
    *,
    by: str,
    reason: str,
    delivery: str | None = None,
) -> str:
    """Write `approvals/<time>-v<version>.json`, then set the approval status of a described model package; the record's URI.

    `by` is an IAM ARN or name. `delivery`: id of the delivery pipeline's execution that applies the decision, if one does.
    Raises ClientError: of PutObject, then the status is as before; or of UpdateModelPackage, then a second record
    `…-not-set.json` says so, unless the error leaves open what SageMaker did.
    """
    facts = {"decision": decision, "by": by, "reason": reason}
    if delivery:
        facts["delivery"] = delivery
    s3 = environment.client("s3")
    record_uri = write_record(s3, records_uri, KIND, package, facts)
    try:
        environment.client("sagemaker").update_model_package(
            ModelPackageArn=package["ModelPackageArn"],
            ModelApprovalStatus=decision,
            ApprovalDescription=_description(facts, record_uri),
        )
    except ClientError as error:
        write_correction(s3, record_uri, "not-set", error)
        raise
    return record_uri


def record_decision(s3: Any, records_uri: str, package: dict[str, Any], event: StatusEvent) -> str | None:
    """Write the record of a status that was set without one; its URI, or None when there is nothing to write.

    `package`: described after the event. The record is named after the time of the change, so that events which SageMaker sends
    twice write it once. Who decided is LastModifiedBy, which the event does not have.
    """
    # Without it in the event, the description is the version's, which stays when somebody sets the status alone.
    described = package.get("ApprovalDescription", "") if event.description is None else event.description
    description = described if "ApprovalDescription" in event.updated else ""
    if not event.decided or _names_record(description, event):
        return None
    changed_since = _seconds_apart(event.time, package.get("LastModifiedTime")) > 1
    record = {
        "time": event.time.isoformat(),
        "decision": event.status,
        "by": (None if changed_since else modified_by(package)) or UNKNOWN,
        "reason": description,
        "source": "SageMaker Model Package State Change",
        "ModelPackageArn": package["ModelPackageArn"],
        "ModelPackageVersion": package["ModelPackageVersion"],
    }
    name = record_name(KIND, event.time, package["ModelPackageVersion"]).removesuffix(".json")
    uri = f"{records_uri}{name}-{event.status}.json"
    return uri if put_once(s3, uri, record) else None


def modified_by(package: dict[str, Any]) -> str | None:
    """ARN of the Studio user or IAM identity that modified a described model package last; None when nobody did."""
    person: dict[str, Any] = package.get("LastModifiedBy") or {}
    return person.get("UserProfileArn") or person.get("IamIdentity", {}).get("Arn")


def _names_record(description: str, event: StatusEvent) -> bool:
    """Whether an approval description names a record of the event's decision, written shortly before."""
    named = _RECORD.search(description)
    if named is None or named["decision"] != event.status:
        return False
    written = datetime.strptime(named["time"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return _seconds_apart(written, event.time) <= RECORD_LEAD.total_seconds()


def _description(facts: dict[str, str], record_uri: str) -> str:
    """`<by>: <reason> [<decision>, record <time>]`. SageMaker takes one line of at most 1024 characters."""
    delivery = f" (delivery {facts['delivery']})" if "delivery" in facts else ""
    time = record_uri.rpartition("/")[2].partition("-")[0]
    end = f"{delivery} [{facts['decision']}, record {time}]"
    text = _NOT_ONE_LINE.sub(" ", f"{facts['by']}: {facts['reason']}")
    return text[: _MAX_DESCRIPTION_LENGTH - len(end)] + end


def _seconds_apart(one: datetime, other: datetime | None) -> float:
    return abs((one.replace(microsecond=0) - other.replace(microsecond=0)).total_seconds()) if other else float("inf")
