"""Approve the versions that this delivery trained or promoted, on behalf of the person who approved the delivery."""

from typing import Any

from commit import delivered_models
from delivery_versions import find_created_version, set_approval
from environment import Environment, codepipeline
from outcome import Failed, Job, Outcome, Succeeded
from versions import version_label


def release(job: Job, environment: Environment) -> Outcome:
    """Approve the pending versions, which deploys them. Fails when nobody approved this delivery."""
    pending = [
        (model, version)
        for model in delivered_models(job, environment)
        if (version := find_created_version(job, environment, model, "PendingManualApproval"))
    ]
    if not pending:
        return Succeeded("nothing to approve")
    approval = _approval(job, environment)
    if approval is None:
        return Failed(f"versions wait in {environment.name}, but nobody approved this delivery ({job.execution})")
    for model, version in pending:
        set_approval(job, environment, model, version, "Approved", approval["updatedBy"], approval["summary"])
    approved = ", ".join(f"{model['model']} {version_label(version)}" for model, version in pending)
    return Succeeded(f"approved {approved}")


def _approval(job: Job, environment: Environment) -> dict[str, Any] | None:
    """Who approved this execution of the pipeline, and the comment; None without an approval."""
    pages = (
        codepipeline()
        .get_paginator("list_action_executions")
        .paginate(pipelineName=environment.settings.pipeline, filter={"pipelineExecutionId": job.execution})
    )
    for page in pages:
        for action in page["actionExecutionDetails"]:
            if action["actionName"] == f"Approve-{environment.name}" and action["status"] == "Succeeded":
                result = action["output"]["executionResult"]
                return {"updatedBy": action["updatedBy"], "summary": result.get("externalExecutionSummary", "")}
    return None
