"""S3: URIs, conditional writes, and objects that do not exist."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from .errors import error_code

_CONDITION_FAILED = ("PreconditionFailed", "ConditionalRequestConflict")
"""S3's codes when the condition of a write does not hold, or another write of the key came between (412 and 409)."""


_GONE = ("NoSuchKey", "NoSuchVersion", "NoSuchBucket", "404", "MethodNotAllowed", "405")
"""S3's codes for an object, or a version of one, that does not exist. HeadObject has no body, so its code is the HTTP status. A
version that is a delete marker is a 405 ('Working with delete markers', S3 user guide)."""


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def has_object(s3: Any, bucket: str, prefix: str) -> bool:
    """Whether a bucket has an object whose key starts with `prefix`. Raises ClientError."""
    return bool(s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents"))


def put_once(s3: Any, bucket: str, key: str, body: bytes, **more: str) -> bool:
    """Write an object unless it exists: whether this call wrote it. `more`: members of PutObject. Raises ClientError."""
    return was_written(
        lambda: s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=body,
            IfNoneMatch="*",
            ChecksumAlgorithm="SHA256",  # S3 requires a checksum where an object lock is set
            **more,
        )
    )


def was_written(write: Callable[[], object]) -> bool:
    """Call `write`, a write with If-None-Match or If-Match: False when its condition did not hold. Raises ClientError."""
    try:
        write()
    except ClientError as error:
        if error_code(error) in _CONDITION_FAILED:
            return False
        raise
    return True


def is_gone(error: ClientError) -> bool:
    """Whether GetObject or HeadObject failed because the object, or this version of it, does not exist."""
    return error_code(error) in _GONE
