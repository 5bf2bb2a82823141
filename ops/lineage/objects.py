"""Objects of S3 in a lineage: the raw data of a manifest by version id, and files that a training wrote."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.s3 import is_gone, split_uri

from .links import Link, known

PARALLEL = 16
"""Objects that are looked up at a time."""


def data(s3: Any, manifest_uri: str, registered_digest: str) -> Link:
    """The raw objects of a version, each looked up by its version id.

    `registered_digest`: the version's `data_digest`, which the objects of the manifest must have.
    """
    link = Link("data", "raw data", manifest_uri)
    if not manifest_uri:
        link.problem = "the version names no manifest"
        return link
    content, link.problem = read(s3, manifest_uri)
    if link.problem:
        return link
    try:
        entries: list[dict[str, Any]] = json.loads(content)["objects"]
        found = _digest(entries)
    except (ValueError, KeyError, TypeError) as error:
        link.problem = f"the manifest is altered: {type(error).__name__} {error}"
        return link
    if found != registered_digest:
        link.problem = f"the manifest is altered: its objects have the digest {found}, the version {registered_digest}"
    link.facts = known(objects=len(entries), rows=sum(each.get("rows", 0) for each in entries), digest=found)
    with ThreadPoolExecutor(PARALLEL) as threads:
        link.below = list(threads.map(lambda entry: raw_object(s3, entry), entries))
    return link


def raw_object(s3: Any, entry: dict[str, Any]) -> Link:
    """One object of a manifest."""
    uri, version = f"s3://{entry['bucket']}/{entry['key']}", entry["version_id"]
    link = Link("object", entry["key"], f"{uri}?versionId={version}")
    link.facts = known(rows=entry.get("rows"), bytes=entry.get("size"), sha256=entry.get("sha256"))
    try:
        head = s3.head_object(Bucket=entry["bucket"], Key=entry["key"], VersionId=version)
    except ClientError as error:
        link.problem = absence(error, "this version of the object")
    else:
        if head["ETag"].strip('"') != str(entry["etag"]).strip('"'):
            link.problem = "this version of the object has another ETag than the manifest says"
    return link


def artifact(s3: Any, uri: str, registered: str | None) -> Link:
    """The artifact of a version; its bytes are compared only by the deployment, the evaluation and the promotion."""
    link = Link("artifact", "model.tar.gz", uri, known(sha256=registered))
    bucket, key = split_uri(uri)
    try:
        head = s3.head_object(Bucket=bucket, Key=key)
        link.facts |= known(bytes=head["ContentLength"], version_id=head.get("VersionId"))
    except ClientError as error:
        link.problem = absence(error, "the artifact")
    return link


def read(s3: Any, uri: str) -> tuple[bytes, str]:
    """Content of an object, and why it has none."""
    bucket, key = split_uri(uri)
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read(), ""
    except ClientError as error:
        return b"", absence(error, f"{uri}")


def absence(error: ClientError, what: str) -> str:
    """The problem of an object that S3 does not give. Raises the error when it says something else."""
    if is_gone(error):
        return f"{what} does not exist any more"
    if (code := error.response["Error"]["Code"]) in ("403", "AccessDenied"):
        message = error.response["Error"].get("Message", "")
        return f"S3 refuses to give {what} ({message or code}); model-factory policy prints the policy that a command needs"
    raise error


def _digest(entries: Sequence[dict[str, Any]]) -> str:
    """`data_digest` of Prepare: SHA-256 over key, version id and ETag of each object, in order."""
    lines = [json.dumps([each["key"], each["version_id"], each["etag"]]) for each in entries]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
