"""Which objects are trained on: the newest partitions of the raw data, or those of a manifest, pinned by version."""

import hashlib
import json
from collections.abc import Iterable

from botocore.exceptions import ClientError

from .. import facts, s3
from ..failures import JobFailure
from ..s3 import S3Object

INPUTS = "inputs.json"


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


def announce(objects: list[S3Object]) -> None:
    """Write the objects that are about to be read to `inputs.json`, beside the manifest that follows.

    A job that fails leaves no manifest, because SageMaker does not promise to upload the outputs of a job that fails; what it has
    read must be known all the same, for instance when an object has to be forgotten. Outside of SageMaker nothing is written.
    """
    if folder := facts.output_uri("report"):
        s3.write_json(f"{folder.rstrip('/')}/{INPUTS}", {"objects": [each.to_dict() for each in objects]})


def _from_manifest(uri: str) -> list[S3Object]:
    fields = ("bucket", "key", "version_id", "etag", "size")
    try:
        return [  # manifests of earlier versions have no sha256
            S3Object(**{name: entry[name] for name in fields}, sha256=entry.get("sha256"))
            for entry in s3.read_json(uri)["objects"]
        ]
    except ClientError as error:
        raise JobFailure(f"the manifest {uri} cannot be read: {error}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise JobFailure(f"{uri} is no manifest of Prepare: {type(error).__name__} {error}") from None


def content_digest(sha256s: Iterable[str]) -> str:
    """SHA-256 over the SHA-256 of all objects, sorted: the same for the same files in every bucket and account."""
    return hashlib.sha256("\n".join(sorted(sha256s)).encode()).hexdigest()


def digest(objects: list[S3Object]) -> str:
    """SHA-256 over key, version id and ETag of each object, in order, as hexadecimal digits."""
    return digest_of((each.key, each.version_id, each.etag) for each in objects)


def digest_of(objects: Iterable[tuple[str, str, str]]) -> str:
    """`digest` of objects by their key, version id and ETag, as a manifest has them."""
    lines = [json.dumps(each) for each in objects]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check_content(source: S3Object, sha256: str) -> None:
    """Raise JobFailure when the bytes that were read are not those that the manifest of `source` names."""
    if source.sha256 not in (None, sha256):
        raise JobFailure(
            f"s3://{source.bucket}/{source.key} (version {source.version_id}) is not the file of the manifest: its SHA-256 is "
            f"{sha256}, and the manifest has {source.sha256}"
        )
