"""Which objects are trained on: the newest partitions of the raw data, or those of a manifest, pinned by version."""

import hashlib
import json

from botocore.exceptions import ClientError

from .. import s3
from ..failures import JobFailure
from ..s3 import S3Object


def choose(raw_uri: str, window: int | None, manifest_uri: str = "") -> list[S3Object]:
    """The objects to train on, by key: those of a manifest of prepare, or the newest `window` partitions (None: all).

    Raises JobFailure when there are none, or the manifest cannot be read.
    """
    if manifest_uri:
        return _from_manifest(manifest_uri)
    objects = [each for each in s3.newest_versions(raw_uri) if s3.is_data(each.short)]
    if not objects:
        raise JobFailure(f"there is no data below {raw_uri}; put files into {raw_uri}dt=<date>/")
    partitions = sorted({each.partition for each in objects})
    newest = set(partitions[-window:]) if window else set(partitions)
    return sorted((each for each in objects if each.partition in newest), key=lambda each: each.key)


def _from_manifest(uri: str) -> list[S3Object]:
    fields = ("bucket", "key", "version_id", "etag", "size")
    try:
        return [S3Object(**{name: entry[name] for name in fields}) for entry in s3.read_json(uri)["objects"]]
    except ClientError as error:
        raise JobFailure(f"the manifest {uri} cannot be read: {error}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise JobFailure(f"{uri} is no manifest of Prepare: {type(error).__name__} {error}") from None


def digest(objects: list[S3Object]) -> str:
    """SHA-256 over key, version id and ETag of each object, in order, as hexadecimal digits."""
    lines = [json.dumps([each.key, each.version_id, each.etag]) for each in objects]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
