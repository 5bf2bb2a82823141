"""Approve, in the name of who approved the delivery, the versions that it trained or promoted."""

from typing import Any

from belongings import brought_here, decide
from environment import Environment, pipeline
from outcome import Done, Failed, Job, Outcome
from versions import label


def release(job: Job, environment: Environment) -> Outcome:
    """Approve; the approval's event then deploys. Fails when nobody approved this delivery."""
    pending = [
        (model, version)
        for model in environment.models()
        if (version := brought_here(job, environment, model, "PendingManualApproval"))
    ]
    if not pending:
        return Done("nothing to approve")
    approval = _approval(job, environment)
    if approval is None:
        return Failed(f"versions wait in {environment.name}, but nobody approved this delivery ({job.execution})")
    for model, version in pending:
        decide(job, environment, model, version, "Approved", approval["updatedBy"], approval["summary"])
    return Done(f"approved {', '.join(f'{model["model"]} {label(version)}' for model, version in pending)}")


def _approval(job: Job, environment: Environment) -> dict[str, Any] | None:
    """Who approved, and what they said; None when there was no approval in this execution."""
    pages = (
        pipeline()
        .get_paginator("list_action_executions")
        .paginate(pipelineName=environment.settings.pipeline, filter={"pipelineExecutionId": job.execution})
    )
    for page in pages:
        for action in page["actionExecutionDetails"]:
            if action["actionName"] == f"Approve-{environment.name}" and action["status"] == "Succeeded":
                result = action["output"]["executionResult"]
                return {"updatedBy": action["updatedBy"], "summary": result.get("externalExecutionSummary", "")}
    return None
