"""Objects of S3 in a lineage: the raw data of a manifest by version id, and files that a training wrote."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.s3 import is_gone, split_uri
from model_factory.jobs.preparation import ingest

from .links import Link, known
from .recorded import Recorded

PARALLEL = 16
"""Objects that are looked up at a time."""


def data(s3: Any, metadata: Mapping[str, str], recorded: Recorded) -> Link:
    """The raw objects of a version, each looked up by its version id.

    `metadata`: the version's own, with the digests that the objects of its manifest must have. A manifest that is gone, or is not
    the one that was registered, is named; then the objects are those of the manifest in the evidence.
    """
    uri, kept = metadata.get("data_manifest", ""), recorded.uri("manifest")
    link = Link("data", "raw data", uri or kept)
    content, problem = read(s3, uri) if uri else (b"", "the version names no manifest")
    registered = recorded.evidence.get("manifest", {}).get("sha256")
    if not problem and registered and (found := hashlib.sha256(content).hexdigest()) != registered:
        problem = f"the manifest is altered: its SHA-256 is {found}, and {registered} was registered"
    if problem and (evidence := recorded.read("manifest")) is not None:
        content, link.id = evidence, kept
        problem += "; the objects below are those of the manifest in the evidence"
    elif not content:
        link.problem = problem
        return link
    try:
        entries: list[dict[str, Any]] = json.loads(content)["objects"]
        differences = list(_differences(entries, metadata))
    except (ValueError, KeyError, TypeError) as error:
        link.problem = problem or f"the manifest is altered: {type(error).__name__} {error}"
        return link
    link.problem = "; ".join([*([problem] if problem else []), *differences])
    link.facts = known(
        objects=len(entries),
        rows=sum(each.get("rows", 0) for each in entries),
        digest=metadata.get("data_digest"),
        content_digest=metadata.get("content_digest"),
    )
    with ThreadPoolExecutor(PARALLEL) as threads:
        link.below = list(threads.map(lambda entry: raw_object(s3, entry), entries))
    for each in link.below:
        if each.problem and (record := recorded.forgotten(each.id.partition("?versionId=")[0])):
            each.facts |= known(forgotten=record.record.get("time"), record=record.key)
            each.problem = record.problem or ""
    return link


def _differences(entries: Sequence[dict[str, Any]], metadata: Mapping[str, str]) -> Iterator[str]:
    """Digests of the version that the objects of its manifest do not have. Earlier releases wrote no content digest."""
    identities = [(each["key"], each["version_id"], each["etag"]) for each in entries]
    found = {"data_digest": ingest.digest_of(identities), "content_digest": None}
    if "content_digest" in metadata:
        found["content_digest"] = ingest.content_digest(each["sha256"] for each in entries)
    for name, value in found.items():
        if value != metadata.get(name):
            yield f"the manifest is altered: its objects have the {name} {value}, the version {metadata.get(name)}"


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
    if not uri:
        link.problem = "neither the registry nor the records say where it is"
        return link
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
