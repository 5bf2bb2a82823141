"""SageMaker: the model registry."""

from ..checks import absent, existing, first, none_of, together
from ..rule import Entry, NotEnforced, Request, Values, table

PACKAGE = "SageMaker API reference: CreateModelPackage"
ARN = "arn:aws:sagemaker:us-east-1:123456789012"
rule = table("sagemaker", "ValidationException", "SageMaker API reference: CreatePipeline")


def _versions_left(request: Request) -> Values | None:
    name = request.params["ModelPackageGroupName"]
    group = request.find("model-package-group", name) or {}
    return {"value": name} if group.get("Packages") else None


ENTRIES: tuple[Entry, ...] = (
    rule(
        "CreateModelPackageGroup",
        "The name of a model package group is free.",
        "Model Package Group already exists: arn:aws:sagemaker:{region}:{account}:model-package-group/{value}",
        existing("model-package-group", "ModelPackageGroupName"),
        {"ModelPackageGroupName": "new"},
        {"ModelPackageGroupName": "g"},
        source="SageMaker API reference: CreateModelPackageGroup",
        given={"model-package-group/g": {}},
    ),
    rule(
        "DescribeModelPackageGroup DeleteModelPackageGroup CreateModelPackage ListModelPackages",
        "The model package group exists.",
        "ModelPackageGroup {value} does not exist.",
        absent("model-package-group", "ModelPackageGroupName"),
        {"ModelPackageGroupName": "g"},
        {"ModelPackageGroupName": "missing"},
        source="SageMaker API reference: DescribeModelPackageGroup",
        given={"model-package-group/g": {}},
    ),
    rule(
        "DeleteModelPackageGroup",
        "A group is empty when it is deleted.",
        "Model Package Group cannot be deleted because it still contains Model Packages: {value}",
        _versions_left,
        {"ModelPackageGroupName": "g"},
        {"ModelPackageGroupName": "full"},
        source="SageMaker developer guide: Delete a model group",
        given={"model-package-group/g": {}, "model-package-group/full": {"Packages": 1}},
    ),
    rule(
        "DescribeModelPackage DeleteModelPackage",
        "The model package exists.",
        "ModelPackage {value} does not exist.",
        absent("model-package", "ModelPackageName"),
        {"ModelPackageName": f"{ARN}:model-package/g/1"},
        {"ModelPackageName": f"{ARN}:model-package/g/9"},
        source="SageMaker API reference: DescribeModelPackage",
        given={f"model-package/{ARN}:model-package/g/1": {}},
    ),
    rule(
        "UpdateModelPackage",
        "The model package that is updated exists.",
        "ModelPackage {value} does not exist.",
        absent("model-package", "ModelPackageArn"),
        {"ModelPackageArn": f"{ARN}:model-package/g/1"},
        {"ModelPackageArn": f"{ARN}:model-package/g/9"},
        source="SageMaker API reference: UpdateModelPackage",
        given={f"model-package/{ARN}:model-package/g/1": {}},
    ),
    rule(
        "CreateModelPackage",
        "A version has a group and no name of its own.",
        "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one to use.",
        together("ModelPackageName", "ModelPackageGroupName"),
        {"ModelPackageGroupName": "g"},
        {"ModelPackageGroupName": "g", "ModelPackageName": "n"},
        source=PACKAGE,
        given={"model-package-group/g": {}},
    ),
    rule(
        "CreateModelPackage",
        "A model package has a group or a name.",
        "Missing ARN.",
        none_of("ModelPackageName", "ModelPackageGroupName"),
        {"ModelPackageGroupName": "g"},
        {},
        source=PACKAGE,
        given={"model-package-group/g": {}},
    ),
    rule(
        "CreateModelPackage",
        "Versions of a group take no tags: their group has them.",
        "Tags cannot be specified for a versioned model package",
        together("ModelPackageGroupName", "Tags[]"),
        {"ModelPackageGroupName": "g"},
        {"ModelPackageGroupName": "g", "Tags": [{"Key": "k", "Value": "v"}]},
        source=PACKAGE,
        given={"model-package-group/g": {}},
        inferred=True,
    ),
    rule(
        "CreateModelPackage",
        "A version of a group cannot be certified for the marketplace.",
        "CertifyForMarketplace is not supported for versioned model packages",
        lambda request: bool(
            first(request.params, "CertifyForMarketplace") and "ModelPackageGroupName" in request.params
        ),
        {"ModelPackageGroupName": "g"},
        {"ModelPackageGroupName": "g", "CertifyForMarketplace": True},
        source=PACKAGE,
        given={"model-package-group/g": {}},
        inferred=True,
    ),
    NotEnforced(
        "sagemaker",
        "CreateModelPackage",
        "ModelCardContent follows the schema of model cards.",
        "SageMaker developer guide: Model package model card schema",
        "No job of ours registers a model card.",
    ),
)
