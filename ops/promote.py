"""Take an approved version to the next environment as it is: the same artifact, encrypted anew, nothing trained again."""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .decisions import find_version, write_record
from .project import Reach, UsageError

# What a version refers to in S3 besides the artifact: copied, so that the target's jobs need not reach another account.
_REPORTS = ("ModelMetrics", "DriftCheckBaselines")


@dataclass(frozen=True)
class Promoted:
    """The version that was made, and from which."""

    origin: str
    version: int
    status: str
    artifact_digest: str
    record_uri: str


def promote(source: Reach, target: Reach, model: str, number: int | None, reason: str) -> Promoted:
    """Register a version (default: the newest approved one of `source`) in `target`. Raises UsageError."""
    order = [environment.name for environment in source.project.factory.environments]
    if order.index(source.environment.name) >= order.index(target.environment.name):
        raise UsageError(
            f"{target.environment.name} does not come after {source.environment.name}; the order of promotion is "
            f"{', '.join(order)}"
        )
    version = find_version(source, model, number, "Approved")
    if version["ModelApprovalStatus"] != "Approved":
        raise UsageError(f"version {version['ModelPackageVersion']} of {model} is {version['ModelApprovalStatus']}")
    sagemaker = target.client("sagemaker")
    group = target.names.model(model).model_package_group
    for known in _origins(sagemaker, group):
        if known == version["ModelPackageArn"]:
            raise UsageError(f"{version['ModelPackageArn']} was promoted to {target.environment.name} already")
    folder = f"{model}/executions/promoted-{source.environment.name}-v{version['ModelPackageVersion']}"
    copy = _Copy(source, target, folder)
    specification = version["InferenceSpecification"]
    container = specification["Containers"][0]
    artifact, digest = copy.file(container["ModelDataUrl"], "model.tar.gz")
    status = "Approved" if target.environment.approval == "automatic" else "PendingManualApproval"
    facts = version.get("CustomerMetadataProperties", {}) | {
        "origin": version["ModelPackageArn"],
        "artifact_digest": digest,
        "trigger": "promotion",
    }
    made = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelPackageDescription=f"promotion: {reason}"[:1024],
        ModelApprovalStatus=status,
        InferenceSpecification=specification
        | {"Containers": [{k: v for k, v in container.items() if k != "ModelDataETag"} | {"ModelDataUrl": artifact}]},
        CustomerMetadataProperties=facts,
        **{name: copy.reports(version[name], name) for name in _REPORTS if name in version},
    )
    described = sagemaker.describe_model_package(ModelPackageName=made["ModelPackageArn"])
    person = target.client("sts").get_caller_identity()["Arn"]
    record = {"by": person, "reason": reason, "origin": version["ModelPackageArn"], "artifact_digest": digest}
    uri = write_record(target, model, described, "promotions", record)
    return Promoted(version["ModelPackageArn"], described["ModelPackageVersion"], status, digest, uri)


def _origins(sagemaker: Any, group: str) -> Iterator[str]:
    for page in sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group):
        for one in page["ModelPackageSummaryList"]:
            described = sagemaker.describe_model_package(ModelPackageName=one["ModelPackageArn"])
            yield described.get("CustomerMetadataProperties", {}).get("origin", "")


@dataclass(frozen=True)
class _Copy:
    """Copies from one account's bucket to another's: read with the source's key, written with the target's."""

    source: Reach
    target: Reach
    folder: str

    def file(self, uri: str, name: str) -> tuple[str, str]:
        """URI and SHA-256 of the copy."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            self.source.client("s3").download_file(bucket, key, str(path))
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            to = self.target.names.bucket("artifacts")
            # The bucket's default encryption is the target environment's key.
            self.target.client("s3").upload_file(str(path), to, f"{self.folder}/{name}")
        return f"s3://{to}/{self.folder}/{name}", digest

    def reports(self, value: Any, name: str) -> Any:
        """The same structure with every S3Uri copied."""
        if not isinstance(value, dict):
            return value
        if "S3Uri" in value:
            uri, _ = self.file(value["S3Uri"], f"{name}/{value['S3Uri'].rsplit('/', 1)[-1]}")
            return {"ContentType": value["ContentType"], "S3Uri": uri}
        return {key: self.reports(item, f"{name}/{key}") for key, item in value.items()}
