"""Train the models that changed, and only those, up to a limit at a time; then say how each ended.

No state is kept: an execution of a training pipeline is ours when its description names the delivery.
"""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from environment import Environment, pipeline, split
from outcome import Done, Failed, Job, Later, Outcome
from versions import changed, newest

RUNNING = ("Executing", "Stopping")
ASK_AGAIN_SECONDS = 60


@dataclass
class Trainings:
    """The models of an environment by what became of them in this delivery."""

    unchanged: list[str] = field(default_factory=list[str])
    without_data: list[str] = field(default_factory=list[str])
    succeeded: list[str] = field(default_factory=list[str])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    running: list[str] = field(default_factory=list[str])
    waiting: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def summary(self) -> str:
        """In words."""
        parts = {
            "trained": self.succeeded,
            "training": self.running,
            "waiting": [model["model"] for model in self.waiting],
            "no data yet": self.without_data,
        }
        told = [f"{what}: {', '.join(names)}" for what, names in parts.items() if names]
        return "; ".join([*told, f"unchanged: {len(self.unchanged)}"])


def retrain(job: Job, environment: Environment) -> Outcome:
    """One step: look at every model, start what may start."""
    found = _look(job, environment)
    if found.failed and not found.running:
        reasons = "; ".join(f"model {model}: {reason}" for model, reason in found.failed.items())
        return Failed(f"training in {environment.name} failed: {reasons}")
    if not found.running and not found.waiting:
        return Done(found.summary(), {"trained": ",".join(found.succeeded) or "none"})
    if job.waited_seconds > environment.settings.timeout_seconds:
        return Failed(f"trainings in {environment.name} took too long: {found.summary()}")
    asked: dict[str, int] = {name: when for name, when in job.token.get("asked", {}).items() if _is(found, name)}
    if not found.failed:
        free = environment.settings.parallel - len(found.running)
        for model in found.waiting[: max(free, 0)]:
            # The message is lost when a scheduled training was in flight: then it is sent again.
            if time.time() - asked.get(model["model"], 0) > ASK_AGAIN_SECONDS:
                _ask(job, environment, model["model"])
                asked[model["model"]] = int(time.time())
    return Later(found.summary(), {"since": job.token["since"], "asked": asked})


def _is(found: Trainings, name: str) -> bool:
    return any(model["model"] == name for model in found.waiting)


def _look(job: Job, environment: Environment) -> Trainings:
    found, sagemaker = Trainings(), environment.client("sagemaker")
    for model in environment.models():
        name = model["model"]
        executions = sagemaker.list_pipeline_executions(
            PipelineName=model["training_pipeline"], SortBy="CreationTime", SortOrder="Descending", MaxResults=20
        )["PipelineExecutionSummaries"]
        own = next((e for e in executions if job.execution in e.get("PipelineExecutionDescription", "")), None)
        if own is None:
            if not changed(environment, model):
                found.unchanged.append(name)
            elif not _has_data(environment, model):
                found.without_data.append(name)
            else:
                found.waiting.append(model)
        elif own["PipelineExecutionStatus"] in RUNNING:
            found.running.append(name)
        elif own["PipelineExecutionStatus"] == "Succeeded":
            found.succeeded.append(name)
        else:
            described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=own["PipelineExecutionArn"])
            found.failed[name] = described.get("FailureReason") or f"{own['PipelineExecutionStatus']} without a reason"
    return found


def _has_data(environment: Environment, model: dict[str, Any]) -> bool:
    bucket, prefix = split(model["raw_uri"])
    listed = environment.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    return listed["KeyCount"] > 0


def _ask(job: Job, environment: Environment, model: str) -> None:
    # The commit is told to people; ours is found again by the delivery's id.
    name = environment.settings.pipeline
    execution = pipeline().get_pipeline_execution(pipelineName=name, pipelineExecutionId=job.execution)
    revisions = execution["pipelineExecution"].get("artifactRevisions", [])
    commit = revisions[0]["revisionId"][:12] if revisions else "unknown commit"
    reason = f"pushed {commit}, delivery {job.execution}"
    environment.send("retrain", model, {"trigger": "code", "reason": reason, "id": uuid.uuid4().hex})


def trained_here(job: Job, environment: Environment, model: dict[str, Any], *statuses: str) -> dict[str, Any] | None:
    """The version that this delivery trained, when it is in one of the approval statuses."""
    version = newest(environment, model, *statuses)
    return version if version and job.execution in version.get("ModelPackageDescription", "") else None
