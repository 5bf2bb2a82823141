"""Approve or reject a version: the audit record of who decided and why, then the approval status in the model registry.

The record is sent first, so that nothing that changes the endpoint lacks one; the approval description names it. A status
that was set in the console or by UpdateModelPackage gets its record from SageMaker's event: lambda/recorder
(docs/decisions/0041-records-come-before-approvals.md).
"""

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

from botocore.exceptions import ClientError

from .clients import ClientProvider
from .records import Record, RecorderQueue, send_record, send_refusal

type Decision = Literal["Approved", "Rejected"]

KINDS = {"Approved": "approval", "Rejected": "rejection"}
"""Kind of the record by the decision."""

RECORD_LEAD = timedelta(minutes=10)
"""Longest time between a record and the status that it is about: AWS refuses clocks that are five minutes wrong, and retries take
one or two."""

UNKNOWN = "unknown: see UpdateModelPackage in CloudTrail"
"""Who decided, when the version was changed again before it was described."""

POLICY = "the environment's approval policy"
"""Who approved a version that was registered as approved."""

_MAX_DESCRIPTION_LENGTH = 1024
_YEAR_3000 = 32_503_680_000
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
    queue: RecorderQueue,
    model: str,
    package: dict[str, Any],
    decision: Decision,
    *,
    by: str,
    reason: str,
    delivery: str | None = None,
) -> str:
    """Send the record of a decision, then set the approval status of a described model package; the record's id.

    `by` is an IAM ARN or name. `delivery`: id of the delivery pipeline's execution that applies the decision, if one does.
    Raises ClientError: of SendMessage, then the status is as before; or of UpdateModelPackage, then a second record that refers
    to the first says so, unless the error leaves open what SageMaker did.
    """
    facts = {"decision": decision, "reason": reason} | ({"delivery": delivery} if delivery else {})
    record = Record(
        kind=KINDS[decision],
        id=uuid.uuid4().hex,
        model=model,
        version=package["ModelPackageVersion"],
        subject=package["ModelPackageArn"],
        by=by,
        facts=facts,
    )
    send_record(record, queue)
    try:
        environment.client("sagemaker").update_model_package(
            ModelPackageArn=package["ModelPackageArn"],
            ModelApprovalStatus=decision,
            ApprovalDescription=_description(record),
        )
    except ClientError as error:
        send_refusal(record, "the approval status was not set", error, queue)
        raise
    return record.id


def status_event(status: str, time: Any, updated: Any, description: Any) -> StatusEvent:
    """The event from fields of its detail. Its times are documented as ISO 8601, those of other events are milliseconds."""
    fields = cast(list[Any], updated) if isinstance(updated, list) else []
    return StatusEvent(
        status,
        _time(time) or datetime.now(UTC),
        tuple(each for each in fields if isinstance(each, str)),
        description if isinstance(description, str) else None,
    )


def description_of(package: dict[str, Any], event: StatusEvent) -> str:
    """The approval description that came with a status; empty when somebody set the status alone, as the old one stays then.

    Where the event has none, it is the described version's, which may be a later one.
    """
    described = package.get("ApprovalDescription", "") if event.description is None else event.description
    return described if "ApprovalDescription" in event.updated else ""


def announced_at(description: str, event: StatusEvent) -> datetime | None:
    """Time of the record that an approval description names, when it is one of this decision and was sent shortly before."""
    named = _RECORD.search(description)
    if named is None or named["decision"] != event.status:
        return None
    written = datetime.strptime(named["time"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return written if _seconds_apart(written, event.time) <= RECORD_LEAD.total_seconds() else None


def decided_by(package: dict[str, Any], event: StatusEvent) -> str | None:
    """Who made the change that an event is about: LastModifiedBy, which the event does not have.

    None when the version was changed again before it was described.
    """
    changed_since = _seconds_apart(event.time, package.get("LastModifiedTime")) > 1
    return None if changed_since else modified_by(package)


def status_set_by(package: dict[str, Any]) -> str | None:
    """Who approved or rejected a described model package: who modified it last, or the policy that registered it as approved.

    None for a version that waits for approval.
    """
    if package["ModelApprovalStatus"] == "PendingManualApproval":
        return None
    if "LastModifiedTime" not in package and not package.get("ApprovalDescription"):
        return POLICY
    return modified_by(package) or UNKNOWN


def modified_by(package: dict[str, Any]) -> str | None:
    """ARN of the Studio user or IAM identity that modified a described model package last; None when nobody did."""
    return who(package.get("LastModifiedBy"))


def who(context: dict[str, Any] | None) -> str | None:
    """ARN of the Studio user or IAM identity in a UserContext of SageMaker; None when it names none."""
    person = context or {}
    return person.get("UserProfileArn") or person.get("IamIdentity", {}).get("Arn")


def _description(record: Record) -> str:
    """`<by>: <reason> [<decision>, record <time>]`. SageMaker takes one line of at most 1024 characters."""
    facts = record.facts
    delivery = f" (delivery {facts['delivery']})" if "delivery" in facts else ""
    end = f"{delivery} [{facts['decision']}, record {record.time:%Y%m%dT%H%M%SZ}]"
    text = _NOT_ONE_LINE.sub(" ", f"{record.by}: {facts['reason']}")
    return text[: _MAX_DESCRIPTION_LENGTH - len(end)] + end


def _time(value: Any) -> datetime | None:
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return time if time.tzinfo else None
        seconds = value / 1000
        return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _YEAR_3000 else None
    except (TypeError, ValueError):
        return None


def _seconds_apart(one: datetime, other: datetime | None) -> float:
    return abs((one.replace(microsecond=0) - other.replace(microsecond=0)).total_seconds()) if other else float("inf")
