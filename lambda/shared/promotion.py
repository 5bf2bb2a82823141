"""Promotion: register a version of one environment in another, with the same artifact, encrypted with the other's key.

The delivery function and `model-factory promote` both use it. The bytes pass through the caller in parts, because no role has
permissions in both accounts (docs/decisions/0009-promotion-copies-through-the-function.md).
"""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any, Literal, cast

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from .artifacts import mismatch
from .clients import ClientProvider
from .lineage_files import DigestError, copy_lineage
from .records import Record, RecorderQueue, send_record, send_refusal
from .s3 import split_uri

# The size held in memory at a time. S3 accepts 10,000 parts, so an artifact may have 320 GB.
PART_BYTES = 32 * 2**20
READ_ATTEMPTS = 3
# With a checksum S3 rejects an upload that arrives changed.
_CHECKSUM: Any = {"ChecksumAlgorithm": "SHA256"}

_REPORTS = ("ModelMetrics", "DriftCheckBaselines")
"""Parts of a version that refer to objects in S3. They are copied, so that the target reads nothing of another account."""

_OUTPUT_ONLY = ("ModelDataETag", "ImageDigest")
"""Fields of a container that SageMaker adds to its description and does not accept in CreateModelPackage."""


class PromotionError(Exception):
    """The version cannot be promoted; the message has the reason."""


@dataclass(frozen=True)
class Target:
    """A model in the environment that receives the version, and the queue of that environment's recorder.

    `image`: URI of the container image in the target's region; default: the version's own.
    """

    environment: ClientProvider
    model_package_group: str
    artifacts_uri: str
    recorder: RecorderQueue
    model: str
    approval_status: Literal["Approved", "PendingManualApproval"]
    image: str | None = None


@dataclass(frozen=True)
class Promoted:
    """The new version; `origin` is the ARN of the model package that it was copied from; `record` the id of
    the promotion's record."""

    origin: str
    version: int
    approval_status: str
    artifact_digest: str
    record: str


def promote(
    package: dict[str, Any],
    source: ClientProvider,
    source_name: str,
    target: Target,
    *,
    by: str,
    reason: str,
    evidence_uri: str | None = None,
) -> Promoted:
    """Copy the files of a described model package, record who promotes it and why, and register it in `target`.

    The record is sent first: where the approval is automatic, the registration deploys the version. It has the version's number
    in the source, and the new version's metadata names its id as `promotion_record`.

    `evidence_uri`: folder of the model's evidence in the source. Default: None, it is not used.

    Raises PromotionError when the artifact's SHA-256 differs from the registered one; then nothing is written.
    """
    container = package["InferenceSpecification"]["Containers"][0]
    registered: str | None = package.get("CustomerMetadataProperties", {}).get("artifact_digest")
    number = package["ModelPackageVersion"]
    copy = _Copy(source, target.environment, f"{target.artifacts_uri}executions/promoted-{source_name}-v{number}")
    try:
        artifact_uri, digest = copy.file(container["ModelDataUrl"], registered)
    except DigestError as error:
        raise PromotionError(mismatch(container["ModelDataUrl"], number, str(error), registered or "")) from error
    sagemaker = target.environment.client("sagemaker")
    reports = {name: copy.reports(package[name]) for name in _REPORTS if name in package}
    lineage = copy_lineage(package, source, copy, evidence_uri)
    origin = package["ModelPackageArn"]
    facts = {
        "reason": reason,
        "origin": origin,
        "artifact_digest": digest,
        "registered_in": target.model_package_group,
        "approval_status": target.approval_status,
    }
    record = Record("promotion", uuid.uuid4().hex, target.model, version=number, subject=origin, by=by, facts=facts)
    send_record(record, target.recorder)
    request = _create_request(package, target, artifact_uri, digest, reason, record.id)
    request["CustomerMetadataProperties"] |= lineage
    try:
        created = sagemaker.create_model_package(**request, **reports)
    except ClientError as error:
        send_refusal(record, "the version was not registered", error, target.recorder)
        raise
    promoted = sagemaker.describe_model_package(ModelPackageName=created["ModelPackageArn"])
    return Promoted(origin, promoted["ModelPackageVersion"], target.approval_status, digest, record.id)


def _create_request(
    package: dict[str, Any], target: Target, artifact_uri: str, digest: str, reason: str, record: str
) -> dict[str, Any]:
    """CreateModelPackage without the reports: the version's own specification and metadata, with the copied artifact."""
    specification = package["InferenceSpecification"]
    container = {name: value for name, value in specification["Containers"][0].items() if name not in _OUTPUT_ONLY}
    image = target.image or container["Image"]
    metadata: dict[str, str] = package.get("CustomerMetadataProperties", {})
    if "image" in metadata:
        metadata = metadata | {"image": image}
    return {
        "ModelPackageGroupName": target.model_package_group,
        "ModelPackageDescription": f"promotion: {reason}"[:1024],
        "ModelApprovalStatus": target.approval_status,
        "InferenceSpecification": specification
        | {"Containers": [container | {"ModelDataUrl": artifact_uri, "Image": image}]},
        "CustomerMetadataProperties": metadata
        | {
            "origin": package["ModelPackageArn"],
            "artifact_digest": digest,
            "trigger": "promotion",
            "promotion_record": record,
        },
    }


class _Copy:
    """Copies objects of one environment to below `folder` in another: read by the source, written by the target.

    The target's bucket encrypts with the target's key by default.
    """

    def __init__(self, source: ClientProvider, target: ClientProvider, folder: str) -> None:
        self._source, self._target, self._folder = source.client("s3"), target.client("s3"), folder
        self._copied: dict[str, str] = {}
        """SHA-256 by URI: reports and lineage name some files twice."""

    def file(self, uri: str, expected: str | None = None, to: str = "") -> tuple[str, str]:
        """URI and SHA-256 of the copy of one object; `to`: its path below the folder, by default that of the source.

        Raises DigestError when the SHA-256 is not the `expected` one; the copy of an earlier promotion stays as it is.
        """
        source, copy_uri = _bucket_and_key(uri), f"{self._folder}/{to}" if to else self._copy_uri(uri)
        if copy_uri in self._copied:
            return copy_uri, self._copied[copy_uri]
        target = _bucket_and_key(copy_uri)
        head = self._source.head_object(**source)
        size: int = head["ContentLength"]
        unchanged = source | {"IfMatch": head["ETag"]}  # all parts are read from the same version of the object
        if size > PART_BYTES:
            digest = self._in_parts(unchanged, size, target, expected)
        else:
            content = self._read(unchanged)
            digest = _checked(hashlib.sha256(content).hexdigest(), expected)
            self._target.put_object(**target, Body=content, **_CHECKSUM)
        self._copied[copy_uri] = digest
        return copy_uri, digest

    def write(self, path: str, content: bytes) -> None:
        """Write an object below the folder."""
        self._target.put_object(**_bucket_and_key(f"{self._folder}/{path}"), Body=content, **_CHECKSUM)

    def _in_parts(self, source: dict[str, str], size: int, target: dict[str, str], expected: str | None) -> str:
        """Copy by multipart upload; the SHA-256. The bucket's lifecycle rule removes an upload that is never completed."""
        digest = hashlib.sha256()
        upload = target | {"UploadId": self._target.create_multipart_upload(**target, **_CHECKSUM)["UploadId"]}
        parts: list[dict[str, Any]] = []
        for number, start in enumerate(range(0, size, PART_BYTES), start=1):
            content = self._read(source | {"Range": f"bytes={start}-{min(start + PART_BYTES, size) - 1}"})
            digest.update(content)
            part = self._target.upload_part(**upload, PartNumber=number, Body=content, **_CHECKSUM)
            parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]})
        checked = _checked(digest.hexdigest(), expected)
        self._target.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        return checked

    def reports(self, value: Any) -> Any:
        """The same structure with every S3Uri copied, together with the other objects of its folder: the monitor reads them."""
        if not isinstance(value, dict):
            return value
        content = cast(dict[str, Any], value)
        if "S3Uri" not in content:
            return {key: self.reports(item) for key, item in content.items()}
        uri: str = content["S3Uri"]
        bucket, prefix = split_uri(uri.rpartition("/")[0] + "/")
        for page in self._source.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                self.file(f"s3://{bucket}/{entry['Key']}")
        return {"ContentType": content["ContentType"], "S3Uri": self._copy_uri(uri)}

    def _copy_uri(self, uri: str) -> str:
        # The path below the execution's folder stays, so the copy of a copy has the same path again.
        _, key = split_uri(uri)
        return f"{self._folder}/{key.partition('/executions/')[2].partition('/')[2] or key}"

    def _read(self, request: dict[str, str]) -> bytes:
        for _ in range(READ_ATTEMPTS - 1):
            try:
                return self._source.get_object(**request)["Body"].read()
            except (HTTPClientError, IncompleteReadError):  # boto3 retries requests, but not a body that breaks off
                continue
        return self._source.get_object(**request)["Body"].read()


def _checked(digest: str, expected: str | None) -> str:
    if expected not in (None, digest):
        raise DigestError(digest)
    return digest


def _bucket_and_key(uri: str) -> dict[str, str]:
    return dict(zip(("Bucket", "Key"), split_uri(uri), strict=True))
