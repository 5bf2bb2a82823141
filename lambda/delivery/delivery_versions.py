"""Identify, approve and revert the versions that an execution of the delivery pipeline created.

A version belongs to an execution when its description has the execution's id.
"""

from typing import Any

from commit import delivered_models, short_commit
from environment import Environment
from outcome import Job
from shared import approvals
from versions import newest_version, version_label


def training_reason(job: Job, environment: Environment) -> str:
    """The reason given to a training or promotion: the pushed commit for readers, the id to find the version again."""
    return f"pushed {short_commit(job, environment)}, delivery {job.execution}"


def find_created_version(
    job: Job, environment: Environment, model: dict[str, Any], *statuses: str
) -> dict[str, Any] | None:
    """The version that this execution trained or promoted, if its approval status is one of `statuses`."""
    version = newest_version(environment, model, *statuses)
    return version if version and job.execution in version.get("ModelPackageDescription", "") else None


def set_approval(
    job: Job,
    environment: Environment,
    model: dict[str, Any],
    version: dict[str, Any],
    decision: approvals.Decision,
    by: str,
    reason: str,
) -> None:
    """Send the audit record of a decision, then set the version's approval status."""
    approvals.set_approval(
        environment,
        environment.recorder,
        model["model"],
        version,
        decision,
        by=by,
        reason=reason,
        delivery=job.execution,
    )


def revert(job: Job, environment: Environment, model: dict[str, Any], reason: str) -> str:
    """Reject the version that this execution created. A summary; empty without a version.

    SageMaker's event about the rejection makes lambda/deploy go back to the version before, unless that was rolled back.
    """
    version = find_created_version(job, environment, model, "Approved", "PendingManualApproval")
    if version is None:
        return ""
    set_approval(job, environment, model, version, "Rejected", "the delivery pipeline", reason)
    if version["ModelApprovalStatus"] != "Approved":
        return f"{version_label(version)} rejected"
    previous = newest_version(environment, model, "Approved")
    result = f"the endpoint goes back to {version_label(previous)}" if previous else "there is no version before it"
    return f"{version_label(version)} rejected, {result}"


def revert_all(job: Job, environment: Environment, reason: str) -> str:
    """Revert the versions of all models, because the stage's stacks are rolled back as a whole. A summary for the message."""
    summaries = {
        model["model"]: revert(job, environment, model, reason) for model in delivered_models(job, environment)
    }
    reverted = [f"{name} {summary}" for name, summary in summaries.items() if summary]
    return f"; with it: {', '.join(reverted)}" if reverted else ""
