"""Records of versions: registered, approved and rejected, through whatever API."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError
from drafts import By, Draft
from events import VersionChanged
from plain import plain
from shared.approvals import KINDS, UNKNOWN, announced_at, decided_by, description_of, who
from shared.clients import client
from shared.errors import is_missing

ANNOUNCED_SECONDS = 10.0
"""Longest wait for the record that the description of an approval names. It was sent first, and is in another message group."""
POLL_SECONDS = 1.0
_FIELDS = (
    "ModelPackageGroupName",
    "ModelPackageDescription",
    "CreationTime",
    "ModelApprovalStatus",
    "InferenceSpecification",
    "ModelMetrics",
    "DriftCheckBaselines",
    "MetadataProperties",
    "CustomerMetadataProperties",
)


def version(event: VersionChanged, is_recorded: Callable[[Draft], bool]) -> Iterator[Draft]:
    """The record of what the event says, if it says something that has none.

    `is_recorded`: whether the index has a record of a draft's model, kind, time and version. Errors of AWS are raised.
    """
    number = int(event.arn.rpartition("/")[2])
    package = _described(event.arn)
    if not event.change.updated:
        yield _registration(event, number, package)
    elif event.change.decided:
        description = description_of(package, event.change)
        decision = _decision(event, number, package, description)
        announced = announced_at(description, event.change)
        if not (announced and _wait_for(is_recorded, replace(decision, time=announced))):
            yield decision


def _registration(event: VersionChanged, number: int, package: dict[str, Any]) -> Draft:
    """A version with all its metadata. Its ARN is used again after its group was deleted: the time tells the two apart."""
    created = event.created or event.change.time
    # A later approval has its own record; here is what the version was registered with.
    facts = {name: package[name] for name in _FIELDS if name in package} | {"ModelApprovalStatus": event.change.status}
    return Draft(
        kind="registration",
        id=f"{event.arn}#{created.isoformat()}",
        time=created,
        by=By(who(package.get("CreatedBy")), "sagemaker"),
        model=event.model,
        version=number,
        subject=event.arn,
        facts=plain(facts),
    )


def _decision(event: VersionChanged, number: int, package: dict[str, Any], description: str) -> Draft:
    change = event.change
    return Draft(
        kind=KINDS.get(change.status, "rejection"),
        id=f"{event.arn}#{change.status}#{change.time.isoformat()}",
        time=change.time,
        by=By(decided_by(package, change) or UNKNOWN, "sagemaker"),
        model=event.model,
        version=number,
        subject=event.arn,
        facts={
            "decision": change.status,
            "reason": description,
            "source": "SageMaker Model Package State Change",
        },
    )


def _wait_for(is_recorded: Callable[[Draft], bool], draft: Draft) -> bool:
    end = time.monotonic() + ANNOUNCED_SECONDS
    while not (found := is_recorded(draft)) and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    return found


def _described(arn: str) -> dict[str, Any]:
    """The version, or nothing when it was deleted."""
    try:
        return client("sagemaker").describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if is_missing(error):
            return {}
        raise
