"""The check of a version's artifact: it is the file that Evaluate measured, byte for byte, or the version is refused.

An artifact is code: whoever loads it with joblib runs it. Evaluate writes the SHA-256 of the file that it scored into the
version's metadata as `artifact_digest`; versions of other pipelines may have none.
"""

import base64
import hashlib
import time
from contextlib import closing
from typing import Any

from botocore.exceptions import ClientError

from .s3 import is_gone, split_uri

CHUNK_BYTES = 1 << 20
LONGEST_SECONDS = 90
"""lambda/deploy is ended after 120 seconds."""


class ArtifactError(Exception):
    """The artifact is not the one that was evaluated, or cannot be compared with it; the message has the reason."""

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(reason)
        self.uri = uri


def check_artifact(package: dict[str, Any], s3: Any) -> str | None:
    """Compare the artifact of a described model package with the SHA-256 that was measured at its gate.

    Returns the S3 version id of the object that was compared ("null" in a bucket without versions), None for a version
    without `artifact_digest`. The file is read as a stream: memory does not depend on its size. It is not read where S3 itself
    has a SHA-256 of the whole object, as of artifacts that a promotion copied.

    Raises ArtifactError when it is missing, differs, or cannot be read within LONGEST_SECONDS; ClientError for other errors of
    GetObject.
    """
    measured: str | None = package.get("CustomerMetadataProperties", {}).get("artifact_digest")
    if measured is None:
        return None
    uri: str = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    bucket, key = split_uri(uri)
    try:
        response = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except ClientError as error:
        if not is_gone(error):
            raise
        raise ArtifactError(uri, f"{uri} does not exist") from error
    with closing(response["Body"]) as body:  # its own context manager leaves out the check of the length
        digest = _known_digest(response) or _digest(body, uri, response["ContentLength"])
    if digest != measured:
        raise ArtifactError(uri, mismatch(uri, package["ModelPackageVersion"], digest, measured))
    return response.get("VersionId", "null")


def mismatch(uri: str, version: int, digest: str, measured: str) -> str:
    """The reason for a refusal."""
    return (
        f"{uri} is not the file that version {version} was evaluated with: its SHA-256 is {digest}, "
        f"and the evaluation measured {measured}"
    )


def _known_digest(response: dict[str, Any]) -> str | None:
    """The SHA-256 that S3 computed of the whole object when it was written, as hexadecimal digits.

    S3 API reference, GetObject: of an object that was uploaded in parts, the checksum is one of checksums (`COMPOSITE`).
    """
    if response.get("ChecksumType") != "FULL_OBJECT" or "ChecksumSHA256" not in response:
        return None
    return base64.b64decode(response["ChecksumSHA256"]).hex()


def _digest(body: Any, uri: str, size: int) -> str:
    digest, read, end = hashlib.sha256(), 0, time.monotonic() + LONGEST_SECONDS
    while chunk := body.read(CHUNK_BYTES):
        digest.update(chunk)
        read += len(chunk)
        if time.monotonic() > end:
            reason = f"{uri} could not be compared within {LONGEST_SECONDS} s: {read} of {size} bytes were read"
            raise ArtifactError(uri, reason)
    return digest.hexdigest()
