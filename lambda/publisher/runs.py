"""OpenLineage events: runs of trainings and of their jobs, registrations, deployments, and runs of monitors."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from datasets import Files, model_version, sagemaker, step_datasets, training_inputs
from events import ExecutionChanged
from records import Record
from run_events import (
    Dataset,
    Facets,
    Job,
    RunEvent,
    dataset_version,
    documentation,
    error_message,
    job_type,
    nominal_time,
    parent,
    run_tags,
    source_code_location,
)

_ENDS = {"succeeded": "COMPLETE", "failed": "FAIL", "stopped": "ABORT"}
_DEPLOYED = {"succeeded": "COMPLETE", "rolled back": "FAIL", "failed": "FAIL"}
_STEPS = {"Succeeded": "COMPLETE", "Failed": "FAIL", "Stopped": "ABORT"}
_TAGS = (
    "git_commit",
    "code_digest",
    "libraries_digest",
    "image",
    "hyperparameters_digest",
    "tuning_trials",
    "seed",
    "trigger",
    "metric",
    "metric_value",
)
"""Metadata of a version that become tags of its run."""


def execution(message: ExecutionChanged, read: Dataset, written: Dataset) -> RunEvent | None:
    """The event of an execution that started, or of a monitor's that ended. None at the end of a training: it has a record.

    `read` and `written`: the datasets of a monitor.
    """
    is_monitor = message.pipeline == "monitor"
    if message.status != "Executing" and not is_monitor:
        return None
    is_end = message.status in _STEPS
    end = message.time.isoformat() if is_end else None
    facets: Facets = {"nominalTime": nominal_time(message.started.isoformat(), end)}
    if is_end and message.status != "Succeeded":
        facets["errorMessage"] = error_message(f"The execution is {message.status}.")
    return RunEvent(
        _STEPS[message.status] if is_end else "START",
        message.time,
        message.execution,
        _pipeline(message.execution, message.model, what="Checks" if is_monitor else "Trainings"),
        facets,
        [read] if is_monitor else [],
        [written] if is_monitor else [],
    )


def training(record: Record, files: Files) -> Iterator[RunEvent]:
    """START and end of an execution, and of each of its jobs, which are runs below it."""
    facts, execution, model = record["facts"], str(record["subject"]), str(record["model"])
    job, end = _pipeline(execution, model), datetime.fromisoformat(record["time"])
    begin = datetime.fromisoformat(facts["started"]) if facts.get("started") else end
    facets: Facets = {
        "nominalTime": nominal_time(begin.isoformat(), end.isoformat()),
        "tags": run_tags({name: str(facts.get(name) or "") for name in ("trigger", "reason", "last_modified_by")}),
    }
    yield RunEvent("START", begin, execution, job, {"nominalTime": nominal_time(begin.isoformat(), None)})
    for step in facts.get("steps", []):
        if step.get("arn") and step["status"] in _STEPS and step.get("ended"):
            yield from _job(step, execution, job, files)
    if facts["outcome"] != "succeeded":
        facets["errorMessage"] = error_message(facts.get("failure_reason") or f"The training was {facts['outcome']}.")
    registered = [model_version(step["arn"]) for step in facts.get("steps", []) if _is_version(step.get("arn"))]
    yield RunEvent(
        _ENDS.get(facts["outcome"], "OTHER"), end, execution, job, facets, training_inputs(files), registered
    )


def registration(record: Record, files: Files, repository: str) -> RunEvent:
    """What is known of a training when its version is registered: the version, its files, code and commit.

    `repository`: URL of the repository; empty where it is not known. A promoted version belongs to the run in the first
    environment, whose id is the same in all accounts.
    """
    facts, package = record["facts"], str(record["subject"])
    metadata: Mapping[str, str] = facts.get("CustomerMetadataProperties", {})
    execution = metadata.get("pipeline_execution") or package
    commit = metadata.get("git_commit", "")
    code = {"sourceCodeLocation": source_code_location(repository, commit)} if repository and commit else {}
    tags = {name: metadata[name] for name in _TAGS if name in metadata}
    return RunEvent(
        "OTHER",
        datetime.fromisoformat(record["time"]),
        execution,
        _pipeline(execution, record["model"], code),
        {"tags": run_tags(tags | {"model_package": package})},
        training_inputs(files),
        [model_version(package, record, files)],
    )


def deployment(record: Record) -> Iterator[RunEvent]:
    """START and end of a deployment: a version becomes what the endpoint serves. None of an endpoint that was deleted."""
    facts, package = record["facts"], str(record["subject"])
    if facts.get("outcome") not in _DEPLOYED or not record["subject"]:
        return
    begin, end = facts["started"], str(record["time"])
    name = f"endpoint/{facts['endpoint']}"
    job = Job(
        sagemaker(package),
        f"{facts['endpoint']}-deploy",
        {"jobType": job_type("DEPLOYMENT"), "documentation": documentation(f"Deployments to {name}")},
    )
    output = Dataset(sagemaker(package), name, {"version": dataset_version(str(facts["configuration"]))})
    inputs = [model_version(package)]
    facets: Facets = {"nominalTime": nominal_time(begin, end)}
    if facts["outcome"] != "succeeded":
        facets["errorMessage"] = error_message(f"{facts['outcome']}: {facts.get('reason') or 'no reason given'}")
    started_at, ended_at = datetime.fromisoformat(begin), datetime.fromisoformat(end)
    yield RunEvent("START", started_at, record["id"], job, {"nominalTime": nominal_time(begin, None)}, inputs, [output])
    yield RunEvent(_DEPLOYED[facts["outcome"]], ended_at, record["id"], job, facets, inputs, [output])


def _job(step: Mapping[str, Any], execution: str, pipeline: Job, files: Files) -> Iterator[RunEvent]:
    """START and end of a step of an execution. A version that it registers has no run of its own."""
    if _is_version(step["arn"]):
        return
    job = Job(pipeline.namespace, f"{pipeline.name}.{step['name']}", {"jobType": job_type("JOB")})
    inputs, outputs = step_datasets(str(step["name"]), files)
    above = {"parent": parent(execution, pipeline)}
    begin, end = step["started"] or step["ended"], step["ended"]
    facets: Facets = {**above, "nominalTime": nominal_time(begin, end)}
    if step["status"] != "Succeeded":
        facets["errorMessage"] = error_message(step.get("failure_reason") or f"The step is {step['status']}.")
    yield RunEvent("START", datetime.fromisoformat(begin), step["arn"], job, above, inputs, outputs)
    yield RunEvent(_STEPS[step["status"]], datetime.fromisoformat(end), step["arn"], job, facets, inputs, outputs)


def _pipeline(execution: str, model: str, more: Facets | None = None, what: str = "Trainings") -> Job:
    """The pipeline as a job. Of a version that no pipeline trained, its group."""
    name = execution.rpartition(":")[2].split("/")[1]
    facets = {"jobType": job_type("PIPELINE"), "documentation": documentation(f"{what} of the model {model}")}
    return Job(sagemaker(execution), name, facets | (more or {}))


def _is_version(arn: Any) -> bool:
    return isinstance(arn, str) and ":model-package/" in arn
