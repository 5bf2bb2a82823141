"""SageMaker: models, and tags of every resource."""

from typing import Any

from ..checks import absent, each, existing, found, not_matching, repeated, size, together
from ..rule import Entry, NotEnforced, Request, Values, table

CONTAINER = "SageMaker API reference: ContainerDefinition"
rule = table("sagemaker", "ValidationException", "SageMaker API reference: CreateModel")

ROLE = "arn:aws:iam::123456789012:role/r"
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/g/1"
PENDING = "arn:aws:sagemaker:us-east-1:123456789012:model-package/g/2"
GIVEN = {
    "model/m": {},
    "model-package/" + PACKAGE: {"ModelApprovalStatus": "Approved"},
    "model-package/" + PENDING: {"ModelApprovalStatus": "PendingManualApproval"},
}
ENVIRONMENT_BYTES = 32 * 1024
TAGGED = (
    "AddTags CreateModel CreateEndpointConfig CreateEndpoint CreateTrainingJob CreateProcessingJob CreateTransformJob "
    "CreatePipeline CreateModelPackageGroup CreateModelPackage"
)


def model(container: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Parameters of CreateModel."""
    return {"ModelName": "new", "ExecutionRoleArn": ROLE, "PrimaryContainer": container or {"Image": "i"}, **more}


def _containers(request: Request) -> list[Any]:
    return [*found(request.params, "PrimaryContainer"), *found(request.params, "Containers[]")]


def _environment_beyond_limit(request: Request) -> Values | None:
    pairs = [pair for each_ in _containers(request) for pair in each_.get("Environment", {}).items()]
    total = sum(size(key) + size(value) for key, value in pairs)
    return {"count": total} if total > ENVIRONMENT_BYTES else None


def _not_approved(request: Request) -> Values | None:
    for container in _containers(request):
        package = request.find("model-package", container.get("ModelPackageName", "")) or {}
        status = package.get("ModelApprovalStatus", "Approved")
        if status != "Approved":
            return {"value": container["ModelPackageName"], "status": status}
    return None


def _some_have_host_names(request: Request) -> bool:
    named = ["ContainerHostname" in container for container in found(request.params, "Containers[]")]
    return any(named) and not all(named)


def _tags(*keys: str) -> dict[str, Any]:
    tags = [{"Key": key, "Value": "v"} for key in keys]
    return {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m", "Tags": tags}


ENTRIES: tuple[Entry, ...] = (
    rule(
        "CreateModel",
        "The name of a model is free.",
        'Cannot create already existing model "arn:aws:sagemaker:{region}:{account}:model/{value}".',
        existing("model", "ModelName"),
        model(),
        model(ModelName="m"),
        given=GIVEN,
    ),
    rule(
        "DescribeModel DeleteModel",
        "The model exists.",
        'Could not find model "arn:aws:sagemaker:{region}:{account}:model/{value}".',
        absent("model", "ModelName"),
        {"ModelName": "m"},
        {"ModelName": "missing"},
        source="SageMaker API reference: DescribeModel",
        given=GIVEN,
    ),
    rule(
        "CreateModel",
        "A model has either PrimaryContainer or Containers.",
        "Exactly one of PrimaryContainer and Containers must be specified",
        lambda request: ("PrimaryContainer" in request.params) == bool(request.params.get("Containers")),
        model(),
        model(Containers=[{"Image": "i"}]),
        inferred=True,
    ),
    rule(
        "CreateModel",
        "ModelDataUrl is the path of one gzip compressed tar archive.",
        "ModelDataUrl {value} must point to a single gzip compressed tar archive (.tar.gz suffix)",
        not_matching(r".*\.tar\.gz", "PrimaryContainer.ModelDataUrl"),
        model({"Image": "i", "ModelDataUrl": "s3://b/model.tar.gz"}),
        model({"Image": "i", "ModelDataUrl": "s3://b/model.joblib"}),
        source=CONTAINER,
        inferred=True,
    ),
    rule(
        "CreateModel",
        "Model data is either ModelDataUrl or ModelDataSource.",
        "ModelDataUrl and ModelDataSource cannot be specified together",
        together("PrimaryContainer.ModelDataUrl", "PrimaryContainer.ModelDataSource"),
        model({"Image": "i", "ModelDataUrl": "s3://b/model.tar.gz"}),
        model(
            {
                "Image": "i",
                "ModelDataUrl": "s3://b/model.tar.gz",
                "ModelDataSource": {
                    "S3DataSource": {"S3Uri": "s3://b/m/", "S3DataType": "S3Prefix", "CompressionType": "None"}
                },
            }
        ),
        source=CONTAINER,
        inferred=True,
    ),
    rule(
        "CreateModel",
        "Keys and values of the environments of all containers are 32 KB together.",
        "The maximum length of all keys and values in the Environment maps, combined, is 32 KB. Shorten or remove variables.",
        _environment_beyond_limit,
        model({"Image": "i", "Environment": {"A": "x" * 1000}}),
        model({"Image": "i", "Environment": {f"A{index}": "x" * 1000 for index in range(40)}}),
        source=CONTAINER,
        inferred=True,
    ),
    rule(
        "CreateModel",
        "If one container of an inference pipeline has a host name, all have.",
        "ContainerHostname must be specified for every container or for none",
        _some_have_host_names,
        {"ModelName": "new", "ExecutionRoleArn": ROLE, "Containers": [{"Image": "i"}, {"Image": "j"}]},
        {
            "ModelName": "new",
            "ExecutionRoleArn": ROLE,
            "Containers": [{"Image": "i", "ContainerHostname": "a"}, {"Image": "j"}],
        },
        source=CONTAINER,
        inferred=True,
    ),
    rule(
        "CreateModel",
        "A version of a model package group is approved before a model is created from it.",
        "ModelPackage {value} is in approval status {status}; it must be Approved",
        _not_approved,
        model({"ModelPackageName": PACKAGE}),
        model({"ModelPackageName": PENDING}),
        source="SageMaker API reference: CreateModelPackage, ModelApprovalStatus",
        given=GIVEN,
        inferred=True,
    ),
    rule(
        TAGGED,
        "Tag keys are unique per resource.",
        "Duplicate tag key: {value}",
        repeated("Tags[].Key"),
        _tags("a", "b"),
        _tags("a", "a"),
        source="SageMaker API reference: Tag",
        inferred=True,
    ),
    rule(
        TAGGED,
        "Tag keys do not begin with aws:, which AWS reserves.",
        "Tag key {Key} uses the reserved prefix aws:",
        each("Tags[]", lambda tag: tag["Key"].lower().startswith("aws:")),
        _tags("a"),
        _tags("aws:a"),
        source="Tagging AWS resources: Tag naming limits and requirements",
        inferred=True,
    ),
    NotEnforced(
        "sagemaker",
        "ListTags",
        "The resource exists.",
        "SageMaker API reference: ListTags",
        "The reference names no error; a resource without tags and one that does not exist have none.",
    ),
    NotEnforced(
        "sagemaker",
        "CreateModel",
        "Model data and image are in the region of the model, and its role may read them.",
        CONTAINER,
        "The endpoint fails at its start when the role may not read them, as the embedded AWS downloads under the role.",
    ),
)
