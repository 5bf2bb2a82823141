"""SageMaker: processing, training and transform jobs."""

from collections.abc import Mapping
from typing import Any

from ..checks import absent, each, existing, first, none_of, repeated, together
from ..rule import Entry, Request, Values, table
from .sagemaker_endpoints import key_with_local_storage

TRAINING = "SageMaker API reference: CreateTrainingJob"
PROCESSING = "SageMaker API reference: CreateProcessingJob"
TRANSFORM = "SageMaker API reference: CreateTransformJob"
rule = table("sagemaker", "ValidationException", TRAINING)

_GROUP = {"InstanceGroupName": "group", "InstanceType": "ml.m5.large", "InstanceCount": 2}
ROLE = "arn:aws:iam::123456789012:role/r"
MODEL = {"model/m": {}}


def training(**changes: Any) -> dict[str, Any]:
    """Parameters of CreateTrainingJob."""
    return {
        "TrainingJobName": "j",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    } | changes


def processing(inputs: Any = (), outputs: Any = (), **cluster: Any) -> dict[str, Any]:
    """Parameters of CreateProcessingJob; inputs and outputs as (name, path in the container)."""
    given = [
        {"InputName": name, "S3Input": {"S3Uri": "s3://b/i", "LocalPath": path, "S3DataType": "S3Prefix"}}
        for name, path in inputs
    ]
    made = [
        {"OutputName": name, "S3Output": {"S3Uri": "s3://b/o", "LocalPath": path, "S3UploadMode": "EndOfJob"}}
        for name, path in outputs
    ]
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10, **cluster}
    return {
        "ProcessingJobName": "j",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingResources": {"ClusterConfig": resources},
        "ProcessingInputs": given,
        **({"ProcessingOutputConfig": {"Outputs": made}} if made else {}),
    }


def transform(**changes: Any) -> dict[str, Any]:
    """Parameters of CreateTransformJob."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/i"}}
    return {
        "TransformJobName": "j",
        "ModelName": "m",
        "TransformInput": {"DataSource": source, "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": "s3://b/o", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    } | changes


def waits_too_short(job: Mapping[str, Any]) -> bool:
    """A training job on spot instances, or the definition of one, waits less than it may run."""
    limits = job["StoppingCondition"]
    wait = limits.get("MaxWaitTimeInSeconds", 0)
    return bool(job.get("EnableManagedSpotTraining")) and wait < limits.get("MaxRuntimeInSeconds", 86400)


def _waits(request: Request) -> bool:
    return "MaxWaitTimeInSeconds" in request.params["StoppingCondition"]


def _channel(name: str) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/c"}}
    return {"ChannelName": name, "DataSource": source}


def ended(kind: str, name: str) -> Any:
    """The job of the request, a record of the kind, is neither in progress nor stopping. Values: status."""

    def check(request: Request) -> Values | None:
        job = request.find(kind, request.params[f"{name}Name"]) or {}
        status = job.get(f"{name}Status")
        return {"status": status} if status in ("Completed", "Failed", "Stopped") else None

    return check


NAMES: tuple[Entry, ...] = (
    rule(
        "CreateTrainingJob",
        "The name of a training job is unique within a region of an account.",
        "Training job names must be unique within an AWS account and region, and a training job with this name already "
        "exists (arn:aws:sagemaker:{region}:{account}:training-job/{value})",
        existing("training-job", "TrainingJobName"),
        training(),
        training(TrainingJobName="taken"),
        code="ResourceInUse",
        given={"training-job/taken": {}},
    ),
    rule(
        "CreateProcessingJob",
        "The name of a processing job is unique within a region of an account.",
        "Job name must be unique within an AWS account and region, and a job with this name already exists "
        "(arn:aws:sagemaker:{region}:{account}:processing-job/{value})",
        existing("processing-job", "ProcessingJobName"),
        processing(),
        processing() | {"ProcessingJobName": "taken"},
        source=f"{PROCESSING}; words: an error report in a public repository",
        code="ResourceInUse",
        given={"processing-job/taken": {}},
    ),
    rule(
        "CreateTransformJob",
        "The name of a transform job is unique within a region of an account.",
        "Job name must be unique within an AWS account and region, and a job with this name already exists "
        "(arn:aws:sagemaker:{region}:{account}:transform-job/{value})",
        existing("transform-job", "TransformJobName"),
        transform(),
        transform(TransformJobName="taken"),
        source=TRANSFORM,
        code="ResourceInUse",
        given=MODEL | {"transform-job/taken": {}},
        inferred=True,
    ),
    rule(
        "DescribeTrainingJob StopTrainingJob",
        "The training job exists.",
        "Requested resource not found.",
        absent("training-job", "TrainingJobName"),
        {"TrainingJobName": "j"},
        {"TrainingJobName": "missing"},
        source="SageMaker API reference: DescribeTrainingJob",
        given={"training-job/j": {"TrainingJobStatus": "InProgress"}},
    ),
    rule(
        "DescribeProcessingJob StopProcessingJob",
        "The processing job exists.",
        "Could not find requested job with name: {value}",
        absent("processing-job", "ProcessingJobName"),
        {"ProcessingJobName": "j"},
        {"ProcessingJobName": "missing"},
        source="SageMaker API reference: DescribeProcessingJob",
        given={"processing-job/j": {"ProcessingJobStatus": "InProgress"}},
    ),
    rule(
        "DescribeTransformJob StopTransformJob",
        "The transform job exists.",
        "Could not find requested job with name: {value}",
        absent("transform-job", "TransformJobName"),
        {"TransformJobName": "j"},
        {"TransformJobName": "missing"},
        source="SageMaker API reference: DescribeTransformJob",
        given={"transform-job/j": {"TransformJobStatus": "InProgress"}},
    ),
    rule(
        "StopTrainingJob",
        "Only a training job that runs can be stopped.",
        "The request was rejected because the training job is in status {status}.",
        ended("training-job", "TrainingJob"),
        {"TrainingJobName": "j"},
        {"TrainingJobName": "done"},
        source="SageMaker API reference: StopTrainingJob",
        given={
            "training-job/j": {"TrainingJobStatus": "InProgress"},
            "training-job/done": {"TrainingJobStatus": "Completed"},
        },
    ),
    rule(
        "StopProcessingJob",
        "Only a processing job that runs can be stopped.",
        "The request was rejected because the processing job is in status {status}.",
        ended("processing-job", "ProcessingJob"),
        {"ProcessingJobName": "j"},
        {"ProcessingJobName": "done"},
        source="SageMaker API reference: StopProcessingJob",
        given={
            "processing-job/j": {"ProcessingJobStatus": "InProgress"},
            "processing-job/done": {"ProcessingJobStatus": "Failed"},
        },
    ),
)

TRAINING_JOBS: tuple[Entry, ...] = (
    rule(
        "CreateTrainingJob",
        "VolumeKmsKeyId cannot be used with instance types that have local storage.",
        "You can't request a VolumeKmsKeyId when using an instance type with local storage: {value}. Local storage volumes are "
        "encrypted using a hardware module on the instance.",
        key_with_local_storage("ResourceConfig.VolumeKmsKeyId", "ResourceConfig.InstanceType"),
        training(ResourceConfig={**training()["ResourceConfig"], "VolumeKmsKeyId": "k"}),
        training(
            ResourceConfig={**training()["ResourceConfig"], "InstanceType": "ml.g5.xlarge", "VolumeKmsKeyId": "k"}
        ),
        source="SageMaker API reference: ResourceConfig",
        inferred=True,
    ),
    rule(
        "CreateTrainingJob",
        "A cluster has InstanceType and InstanceCount, or InstanceGroups.",
        "ResourceConfig can't have both InstanceGroups and InstanceType or InstanceCount",
        each(
            "ResourceConfig",
            lambda value: bool(value.get("InstanceGroups")) and bool({"InstanceType", "InstanceCount"} & value.keys()),
        ),
        training(ResourceConfig={**training()["ResourceConfig"], "InstanceCount": 16}),
        training(ResourceConfig={**training()["ResourceConfig"], "InstanceGroups": [_GROUP]}),
        source="SageMaker developer guide: Train Using a Heterogeneous Cluster",
        inferred=True,
    ),
    rule(
        "CreateTrainingJob",
        "An algorithm is either AlgorithmName or TrainingImage.",
        "You must specify exactly one of TrainingImage and AlgorithmName",
        lambda request: (
            together("AlgorithmSpecification.TrainingImage", "AlgorithmSpecification.AlgorithmName")(request)
            or none_of("AlgorithmSpecification.TrainingImage", "AlgorithmSpecification.AlgorithmName")(request)
        ),
        training(),
        training(AlgorithmSpecification={"TrainingInputMode": "File"}),
        source="SageMaker API reference: AlgorithmSpecification",
        inferred=True,
    ),
    rule(
        "CreateTrainingJob",
        "Managed spot training waits at least as long as a job may run.",
        "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds",
        lambda request: waits_too_short(request.params),
        training(
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        ),
        training(EnableManagedSpotTraining=True),
        source="SageMaker API reference: StoppingCondition",
    ),
    rule(
        "CreateTrainingJob",
        "Only managed spot training waits.",
        "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true",
        lambda request: _waits(request) and not request.params.get("EnableManagedSpotTraining"),
        training(
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        ),
        training(StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}),
        source="SageMaker API reference: StoppingCondition; words: error reports in public repositories",
    ),
    rule(
        "CreateTrainingJob",
        "Warm pools cannot be used with spot instances.",
        "KeepAlivePeriodInSeconds cannot be used when EnableManagedSpotTraining is set to true",
        lambda request: (
            first(request.params, "ResourceConfig.KeepAlivePeriodInSeconds", 0) > 0
            and bool(request.params.get("EnableManagedSpotTraining"))
        ),
        training(ResourceConfig={**training()["ResourceConfig"], "KeepAlivePeriodInSeconds": 600}),
        training(
            ResourceConfig={**training()["ResourceConfig"], "KeepAlivePeriodInSeconds": 600},
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        ),
        source="SageMaker developer guide: SageMaker AI Managed Warm Pools, considerations",
        inferred=True,
    ),
    rule(
        "CreateTrainingJob",
        "A training job runs for at most 28 days.",
        "MaxRuntimeInSeconds {MaxRuntimeInSeconds} must be less than or equal to 2419200",
        each("StoppingCondition", lambda value: value.get("MaxRuntimeInSeconds", 0) > 28 * 86400),
        training(),
        training(StoppingCondition={"MaxRuntimeInSeconds": 2419201}),
        source="SageMaker API reference: StoppingCondition",
        inferred=True,
    ),
    rule(
        "CreateTrainingJob",
        "Names of channels are unique within a job.",
        "Duplicate channel name: {value}",
        repeated("InputDataConfig[].ChannelName"),
        training(InputDataConfig=[_channel("a"), _channel("b")]),
        training(InputDataConfig=[_channel("a"), _channel("a")]),
        source="SageMaker API reference: Channel",
        inferred=True,
    ),
)
ENTRIES: tuple[Entry, ...] = (*NAMES, *TRAINING_JOBS)
