"""SageMaker: what processing and transform jobs may be asked for."""

from typing import Any

from ..checks import absent, not_matching, repeated
from ..rule import Entry, NotEnforced, Request, table
from .sagemaker_endpoints import key_with_local_storage
from .sagemaker_jobs import MODEL, PROCESSING, TRANSFORM, processing, transform

rule = table("sagemaker", "ValidationException", PROCESSING)

INPUT, OUTPUT = "/opt/ml/processing/input/a", "/opt/ml/processing/output/a"


def _payload_of_concurrent_requests(request: Request) -> bool:
    payload = request.params.get("MaxPayloadInMB", 6)
    return payload * request.params.get("MaxConcurrentTransforms", 1) > 100


def _unsplit_batch(request: Request) -> bool:
    split = request.params["TransformInput"].get("SplitType", "None")
    return request.params.get("BatchStrategy") == "MultiRecord" and split == "None"


def _joined_without_assembly(request: Request) -> bool:
    joined = request.params.get("DataProcessing", {}).get("JoinSource") == "Input"
    split = request.params["TransformInput"].get("SplitType", "None")
    return joined and split != request.params["TransformOutput"].get("AssembleWith", "None")


def _resources(**changes: Any) -> dict[str, Any]:
    return {"InstanceType": "ml.m5.large", "InstanceCount": 1, **changes}


PROCESSING_JOBS: tuple[Entry, ...] = (
    rule(
        "CreateProcessingJob",
        "VolumeKmsKeyId cannot be used with instance types that have local storage.",
        "You can't request a VolumeKmsKeyId when using an instance type with local storage: {value}. Local storage volumes are "
        "encrypted using a hardware module on the instance.",
        key_with_local_storage(
            "ProcessingResources.ClusterConfig.VolumeKmsKeyId", "ProcessingResources.ClusterConfig.InstanceType"
        ),
        processing(VolumeKmsKeyId="k"),
        processing(VolumeKmsKeyId="k", InstanceType="ml.g4dn.xlarge"),
        source="SageMaker API reference: ProcessingClusterConfig",
        inferred=True,
    ),
    rule(
        "CreateProcessingJob",
        "The local path of an input is absolute and begins with /opt/ml/processing/.",
        "LocalPath {value} must begin with /opt/ml/processing/",
        not_matching(r"/opt/ml/processing/.*", "ProcessingInputs[].S3Input.LocalPath"),
        processing([("a", INPUT)]),
        processing([("a", "/opt/ml/input/a")]),
        source="SageMaker API reference: ProcessingS3Input",
        inferred=True,
    ),
    rule(
        "CreateProcessingJob",
        "The local path of an output begins with /opt/ml/processing/.",
        "LocalPath {value} must begin with /opt/ml/processing/",
        not_matching(r"/opt/ml/processing/.*", "ProcessingOutputConfig.Outputs[].S3Output.LocalPath"),
        processing(outputs=[("a", OUTPUT)]),
        processing(outputs=[("a", "/tmp/a")]),  # noqa: S108 (a path in a container)
        source="SageMaker API reference: ProcessingS3Output",
        inferred=True,
    ),
    rule(
        "CreateProcessingJob",
        "Names of inputs are unique within a job.",
        "Duplicate input name: {value}",
        repeated("ProcessingInputs[].InputName"),
        processing([("a", INPUT), ("b", INPUT + "/b")]),
        processing([("a", INPUT), ("a", INPUT + "/b")]),
        source="SageMaker API reference: ProcessingInput",
        inferred=True,
    ),
    rule(
        "CreateProcessingJob",
        "Names of outputs are unique within a job.",
        "Duplicate output name: {value}",
        repeated("ProcessingOutputConfig.Outputs[].OutputName"),
        processing(outputs=[("a", OUTPUT), ("b", OUTPUT + "/b")]),
        processing(outputs=[("a", OUTPUT), ("a", OUTPUT + "/b")]),
        source="SageMaker API reference: ProcessingOutput",
        inferred=True,
    ),
    NotEnforced(
        "sagemaker",
        "CreateProcessingJob CreateTrainingJob CreateTransformJob",
        "The number of instances of a type that run at once is a quota of the account.",
        "Service quotas: Amazon SageMaker AI",
        "Quotas are the account's own; they can be raised.",
    ),
    NotEnforced(
        "sagemaker",
        "CreateProcessingJob CreateTrainingJob",
        "Input buckets are in the job's region.",
        "SageMaker API reference: S3DataSource",
        "Moto does not keep a bucket from being read in other regions.",
    ),
)

TRANSFORM_JOBS: tuple[Entry, ...] = (
    rule(
        "CreateTransformJob",
        "The model of a transform job exists.",
        'Could not find model "arn:aws:sagemaker:{region}:{account}:model/{value}".',
        absent("model", "ModelName"),
        transform(),
        transform(ModelName="missing"),
        source=TRANSFORM,
        given=MODEL,
    ),
    rule(
        "CreateTransformJob",
        "VolumeKmsKeyId cannot be used with instance types that have local storage.",
        "You can't request a VolumeKmsKeyId when using an instance type with local storage: {value}. Local storage volumes are "
        "encrypted using a hardware module on the instance.",
        key_with_local_storage("TransformResources.VolumeKmsKeyId", "TransformResources.InstanceType"),
        transform(TransformResources=_resources(VolumeKmsKeyId="k")),
        transform(TransformResources=_resources(VolumeKmsKeyId="k", InstanceType="ml.g4dn.xlarge")),
        source="SageMaker API reference: TransformResources",
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateTransformJob",
        "Concurrent requests have a payload of at most 100 MB together.",
        "MaxConcurrentTransforms * MaxPayloadInMB cannot exceed 100 MB",
        _payload_of_concurrent_requests,
        transform(MaxPayloadInMB=50, MaxConcurrentTransforms=2),
        transform(MaxPayloadInMB=60, MaxConcurrentTransforms=2),
        source=TRANSFORM,
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateTransformJob",
        "Batches of several records need a split type.",
        "BatchStrategy MultiRecord requires SplitType Line, RecordIO or TFRecord",
        _unsplit_batch,
        transform(BatchStrategy="MultiRecord"),
        transform(BatchStrategy="MultiRecord", TransformInput={**transform()["TransformInput"], "SplitType": "None"}),
        source=TRANSFORM,
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateTransformJob",
        "To join results with their input, AssembleWith equals SplitType.",
        "AssembleWith must match SplitType when JoinSource is Input",
        _joined_without_assembly,
        transform(DataProcessing={"JoinSource": "Input"}),
        transform(DataProcessing={"JoinSource": "Input"}, TransformOutput={"S3OutputPath": "s3://b/o"}),
        source="SageMaker developer guide: Associate prediction results with input records",
        given=MODEL,
        inferred=True,
    ),
)
ENTRIES: tuple[Entry, ...] = (*PROCESSING_JOBS, *TRANSFORM_JOBS)
