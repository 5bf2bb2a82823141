"""A version of one environment registered in another as it is: the same artifact, encrypted with the other's key.

The delivery function and `model-factory promote` both run this very file, so it needs boto3's clients of the two
environments and nothing around it. The bytes pass through here in parts: nobody has rights in both accounts
(docs/decisions/0009-promotion-copies-through-the-function.md).
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, cast

from botocore.exceptions import HTTPClientError, IncompleteReadError

# What is in memory at a time. S3 takes 10,000 parts, so 320 GB.
PART_BYTES = 32 * 2**20
ATTEMPTS = 3
# S3 refuses what does not arrive as it was sent.
CHECKED: Any = {"ChecksumAlgorithm": "SHA256"}
REPORTS = ("ModelMetrics", "DriftCheckBaselines")
"""What a version refers to in S3 besides its artifact: copied, so that the target reads nothing of another account."""

FOUND_OUT = ("ModelDataETag", "ImageDigest")
"""What SageMaker says of a version's container without having been told."""


class Refused(Exception):
    """The version cannot be promoted; the message says why."""


class Place(Protocol):
    """An environment: boto3's clients that act there."""

    def client(self, service: str) -> Any: ...


@dataclass(frozen=True)
class Target:
    """A model where a version is to be registered. `image`: where its image is there, when it is not where it was."""

    place: Place
    model_package_group: str
    artifacts_uri: str
    records_uri: str
    approval_status: Literal["Approved", "PendingManualApproval"]
    image: str | None = None


@dataclass(frozen=True)
class Promoted:
    """The version that was made, and from which."""

    origin: str
    version: int
    approval_status: str
    artifact_digest: str
    record_uri: str


def promote(
    version: dict[str, Any], source: Place, source_name: str, target: Target, *, by: str, reason: str
) -> Promoted:
    """Copy what `version` (described) consists of, register it in `target`, and record who did it and why.

    Raises Refused when the artifact is not the one that was registered.
    """
    origin, number = version["ModelPackageArn"], version["ModelPackageVersion"]
    specification = version["InferenceSpecification"]
    container = specification["Containers"][0]
    facts: dict[str, str] = version.get("CustomerMetadataProperties", {})
    copy = _Copy(source, target.place, f"{target.artifacts_uri}executions/promoted-{source_name}-v{number}")
    artifact, digest = copy.file(container["ModelDataUrl"])
    if facts.get("artifact_digest", digest) != digest:
        raise Refused(
            f"{container['ModelDataUrl']} is not what version {number} was registered with: its SHA-256 is {digest} "
            f"instead of {facts['artifact_digest']}"
        )
    image = target.image or container["Image"]
    made = {name: value for name, value in container.items() if name not in FOUND_OUT}
    sagemaker = target.place.client("sagemaker")
    answer = sagemaker.create_model_package(
        ModelPackageGroupName=target.model_package_group,
        ModelPackageDescription=f"promotion: {reason}"[:1024],
        ModelApprovalStatus=target.approval_status,
        InferenceSpecification=specification | {"Containers": [made | {"ModelDataUrl": artifact, "Image": image}]},
        CustomerMetadataProperties=facts
        | ({"image": image} if "image" in facts else {})
        | {"origin": origin, "artifact_digest": digest, "trigger": "promotion"},
        **{name: copy.reports(version[name]) for name in REPORTS if name in version},
    )
    new = sagemaker.describe_model_package(ModelPackageName=answer["ModelPackageArn"])
    record = {"by": by, "reason": reason, "origin": origin, "artifact_digest": digest}
    uri = _record(target, new, record)
    return Promoted(origin, new["ModelPackageVersion"], target.approval_status, digest, uri)


def _record(target: Target, version: dict[str, Any], facts: dict[str, str]) -> str:
    """Write `<records>/<model>/promotions/<time>-v<version>.json` for the auditor; its URI."""
    now, number = datetime.now(UTC), version["ModelPackageVersion"]
    uri = f"{target.records_uri}promotions/{now:%Y%m%dT%H%M%SZ}-v{number}.json"
    bucket, key = split(uri)
    record = {"time": now.isoformat(), **facts, "ModelPackageArn": version["ModelPackageArn"]}
    body = json.dumps(record | {"ModelPackageVersion": number}, indent=2).encode()
    s3 = target.place.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json", **CHECKED)
    return uri


class _Copy:
    """Copies from one environment's bucket to below `folder` in another's: read as the one, written as the other.

    Encrypted with the target's key, which is its bucket's default.
    """

    def __init__(self, source: Place, target: Place, folder: str) -> None:
        self._from, self._to, self._folder = source.client("s3"), target.client("s3"), folder
        self._done: set[str] = set()

    def file(self, uri: str) -> tuple[str, str]:
        """URI and SHA-256 of the copy of one object."""
        origin, to, digest = _named(uri), self._place_of(uri), hashlib.sha256()
        head, target = self._from.head_object(**origin), _named(to)
        size: int = head["ContentLength"]
        at = origin | {"IfMatch": head["ETag"]}  # every part is one of the same object
        if size <= PART_BYTES:
            content = self._read(at)
            digest.update(content)
            self._to.put_object(**target, Body=content, **CHECKED)
            return to, digest.hexdigest()
        # One that breaks off is tidied by the bucket's lifecycle.
        upload = target | {"UploadId": self._to.create_multipart_upload(**target, **CHECKED)["UploadId"]}
        parts: list[dict[str, Any]] = []
        for number, start in enumerate(range(0, size, PART_BYTES), start=1):
            content = self._read(at | {"Range": f"bytes={start}-{min(start + PART_BYTES, size) - 1}"})
            digest.update(content)
            made = self._to.upload_part(**upload, PartNumber=number, Body=content, **CHECKED)
            parts.append({"PartNumber": number, "ETag": made["ETag"], "ChecksumSHA256": made["ChecksumSHA256"]})
        self._to.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        return to, digest.hexdigest()

    def reports(self, value: Any) -> Any:
        """The same structure with every S3Uri copied, together with what lies beside it: the monitor reads that too."""
        if not isinstance(value, dict):
            return value
        given = cast(dict[str, Any], value)
        if "S3Uri" not in given:
            return {key: self.reports(item) for key, item in given.items()}
        uri: str = given["S3Uri"]
        folder = uri.rpartition("/")[0] + "/"
        if folder not in self._done:
            self._done.add(folder)
            bucket, prefix = split(folder)
            for page in self._from.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    self.file(f"s3://{bucket}/{entry['Key']}")
        return {"ContentType": given["ContentType"], "S3Uri": self._place_of(uri)}

    def _place_of(self, uri: str) -> str:
        # The path below the folder of the training: the copy of a copy lies at the same place again.
        _, key = split(uri)
        return f"{self._folder}/{key.partition('/executions/')[2].partition('/')[2] or key}"

    def _read(self, request: dict[str, str]) -> bytes:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._from.get_object(**request)["Body"].read()
            except (HTTPClientError, IncompleteReadError):  # boto3 tries requests again, but not what a body breaks off
                continue
        return self._from.get_object(**request)["Body"].read()


def _named(uri: str) -> dict[str, str]:
    return dict(zip(("Bucket", "Key"), split(uri), strict=True))


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
