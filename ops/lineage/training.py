"""The execution that trained a version: who asked for it, and its jobs with image, code, parameters, instance and libraries.

From SageMaker; what it no longer has is named, and taken from the records.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.approvals import who
from model_factory.functions.shared.errors import is_missing

from .links import Link, known
from .recorded import Recorded, by

FACTS = {"Prepare": "prepare_facts", "Train": "train_facts", "Evaluate": "evaluate_facts"}
"""Files of the evidence that the jobs wrote about themselves, by the name of the step."""


_JOBS = (
    ("ProcessingJob", "Arn"),
    ("TrainingJob", "Arn"),
    ("TransformJob", "Arn"),
    ("TuningJob", "Arn"),
    ("AutoMLJob", "Arn"),
    ("QualityCheck", "CheckJobArn"),
    ("ClarifyCheck", "CheckJobArn"),
)
"""Members of a step's metadata with the ARN of a job. A pipeline of a project's own may have all of them."""
_KINDS = ("processing-job", "training-job", "transform-job", "hyper-parameter-tuning-job", "automl-job")
"""The jobs in ARNs."""


@dataclass(frozen=True)
class _Execution:
    """What is known of an execution: SageMaker's names of the members; `steps`: ARN of each job by the name of its step."""

    described: Mapping[str, Any] = field(default_factory=dict[str, Any])
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    steps: Mapping[str, str] = field(default_factory=dict[str, str])


def execution(recorded: Recorded, arn: str, registered: datetime, metadata: Mapping[str, str]) -> Link:
    """The training of a version.

    Args:
        recorded: Records of the version.
        arn: ARN of the execution; empty for a version of no pipeline.
        registered: When the version was registered, a time before the end of the execution.
        metadata: The version's own, which the jobs must agree with.

    Raises ClientError.
    """
    link = Link("execution", arn.rpartition("/")[2] or "none", arn)
    if not arn:
        link.problem = "the version names no execution"
        return link
    sagemaker, ended = recorded.session.client("sagemaker"), recorded.training(arn, registered)
    found = _described(sagemaker, arn)
    problems = [ended.problem] if ended and ended.problem else []
    if found is None:
        problems.append(f"SageMaker has no such execution any more{', but its record is there' if ended else ''}")
        found = _of_record(ended.record["facts"]) if ended and ended.record else _Execution()
    link.problem = "; ".join(problems)
    started: Any = found.described.get("CreationTime")
    name = str(found.described.get("PipelineExecutionDisplayName") or "")
    request = recorded.request(name.partition("-retrain-")[2], started) if started and "-retrain-" in name else None
    link.facts = known(
        status=found.described.get("PipelineExecutionStatus"),
        started=started,
        trigger=found.parameters.get("Trigger"),
        reason=found.parameters.get("Reason"),
        parameters=" ".join(
            f"{name}={value}" for name, value in sorted(found.parameters.items()) if name not in ("Trigger", "Reason")
        ),
        started_by=who(found.described.get("CreatedBy")) or (by(ended) if ended else None),
        requested_by=by(request),
        record=ended.key if ended else None,
    )
    link.below = [_job(recorded, step, job, metadata) for step, job in found.steps.items()]
    return link


def kept_jobs(recorded: Recorded) -> list[Link]:
    """The jobs of a training in another environment, by the facts that a promotion brought into the evidence."""
    links: list[Link] = []
    for step, name in FACTS.items():
        link = Link("job", step, facts=known(job=recorded.facts(name).get("job")))
        link.below = _libraries(recorded, name, link)
        links += [link] if link.below else []
    return links


def _described(sagemaker: Any, arn: str) -> _Execution | None:
    try:
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        steps = _listed(
            sagemaker, "PipelineExecutionSteps", "list_pipeline_execution_steps", arn, SortOrder="Ascending"
        )
        parameters = _listed(sagemaker, "PipelineParameters", "list_pipeline_parameters_for_execution", arn)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None
    jobs = {each["StepName"]: _job_arn(each.get("Metadata", {})) for each in steps}
    return _Execution(
        described,
        {each["Name"]: each["Value"] for each in parameters},
        {step: job for step, job in jobs.items() if job},
    )


def _listed(sagemaker: Any, key: str, operation: str, arn: str, **more: str) -> list[dict[str, Any]]:
    """All items of a list about an execution, of which SageMaker has at most 100 on a page."""
    pages = sagemaker.get_paginator(operation).paginate(PipelineExecutionArn=arn, **more)
    return [each for page in pages for each in page[key]]


def _job_arn(made: Mapping[str, Any]) -> str:
    """ARN of the job of a step, by the step's metadata; empty for a step without one, such as a condition."""
    return next((str(made[kind][name]) for kind, name in _JOBS if name in made.get(kind, {})), "")


def _of_record(facts: Mapping[str, Any]) -> _Execution:
    """The execution as its record has it."""
    started = facts.get("started")
    described = {
        "PipelineExecutionStatus": str(facts.get("outcome", "")).capitalize(),
        "PipelineExecutionDisplayName": facts.get("name"),
        "CreationTime": datetime.fromisoformat(started) if isinstance(started, str) else None,
    }
    steps = {str(each.get("name")): str(each.get("arn") or "") for each in facts.get("steps") or []}
    jobs = {step: arn for step, arn in steps.items() if arn.rpartition(":")[2].partition("/")[0] in _KINDS}
    return _Execution(described, facts.get("parameters") or {}, jobs)


def _job(recorded: Recorded, step: str, arn: str, metadata: Mapping[str, str]) -> Link:
    link = Link("job", step, arn)
    describe = {"processing-job": _processing, "training-job": _training}.get(arn.rpartition(":")[2].partition("/")[0])
    if describe is None:
        link.facts = known(described="not by the factory: a job of the project's own pipeline")
        return link
    code: str | None = None
    environment: dict[str, str] = {}
    problems: list[str] = []
    try:
        link.facts, code, environment = describe(recorded.session.client("sagemaker"), arn.rpartition("/")[2])
    except ClientError as error:
        if not is_missing(error):
            raise
        problems.append("SageMaker has no such job any more")
    else:
        if metadata.get("image") not in (None, link.facts.get("image")) and "origin" not in metadata:
            problems.append(f"the job ran in another image than the version says: {metadata['image']}")
    link.problem = "; ".join(problems)
    has_code = code or recorded.uri("code") or "code_digest" in metadata
    link.below = [_code(recorded, code, environment, metadata)] if has_code else []
    link.below += _libraries(recorded, FACTS.get(step, ""), link)
    return link


def _code(recorded: Recorded, uri: str | None, environment: Mapping[str, str], metadata: Mapping[str, str]) -> Link:
    """The zip that a job ran; `environment`: of the job, empty when SageMaker no longer has it."""
    registered, kept = metadata.get("code_digest"), recorded.uri("code")
    commit = environment.get("GIT_COMMIT") or metadata.get("git_commit")
    link = Link("code", (uri or "").rpartition("/")[2] or "zip of the jobs", uri or kept)
    link.facts = known(
        commit=commit,
        digest=environment.get("CODE_DIGEST") or registered,
        libraries_digest=metadata.get("libraries_digest"),
        kept_as=kept if uri else None,
    )
    if environment and environment.get("CODE_DIGEST") != registered:
        link.problem = (
            f"the job ran code with the digest {environment.get('CODE_DIGEST')}, the version has {registered}"
        )
    return link


def _libraries(recorded: Recorded, name: str, job: Link) -> list[Link]:
    """What the job wrote about itself, into its own facts; its libraries are a link."""
    if name not in recorded.evidence:
        return []
    facts, uri = recorded.facts(name), recorded.uri(name)
    if not facts:
        return [Link("libraries", "none", uri, problem=f"{name} of the evidence is missing or altered")]
    job.facts |= known(**{each: facts.get(each) for each in ("python", "platform", "processors", "threads", "seed")})
    libraries: dict[str, str] = facts.get("libraries") or {}
    return [
        Link(
            "libraries",
            f"{len(libraries)} that were loaded",
            uri,
            {name: str(each) for name, each in libraries.items()},
        )
    ]


def _processing(sagemaker: Any, name: str) -> tuple[dict[str, str], str | None, dict[str, str]]:
    job = sagemaker.describe_processing_job(ProcessingJobName=name)
    inputs = {each["InputName"]: each.get("S3Input", {}) for each in job.get("ProcessingInputs", [])}
    facts = known(
        status=job["ProcessingJobStatus"],
        image=job["AppSpecification"]["ImageUri"],
        instance=_instances(job["ProcessingResources"].get("ClusterConfig", {})),
    )
    return facts, inputs.get("code", {}).get("S3Uri"), job.get("Environment", {})


def _training(sagemaker: Any, name: str) -> tuple[dict[str, str], str | None, dict[str, str]]:
    job = sagemaker.describe_training_job(TrainingJobName=name)
    algorithm = job.get("AlgorithmSpecification", {})
    sources = {each["ChannelName"]: each["DataSource"] for each in job.get("InputDataConfig", [])}
    facts = known(
        status=job["TrainingJobStatus"],
        image=algorithm.get("TrainingImage") or algorithm.get("AlgorithmName"),
        instance=_instances(job.get("ResourceConfig", {})),
        hyperparameters=" ".join(f"{name}={value}" for name, value in sorted(job.get("HyperParameters", {}).items())),
    )
    return facts, sources.get("code", {}).get("S3DataSource", {}).get("S3Uri"), job.get("Environment", {})


def _instances(cluster: Mapping[str, Any]) -> str | None:
    """Number and type of a job's instances; a training may have several groups of them, or let SageMaker choose."""
    groups = cluster.get("InstanceGroups") or [cluster]
    chosen = [
        (
            each.get("InstanceCount", each.get("SelectedInstanceCount")),
            each.get("InstanceType", each.get("SelectedInstanceType")),
        )
        for each in groups
    ]
    return ", ".join(f"{count} x {kind}" for count, kind in chosen if count and kind) or None
