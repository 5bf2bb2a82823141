"""The execution that trained a version, and its jobs with image, code, parameters and instance."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from ..operations.executions import is_missing
from .links import Link, known


def execution(sagemaker: Any, arn: str, metadata: Mapping[str, str]) -> Link:
    """The training of a version, from SageMaker; `metadata`: the version's own, which the jobs must agree with."""
    link = Link("execution", arn.rpartition("/")[2] or "none", arn)
    if not arn:
        link.problem = "the version names no execution"
        return link
    try:
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, SortOrder="Ascending")
        parameters = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    except ClientError as error:
        if not is_missing(error):
            raise
        link.problem = "SageMaker has no such execution any more"
        return link
    given = {each["Name"]: each["Value"] for each in parameters}
    link.facts = known(
        status=described["PipelineExecutionStatus"],
        started=described["CreationTime"],
        trigger=given.get("Trigger"),
        reason=given.get("Reason"),
        requested_by=_person(described.get("CreatedBy", {})),
    )
    for step in steps["PipelineExecutionSteps"]:
        link.below += _jobs(sagemaker, step, metadata)
    return link


def _jobs(sagemaker: Any, step: dict[str, Any], metadata: Mapping[str, str]) -> list[Link]:
    done = step.get("Metadata", {})
    if arn := done.get("ProcessingJob", {}).get("Arn"):
        return [_job(step["StepName"], arn, metadata, _processing, sagemaker)]
    if arn := done.get("TrainingJob", {}).get("Arn"):
        return [_job(step["StepName"], arn, metadata, _training, sagemaker)]
    return []


def _job(name: str, arn: str, metadata: Mapping[str, str], describe: Any, sagemaker: Any) -> Link:
    link = Link("job", name, arn)
    try:
        link.facts, code, environment = describe(sagemaker, arn.rpartition("/")[2])
    except ClientError as error:
        if not is_missing(error):
            raise
        link.problem = "SageMaker has no such job any more"
        return link
    registered = metadata.get("code_digest")
    commit = environment.get("GIT_COMMIT")
    source = Link("code", (code or "").rpartition("/")[2], code or "", known(commit=commit))
    if environment.get("CODE_DIGEST") != registered:
        source.problem = (
            f"the job ran code with the digest {environment.get('CODE_DIGEST')}, the version has {registered}"
        )
    if metadata.get("image") not in (None, link.facts.get("image")) and "origin" not in metadata:
        link.problem = f"the job ran in another image than the version says: {metadata['image']}"
    link.below = [source]
    return link


def _processing(sagemaker: Any, name: str) -> tuple[dict[str, str], str | None, dict[str, str]]:
    job = sagemaker.describe_processing_job(ProcessingJobName=name)
    cluster = job["ProcessingResources"]["ClusterConfig"]
    code = next((each["S3Input"]["S3Uri"] for each in job["ProcessingInputs"] if each["InputName"] == "code"), None)
    facts = known(
        status=job["ProcessingJobStatus"],
        image=job["AppSpecification"]["ImageUri"],
        instance=f"{cluster['InstanceCount']} x {cluster['InstanceType']}",
    )
    return facts, code, job.get("Environment", {})


def _training(sagemaker: Any, name: str) -> tuple[dict[str, str], str | None, dict[str, str]]:
    job = sagemaker.describe_training_job(TrainingJobName=name)
    cluster = job["ResourceConfig"]
    channels = {each["ChannelName"]: each["DataSource"]["S3DataSource"]["S3Uri"] for each in job["InputDataConfig"]}
    facts = known(
        status=job["TrainingJobStatus"],
        image=job["AlgorithmSpecification"].get("TrainingImage"),
        instance=f"{cluster['InstanceCount']} x {cluster['InstanceType']}",
        hyperparameters=" ".join(f"{name}={value}" for name, value in sorted(job.get("HyperParameters", {}).items())),
    )
    return facts, channels.get("code"), job.get("Environment", {})


def _person(created_by: Mapping[str, Any]) -> str | None:
    identity = created_by.get("IamIdentity", {})
    return created_by.get("UserProfileName") or identity.get("Arn")
