"""What all jobs of a model have in common: environment, inputs, outputs, resources, limits and permissions."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_iam as iam

from ..core.bootstrapping import decrypt_assets
from ..core.network import job_interfaces
from ..core.permissions import allow, encrypt_output, encrypt_volumes, pass_role, pull_images, use_key, write_logs
from ..definition import Execution, Join, RetryPolicy, Value
from .instance_types import has_local_storage
from .props import ModelProps

_PROCESSING = "/opt/ml/processing"

RETRY_STEP = RetryPolicy(
    ("Step.SERVICE_FAULT", "Step.THROTTLING"), max_attempts=5, interval_seconds=10, backoff_rate=2.0
)
RETRY_JOB = (
    RETRY_STEP,
    RetryPolicy(("SageMaker.JOB_INTERNAL_ERROR",), max_attempts=3, interval_seconds=60, backoff_rate=2.0),
    RetryPolicy(
        ("SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"), max_attempts=8, interval_seconds=120, backoff_rate=1.5
    ),
)


def job_environment(props: ModelProps, **more: Value) -> dict[str, Value]:
    """The environment variables of every job (docs/reference/contracts.md), and `more`."""
    return {
        # SageMaker does not promise it, and boto3 takes a region from no other variable: for model.py as well as for jobs/.
        "AWS_DEFAULT_REGION": props.environment_names.region,
        "FACTORY_ENVIRONMENT": props.environment_names.environment,
        "MODEL_NAME": props.config.name,
        "DATA_URI": props.uri("data"),
        "MODEL_PACKAGE_GROUP": props.names.model_package_group,
        "ENDPOINT_NAME": props.names.endpoint,
        "REPORTS_URI": props.uri("artifacts", "monitor"),
        "PIPELINE_EXECUTION_ID": Execution.ID,
        "IMAGE": props.image,
        "CODE_DIGEST": props.code.digest,
        "GIT_COMMIT": props.code.git_commit,
        **more,
    }


def processing_arguments(
    props: ModelProps,
    job: str,
    *,
    instance: str,
    role_arn: str,
    environment: Mapping[str, Value],
    inputs: Mapping[str, Value],
    outputs: Mapping[str, Value],
) -> dict[str, Any]:
    """The request of the processing job `job`; inputs and outputs are S3 URIs by their name in the container."""
    return {
        "ProcessingResources": {
            "ClusterConfig": resources(props, instance),
        },
        "AppSpecification": {
            "ImageUri": props.image,
            "ContainerEntrypoint": ["python3", f"{_PROCESSING}/input/code/{props.code_key.split('/')[-1]}", job],
        },
        "RoleArn": role_arn,
        "Environment": dict(environment),
        "ProcessingInputs": [_input(name, uri) for name, uri in {"code": props.code_uri, **inputs}.items()],
        "ProcessingOutputConfig": {
            **encrypted_with(props, "KmsKeyId"),
            "Outputs": [_output(name, uri) for name, uri in outputs.items()],
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": int(props.config.training.max_runtime.total_seconds())},
        "NetworkConfig": {
            "EnableInterContainerTrafficEncryption": True,
            "EnableNetworkIsolation": False,
            **vpc_config(props),
        },
        "Tags": props.tags,
    }


def resources(props: ModelProps, instance: str, count: int = 1) -> dict[str, Any]:
    """The instances of a job and their volumes, which the key encrypts unless the instances have local storage."""
    return {
        "InstanceCount": count,
        "InstanceType": instance,
        "VolumeSizeInGB": props.config.training.volume_gb,
        **({} if has_local_storage(instance) else encrypted_with(props, "VolumeKmsKeyId")),
    }


def encrypted_with(props: ModelProps, member: str) -> dict[str, Any]:
    """The member of a job's request that names the key; empty without a key."""
    return {member: props.key_arn} if props.key else {}


def vpc_config(props: ModelProps) -> dict[str, Any]:
    """The member of a job's request that runs it in the VPC; empty without a VPC."""
    return {"VpcConfig": props.vpc.vpc_config} if props.vpc else {}


def execution_uri(props: ModelProps, area: str, *parts: str) -> Join:
    """S3 URI below `<artifacts>/<model>/<area>/<execution id>`."""
    return Join("/", [props.uri("artifacts", area), Execution.ID, *parts])


def job_statements(props: ModelProps) -> list[iam.PolicyStatement]:
    """Permissions that the role of every job needs."""
    names = props.environment_names
    code_bucket = f"arn:{names.partition}:s3:::{props.code_bucket}"
    return [
        allow(["s3:GetObject"], [f"{code_bucket}/{props.code_key}"]),
        allow(["s3:ListBucket"], [code_bucket]),
        decrypt_assets(names, code_bucket),
        *run_statements(props, [props.image]),
    ]


def run_statements(props: ModelProps, images: Sequence[str]) -> list[iam.PolicyStatement]:
    """Permissions to run jobs with `images`: keys, images, logs and the network. Raises ImageError."""
    names, key = props.environment_names, props.key_arn
    return [
        *([use_key(key), encrypt_output(key), encrypt_volumes(key)] if key else []),
        *map(use_key, props.bucket_key_arns),
        *pull_images(names, images),
        write_logs(names, "/aws/sagemaker/*"),
        *job_interfaces(names, props.vpc),
    ]


def pipeline_statements(props: ModelProps, job_kinds: Sequence[str], job_role_arn: str) -> list[iam.PolicyStatement]:
    """Permissions of a pipeline's own role to run jobs of `job_kinds` (Processing, Training, Transform) with `job_role_arn`."""
    actions = [f"sagemaker:{verb}{kind}Job" for kind in job_kinds for verb in ("Create", "Describe", "Stop")]
    # SageMaker generates the names of a pipeline's jobs: pipelines-<execution id>-<step>-<random>.
    jobs = [props.environment_names.arn("sagemaker", f"{kind.lower()}-job/pipelines-*") for kind in job_kinds]
    return [
        allow([*actions, "sagemaker:AddTags"], jobs),
        pass_role(job_role_arn),
    ]


def _input(name: str, uri: Value) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{_PROCESSING}/input/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }


def _output(name: str, uri: Value) -> dict[str, Any]:
    return {
        "OutputName": name,
        "S3Output": {"S3Uri": uri, "LocalPath": f"{_PROCESSING}/output/{name}", "S3UploadMode": "EndOfJob"},
    }
