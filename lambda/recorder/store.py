"""Files of a model in the records bucket, by their SHA-256: written once, whatever the number of records that name them.

A file is hashed before it is copied, from one version of its object, because its key is its SHA-256 and a locked object
cannot be renamed. S3 then computes the SHA-256 of the copy ('Checking object integrity for data uploads in Amazon S3': the
checksum of CopyObject is that of the whole object; a SHA-256 of an upload in parts is one of checksums, `COMPOSITE`).
"""

import base64
import hashlib
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from shared import chain
from shared.s3 import has_object, was_written

CHUNK_BYTES = 1 << 20
LARGEST_COPY = 5 * 2**30
"""S3 API reference, CopyObject: a larger object is copied in parts."""
PART_BYTES = 2**29


class UnreadableError(Exception):
    """A file cannot become evidence; the message has the reason."""


@dataclass(frozen=True)
class ObjectVersion:
    """One version of an object, as ListObjectVersions gives it; `null` in a bucket without versions."""

    bucket: str
    key: str
    version_id: str
    size: int

    @property
    def uri(self) -> str:
        """Its S3 URI, without the version."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def request(self) -> dict[str, str]:
        """Bucket, Key and VersionId of a request for exactly this version."""
        version = {} if self.version_id == "null" else {"VersionId": self.version_id}
        return {"Bucket": self.bucket, "Key": self.key, **version}


@dataclass(frozen=True)
class Store:
    """Evidence of one model.

    Args:
        s3: Client of S3.
        bucket: The records bucket.
        model: Name of the model.
        seconds_left: How long the invocation may still run.
    """

    s3: Any
    bucket: str
    model: str
    seconds_left: Callable[[], float]

    def put(self, content: bytes, source: str, version_id: str | None = None) -> dict[str, Any]:
        """Keep bytes; their entry in a record's `evidence`. `source`: where they are from, an S3 URI or an ARN."""
        digest = chain.digest(content)
        self._once(
            lambda target: self.s3.put_object(
                **target, Body=content, ChecksumSHA256=base64.b64encode(bytes.fromhex(digest)).decode(), IfNoneMatch="*"
            ),
            digest,
        )
        return entry(digest, len(content), source, version_id)

    def copy(self, version: ObjectVersion, digest: str) -> dict[str, Any]:
        """Keep a version of an object with this SHA-256; its entry in a record's `evidence`.

        Raises UnreadableError when S3 computed another SHA-256 of the copy.
        """
        if version.size > LARGEST_COPY:
            self._once(lambda target: self._copy_in_parts(version, target), digest)
        else:
            self._once(lambda target: self._copy_whole(version, target, digest), digest)
        return entry(digest, version.size, version.uri, version.version_id)

    def digest(self, version: ObjectVersion) -> str:
        """SHA-256 of a version of an object: S3's, where it has one of the whole object, else of its bytes.

        Memory does not depend on its size. Raises UnreadableError when it does not fit into the time that is left.
        """
        response = self.s3.get_object(**version.request, ChecksumMode="ENABLED")
        with closing(response["Body"]) as body:
            if response.get("ChecksumType") == "FULL_OBJECT" and "ChecksumSHA256" in response:
                return base64.b64decode(response["ChecksumSHA256"]).hex()
            return self._digest(body, version)

    def _digest(self, body: Any, version: ObjectVersion) -> str:
        digest, read, end = hashlib.sha256(), 0, time.monotonic() + self.seconds_left()
        while chunk := body.read(CHUNK_BYTES):
            digest.update(chunk)
            read += len(chunk)
            if time.monotonic() > end:
                raise UnreadableError(f"{version.uri}: only {read} of {version.size} bytes could be read in time")
        return digest.hexdigest()

    def _once(self, write: Callable[[dict[str, str]], None], digest: str) -> None:
        """Write a file unless the bucket has it: listed first, so that a repeated message copies nothing."""
        target = {"Bucket": self.bucket, "Key": chain.evidence_key(self.model, digest)}
        if not has_object(self.s3, self.bucket, target["Key"]):
            was_written(lambda: write(target))

    def _copy_whole(self, version: ObjectVersion, target: dict[str, str], digest: str) -> None:
        copied = self.s3.copy_object(
            **target,
            CopySource=version.request,
            ChecksumAlgorithm="SHA256",
            MetadataDirective="REPLACE",  # what a job's role wrote about the object is no evidence
            TaggingDirective="REPLACE",
            IfNoneMatch="*",
        )
        computed = base64.b64decode(copied["CopyObjectResult"]["ChecksumSHA256"]).hex()
        if computed != digest:
            raise UnreadableError(f"{version.uri}: the copy has the SHA-256 {computed}, and {digest} was read")

    def _copy_in_parts(self, version: ObjectVersion, target: dict[str, str]) -> None:
        """The bucket's lifecycle rule removes an upload that is never completed."""
        upload = target | {
            "UploadId": self.s3.create_multipart_upload(**target, ChecksumAlgorithm="SHA256")["UploadId"]
        }
        parts: list[dict[str, Any]] = []
        for number, start in enumerate(range(0, version.size, PART_BYTES), start=1):
            last = min(start + PART_BYTES, version.size) - 1
            part = self.s3.upload_part_copy(
                **upload, PartNumber=number, CopySource=version.request, CopySourceRange=f"bytes={start}-{last}"
            )["CopyPartResult"]
            parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]})
        self.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")


def entry(digest: str, size: int, source: str, version_id: str | None) -> dict[str, Any]:
    """A file as a record's `evidence` names it."""
    return {"sha256": digest, "size": size, "source": source, "version_id": version_id}
