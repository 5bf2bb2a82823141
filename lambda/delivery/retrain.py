"""Train the models that changed, and only those, up to a limit at a time, or promote them; then say how each ended.

No state is kept: an execution of a training pipeline, or a version, is ours when its description names the delivery.
"""

# pyright: reportMissingTypeStubs=false

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from belongings import brought_here, reason_of, take_all_back
from botocore.exceptions import ClientError
from environment import Environment
from outcome import Done, Failed, Job, Later, Outcome
from promote import NothingYet, bring
from promotion import Refused, split
from versions import changed

RUNNING = ("Executing", "Stopping")
ASK_AGAIN_SECONDS = 60
# After that no copy is begun: a function may run for 15 minutes, and the next step goes on.
PROMOTING_SECONDS = 60


@dataclass
class Trainings:
    """The models of an environment by what became of them in this delivery; `promoting` are to be given a version."""

    unchanged: list[str] = field(default_factory=list[str])
    without_data: list[str] = field(default_factory=list[str])
    succeeded: list[str] = field(default_factory=list[str])
    promoted: list[str] = field(default_factory=list[str])
    promoting: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    running: list[str] = field(default_factory=list[str])
    waiting: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def summary(self) -> str:
        """In words."""
        parts = {
            "trained": self.succeeded,
            "promoted": self.promoted,
            "to be promoted": [model["model"] for model in self.promoting],
            "training": self.running,
            "waiting": [model["model"] for model in self.waiting],
            "no data yet": self.without_data,
        }
        told = [f"{what}: {', '.join(names)}" for what, names in parts.items() if names]
        return "; ".join([*told, f"unchanged: {len(self.unchanged)}"])


def retrain(job: Job, environment: Environment) -> Outcome:
    """One step: look at every model, start what may start."""
    found = _look(job, environment)
    if not found.failed:
        _promote(job, environment, found)
    if found.failed and not found.running:
        reasons = "; ".join(f"model {model}: {reason}" for model, reason in found.failed.items())
        message = f"training in {environment.name} failed: {reasons}"
        return Failed(message + take_all_back(job, environment, message))
    if not found.running and not found.waiting and not found.promoting:
        names = {"trained": found.succeeded, "promoted": found.promoted}
        return Done(found.summary(), {what: ",".join(those) or "none" for what, those in names.items()})
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
        if model.get("promoted_from"):
            _look_at_promoted(job, environment, model, found)
            continue
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


def _look_at_promoted(job: Job, environment: Environment, model: dict[str, Any], found: Trainings) -> None:
    if brought_here(job, environment, model, "Approved", "PendingManualApproval", "Rejected"):
        found.promoted.append(model["model"])
    elif changed(environment, model):
        found.promoting.append(model)
    else:
        found.unchanged.append(model["model"])


def _promote(job: Job, environment: Environment, found: Trainings) -> None:
    """Promote what is to be promoted, one after the other, as far as there is time."""
    began = time.monotonic()
    while found.promoting and time.monotonic() - began < PROMOTING_SECONDS:
        model = found.promoting.pop(0)
        try:
            bring(job, environment, model)
            found.promoted.append(model["model"])
        except NothingYet:
            found.without_data.append(model["model"])
        except (Refused, ClientError) as reason:
            found.failed[model["model"]] = str(reason)


def _has_data(environment: Environment, model: dict[str, Any]) -> bool:
    bucket, prefix = split(model["raw_uri"])
    listed = environment.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    return listed["KeyCount"] > 0


def _ask(job: Job, environment: Environment, model: str) -> None:
    message = {"trigger": "code", "reason": reason_of(job, environment), "id": uuid.uuid4().hex}
    environment.send("retrain", model, message)
