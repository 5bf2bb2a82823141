"""Permissions of the roles of an own pipeline: those that its steps need, on the resources that they name."""

from typing import Any

from aws_cdk import aws_iam as iam

from ..config.pipeline import used_places
from ..core.bootstrapping import decrypt_assets
from ..core.bucket_statements import list_objects, read_objects, write_objects
from ..core.permissions import allow, decrypt, pass_role
from ..own_pipeline import placeholders
from ..own_pipeline.steps import images, parameter_defaults, walk
from ..own_pipeline.synthesis import Synthesized
from .jobs import pipeline_statements, run_statements
from .model_registry import versions_arn
from .props import ModelProps
from .tuning_step import tuning_statements

_FOLDERS = {"{raw_uri}": "raw/", "{data_uri}": ""}


def job_role_statements(
    own: Synthesized, props: ModelProps, code_bucket: str, folder: str
) -> list[iam.PolicyStatement]:
    """Permissions of the role of the jobs.

    Args:
        own: The pipeline.
        props: The model.
        code_bucket: Name of the bucket with the pipeline's code.
        folder: Key of the folder with the code.
    """
    names, model = props.environment_names, props.config.name
    code = f"arn:{names.partition}:s3:::{code_bucket}"
    artifacts, data = props.bucket("artifacts").bucket_arn, props.bucket("data").bucket_arn
    folders = [f"{model}/{_FOLDERS[place]}" for place in used_places(props.config.pipeline) if place in _FOLDERS]
    return [
        _list_folder(code, f"{folder}/"),
        read_objects(code, f"{folder}/"),
        decrypt_assets(names, code),
        *(statement(artifacts, f"{model}/executions/") for statement in (_list_folder, read_objects, write_objects)),
        *(statement(data, each) for each in folders for statement in (_list_folder, read_objects)),
        *(each for where in _other_places(own, props) for each in _read_elsewhere(names.partition, *where)),
        *run_statements(props, images(own.definition)),
    ]


def pipeline_role_statements(
    definition: dict[str, Any], props: ModelProps, job_role_arn: str
) -> list[iam.PolicyStatement]:
    """Permissions of the pipeline's own role.

    Args:
        definition: The definition with the environment's names.
        props: The model.
        job_role_arn: ARN of the role of the jobs.
    """
    names = props.environment_names
    steps = list(walk(definition["Steps"]))
    kinds = {step["Type"] for step in steps}
    jobs = [kind for kind in ("Processing", "Training", "Transform") if kind in kinds]
    statements = pipeline_statements(props, jobs, job_role_arn) if jobs else [pass_role(job_role_arn)]
    if "Tuning" in kinds:
        statements += tuning_statements(props)
    if "Model" in kinds:
        # SageMaker generates their names as those of jobs.
        actions = ["sagemaker:CreateModel", "sagemaker:DescribeModel", "sagemaker:AddTags"]
        statements.append(allow(actions, [names.arn("sagemaker", "model/pipelines-*")]))
    if "RegisterModel" in kinds:
        statements.append(
            allow(["sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage"], [versions_arn(props)])
        )
    if functions := sorted({step["FunctionArn"] for step in steps if step["Type"] == "Lambda"}):
        statements.append(allow(["lambda:InvokeFunction"], functions))
    if queues := sorted({_queue_arn(step["SqsQueueUrl"], props) for step in steps if step["Type"] == "Callback"}):
        statements.append(allow(["sqs:SendMessage"], queues))
    if any(step.get("PropertyFiles") for step in steps):
        statements.append(read_objects(props.bucket("artifacts").bucket_arn, f"{props.config.name}/executions/"))
        statements += [decrypt(key) for key in ([props.key_arn] if props.key_arn else []) + props.bucket_key_arns]
    return statements


def _other_places(own: Synthesized, props: ModelProps) -> list[tuple[str, str]]:
    """Buckets and keys outside of the default bucket that the pipeline names: data that somebody else keeps.

    Of parameters, the value in model.yaml counts where there is one.
    """
    given = props.config.pipeline.parameters if props.config.pipeline else {}
    defaults = parameter_defaults(own.definition) | given
    found = set[tuple[str, str]]()

    def look(text: str) -> str:
        if text.startswith("s3://"):
            bucket, _, key = text.removeprefix("s3://").partition("/")
            if bucket and bucket != placeholders.BUCKET:
                found.add((bucket, key))
        return text

    placeholders.map_strings([own.definition["Steps"], defaults], look)
    return sorted(found)


def _list_folder(bucket_arn: str, folder: str) -> iam.PolicyStatement:
    """List the objects of a folder, also by its name without a slash, as the inputs of jobs are listed."""
    return allow(["s3:ListBucket"], [bucket_arn], StringLike={"s3:prefix": [folder.rstrip("/"), f"{folder}*"]})


def _read_elsewhere(partition: str, bucket: str, key: str) -> list[iam.PolicyStatement]:
    arn = f"arn:{partition}:s3:::{bucket}"
    return [list_objects(arn, key), read_objects(arn, key)]


def _queue_arn(url: str, props: ModelProps) -> str:
    """ARN of a queue, from its URL `https://sqs.<region>.amazonaws.com/<account>/<name>`."""
    account, _, name = url.split("//")[-1].partition("/")[2].partition("/")
    names = props.environment_names
    return f"arn:{names.partition}:sqs:{names.region}:{account}:{name}"
