"""The version that scores: the newest approved one, or one that a person names; and its artifact on disk."""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from .. import s3
from ..evaluation import champion
from ..failures import JobFailure


@dataclass(frozen=True)
class Version:
    """A version, its artifact's S3 URI and SHA-256 as registered (None for versions without), and its approval status."""

    number: int
    arn: str
    model_data_url: str
    artifact_digest: str | None
    status: str


def newest_approved(group: str) -> Version | None:
    """The approved version with the highest number; None when none is approved."""
    found = champion.find(group)
    return named(group, found.version) if found else None


def named(group: str, number: int) -> Version:
    """A version by its number. Raises JobFailure when it does not exist or was rejected."""
    sagemaker = s3.client("sagemaker")
    arn = next(
        (
            package["ModelPackageArn"]
            for page in sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
            for package in page["ModelPackageSummaryList"]
            if package["ModelPackageVersion"] == number
        ),
        None,
    )
    if arn is None:
        raise JobFailure(f"{group} has no version {number}")
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    if package["ModelApprovalStatus"] == "Rejected":
        raise JobFailure(f"version {number} was rejected; approve it, or name another version")
    container = package["InferenceSpecification"]["Containers"][0]
    digest = package.get("CustomerMetadataProperties", {}).get("artifact_digest")
    return Version(number, arn, container["ModelDataUrl"], digest, package["ModelApprovalStatus"])


@dataclass(frozen=True)
class Artifact:
    """An unpacked model.tar.gz: its folder, and its serving.json."""

    folder: Path
    serving: dict[str, Any]

    @property
    def classes(self) -> list[Any]:
        """The labels in the order of the scores; empty in regression."""
        return self.serving.get("classes") or []

    @property
    def columns(self) -> list[str]:
        """Names of the raw columns that the model takes."""
        return [column["name"] for column in self.serving["columns"]]


def unpack(version: Version, folder: Path) -> Artifact:
    """Download and unpack the artifact. Raises JobFailure when it is another file than the one that was evaluated."""
    found = champion.Champion(version.number, version.model_data_url, version.artifact_digest)
    try:
        model = champion.download(found, folder)
        return Artifact(model, json.loads((model / "serving.json").read_text()))
    except (ClientError, tarfile.TarError, OSError, ValueError) as error:
        raise JobFailure(
            f"the artifact {version.model_data_url} of version {version.number} cannot be read: {error}"
        ) from error
