"""The versions that belong to a delivery: told by their description, decided, and taken back when the delivery stops."""

import uuid
from datetime import UTC, datetime
from typing import Any

from environment import Environment, pipeline
from outcome import Job
from versions import label, newest


def reason_of(job: Job, environment: Environment) -> str:
    """Why there is a new version. The commit is told to people; ours is found again by the delivery's id."""
    name = environment.settings.pipeline
    execution = pipeline().get_pipeline_execution(pipelineName=name, pipelineExecutionId=job.execution)
    revisions = execution["pipelineExecution"].get("artifactRevisions", [])
    commit = revisions[0]["revisionId"][:12] if revisions else "unknown commit"
    return f"pushed {commit}, delivery {job.execution}"


def brought_here(job: Job, environment: Environment, model: dict[str, Any], *statuses: str) -> dict[str, Any] | None:
    """The version that this delivery trained or promoted, when it is in one of the approval statuses."""
    version = newest(environment, model, *statuses)
    return version if version and job.execution in version.get("ModelPackageDescription", "") else None


def decide(
    job: Job,
    environment: Environment,
    model: dict[str, Any],
    version: dict[str, Any],
    status: str,
    person: str,
    reason: str,
) -> None:
    """Set a version's approval status and write down who decided, and why."""
    environment.client("sagemaker").update_model_package(
        ModelPackageArn=version["ModelPackageArn"],
        ModelApprovalStatus=status,
        ApprovalDescription=f"{person}: {reason} (delivery {job.execution})"[:1024],
    )
    now = datetime.now(UTC)
    number = version["ModelPackageVersion"]
    environment.record(
        model,
        f"approvals/{now:%Y%m%dT%H%M%SZ}-v{number}.json",
        {
            "time": now.isoformat(),
            "decision": status,
            "by": person,
            "reason": reason,
            "ModelPackageArn": version["ModelPackageArn"],
            "ModelPackageVersion": number,
            "delivery": job.execution,
        },
    )


def take_back(job: Job, environment: Environment, model: dict[str, Any], reason: str) -> str:
    """Reject what this delivery brought and send the endpoint back to the version before; in words, empty for nothing."""
    version = brought_here(job, environment, model, "Approved", "PendingManualApproval")
    if version is None:
        return ""
    decide(job, environment, model, version, "Rejected", "the delivery pipeline", reason)
    if version["ModelApprovalStatus"] != "Approved":
        return f"{label(version)} rejected"
    message = {"trigger": "manual", "reason": f"the delivery {job.execution} stopped", "id": uuid.uuid4().hex}
    environment.send("deploy", model["model"], message)
    back = newest(environment, model, "Approved")
    where = f"the endpoint goes back to {label(back)}" if back else "there is none before it to go back to"
    return f"{label(version)} rejected, {where}"


def take_all_back(job: Job, environment: Environment, reason: str) -> str:
    """Take back what this delivery brought for any model: the stage goes back as a whole, code and versions. In words."""
    taken = {model["model"]: take_back(job, environment, model, reason) for model in environment.models()}
    told = [f"{name} {what}" for name, what in taken.items() if what]
    return f"; with it: {', '.join(told)}" if told else ""
