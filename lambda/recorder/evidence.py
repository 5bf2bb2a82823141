"""Evidence of a training: what the version was made of, copied into the records bucket before it can be lost.

A file is taken in the version that it had when the training registered it. A version that was written later is no evidence,
and is named.
"""

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from botocore.exceptions import ClientError
from shared.errors import is_missing
from shared.lineage_files import CODE, DEFINITION, TRAIN_OUTPUT, code_uri
from shared.s3 import is_gone, split_uri
from store import ObjectVersion, Store, UnreadableError
from store import entry as file_entry

FILES = {
    "prepare/report/manifest.json": "manifest",
    "prepare/report/report.json": "report",
    "prepare/report/facts.json": "prepare_facts",
    "evaluation/evaluation.json": "evaluation",
    "evaluation/facts.json": "evaluate_facts",
    "prepare/report/inputs.json": "inputs",
}
"""Files below an execution's folder, and their names in a record."""
PREFERRED = {"prepare/report/inputs.json": "prepare/report/manifest.json"}
"""Files that are kept only where the other one is missing: a job that failed has written what it was about to read."""
FOLDERS = {"prepare/test/": "test/", "prepare/baseline/": "baseline/", "evaluation/": "evaluation/"}
"""Folders below it whose files keep their names."""
ROWS = ("test/", "baseline/sample.")
"""Beginnings of the names of files with rows. They are recorded, but not copied: nothing can delete them from a locked bucket
(docs/decisions/0077-rows-are-recorded-and-not-locked.md)."""
REQUIRED = ("code", "definition", "manifest", "report", "evaluation", "artifact")
LARGEST_FACTS = 1 << 20
LARGEST_MANIFEST = 32 << 20
"""Some 100,000 objects. A longer manifest is kept, but has no markers of its objects."""
LARGEST_OUTPUT = 64 << 20
"""Bytes of output.tar.gz that are read to find facts.json: model.py may write more files there."""


@dataclass(frozen=True)
class Sources:
    """Where the files of a training are.

    Args:
        folder: URI of its folder, `s3://<artifacts>/<model>/executions/<id>/`.
        execution: ARN of the pipeline execution. Default: none, as of a version that was registered by hand.
        artifact: URI of model.tar.gz. Default: the training has none, as one that was rejected.
        artifact_digest: Its SHA-256 as Evaluate measured it. Default: not known.
        time: When the files were complete: the registration, or the end of the execution. Default: now.
    """

    folder: str
    execution: str | None = None
    artifact: str | None = None
    artifact_digest: str | None = None
    time: datetime | None = None

    @classmethod
    def of_version(cls, package: Mapping[str, Any]) -> "Sources":
        """The sources of a described model package."""
        metadata: dict[str, str] = package.get("CustomerMetadataProperties", {})
        artifact: str = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        above, found, below = artifact.partition("/executions/")
        folder = f"{above}{found}{below.partition('/')[0]}/" if found else f"{artifact.rpartition('/')[0]}/"
        return cls(
            folder=folder,
            # A promoted version's definition was copied with its files: the execution is in another account.
            execution=None if "origin" in metadata else metadata.get("pipeline_execution"),
            artifact=artifact,
            artifact_digest=metadata.get("artifact_digest"),
            time=package.get("CreationTime"),
        )


@dataclass
class Evidence:
    """What was kept.

    Args:
        files: Entries of a record's `evidence` by name.
        rows: Entries of the files with rows by name, which stay where they are.
        missing: Reasons by name of what could not be kept.
        differences: Sentences about files that are not what they were.
    """

    files: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    rows: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    missing: dict[str, str] = field(default_factory=dict[str, str])
    differences: list[str] = field(default_factory=list[str])
    contents: dict[str, Any] = field(default_factory=dict[str, Any])
    """Facts of jobs and manifest, by name, read from the files."""


def collect(sources: Sources, store: Store, sagemaker: Any) -> Evidence:
    """Keep the files of a training. Safe to repeat: a file that the bucket has is not copied again.

    Raises ClientError for everything but objects that do not exist, such as a permission that is missing: the message has to be
    delivered again, and finally raises an alert.
    """
    evidence = Evidence()
    listed = _Listed(store.s3, sources)
    _keep_files(evidence, listed, store)
    _keep_definition_and_code(evidence, sources, listed, store, sagemaker)
    if sources.artifact:
        _keep_artifact(evidence, sources, listed, store)
    _keep_train_facts(evidence, listed, store)
    for name in REQUIRED:
        if name not in evidence.files and (name != "artifact" or sources.artifact):
            evidence.missing.setdefault(name, f"it is not below {sources.folder}")
    return evidence


class _Listed:
    """All versions of the objects of a training, from one list."""

    def __init__(self, s3: Any, sources: Sources) -> None:
        self._time = sources.time
        self.bucket, self.prefix = split_uri(sources.folder)
        self._versions: dict[str, list[dict[str, Any]]] = {}
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=self.prefix)
        for entry in (entry for page in pages for entry in page.get("Versions", [])):
            self._versions.setdefault(entry["Key"].removeprefix(self.prefix), []).append(entry)

    def __iter__(self) -> Iterator[str]:
        """Names of the objects below the folder, sorted."""
        return iter(sorted(self._versions))

    def versions(self, name: str) -> list[ObjectVersion]:
        """Versions of an object: first the one that was current when the files were complete, then later and earlier ones."""
        entries = sorted(self._versions.get(name, []), key=lambda entry: entry["LastModified"], reverse=True)
        before = [entry for entry in entries if not self._is_later(entry)]
        ordered = [*before[:1], *(entry for entry in entries if entry not in before[:1])]
        return [ObjectVersion(self.bucket, e["Key"], e["VersionId"], e["Size"]) for e in ordered]

    def written_later(self, name: str) -> bool:
        """Whether the object has a version that was written after the files were complete."""
        return any(self._is_later(entry) for entry in self._versions.get(name, []))

    def _is_later(self, entry: Mapping[str, Any]) -> bool:
        return self._time is not None and entry["LastModified"] > self._time


def _keep_files(evidence: Evidence, listed: _Listed, store: Store) -> None:
    for path in listed:
        folder = next((folder for folder in FOLDERS if path.startswith(folder)), None)
        name = FILES.get(path) or (FOLDERS[folder] + path.removeprefix(folder) if folder else None)
        if name is None or (path in PREFERRED and listed.versions(PREFERRED[path])):
            continue
        version = listed.versions(path)[0]
        _note_later(evidence, listed, path)
        _keep(evidence, name, version, store)
        if name.endswith("_facts") or name in ("manifest", "inputs"):
            body = store.s3.get_object(**version.request)["Body"].read(LARGEST_MANIFEST)
            evidence.contents[name] = _parsed(body)


def _keep(evidence: Evidence, name: str, version: ObjectVersion, store: Store) -> None:
    try:
        digest = store.digest(version)
        if name.startswith(ROWS):
            evidence.rows[name] = file_entry(digest, version.size, version.uri, version.version_id)
        else:
            evidence.files[name] = store.copy(version, digest)
    except UnreadableError as error:
        evidence.missing[name] = str(error)


def _note_later(evidence: Evidence, listed: _Listed, path: str) -> None:
    if listed.written_later(path):
        uri = f"s3://{listed.bucket}/{listed.prefix}{path}"
        evidence.differences.append(
            f"{uri} was written again after the training had ended; the earlier version is kept"
        )


def _keep_definition_and_code(
    evidence: Evidence, sources: Sources, listed: _Listed, store: Store, sagemaker: Any
) -> None:
    for path, name in {DEFINITION: "definition", CODE: "code"}.items():
        if versions := listed.versions(path):  # a promotion has brought them
            _keep(evidence, name, versions[0], store)
    if sources.execution is None:
        return
    try:
        described = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=sources.execution)
    except ClientError as error:
        if not is_missing(error):
            raise
        evidence.missing["definition"] = f"{sources.execution} does not exist"
        return
    definition: str = described["PipelineDefinition"]
    evidence.files["definition"] = store.put(definition.encode(), sources.execution)
    if uri := code_uri(_parsed(definition.encode())):
        _keep_code(evidence, uri, store)


def _keep_code(evidence: Evidence, uri: str, store: Store) -> None:
    bucket, key = split_uri(uri)
    try:
        head = store.s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if not is_gone(error):
            raise
        evidence.missing["code"] = f"{uri} does not exist"
        return
    version = ObjectVersion(bucket, key, head.get("VersionId", "null"), head["ContentLength"])
    _keep(evidence, "code", version, store)


def _keep_artifact(evidence: Evidence, sources: Sources, listed: _Listed, store: Store) -> None:
    """Keep the artifact that Evaluate measured: the version with its SHA-256, also when another one was written since."""
    uri = cast(str, sources.artifact)
    versions = listed.versions(split_uri(uri)[1].removeprefix(listed.prefix))
    try:
        digests: list[str] = []
        for version in versions:
            digest = store.digest(version)
            if sources.artifact_digest in (None, digest):
                evidence.files["artifact"] = store.copy(version, digest)
                break
            digests.append(digest)
    except UnreadableError as error:
        evidence.missing["artifact"] = str(error)
        return
    path = split_uri(uri)[1].removeprefix(listed.prefix)
    if versions and (digests or listed.written_later(path)):
        evidence.differences.append(
            f"{uri} was written again: {len(versions)} versions, of which {len(digests)} have another SHA-256 than the "
            f"measured {sources.artifact_digest}"
        )
    if versions and "artifact" not in evidence.files:
        evidence.missing["artifact"] = f"no version of {uri} has the SHA-256 that was measured"


def _keep_train_facts(evidence: Evidence, listed: _Listed, store: Store) -> None:
    """Keep facts.json of the job Train, which SageMaker packs into output.tar.gz."""
    outputs = [path for path in listed if path.startswith("train/") and path.endswith(f"/{TRAIN_OUTPUT}")]
    if not outputs:
        return
    version = listed.versions(outputs[-1])[0]
    _note_later(evidence, listed, outputs[-1])
    body = store.s3.get_object(**version.request)["Body"]
    content = _member(io.BytesIO(body.read(LARGEST_OUTPUT)), "facts.json")
    if content is None:
        evidence.missing["train_facts"] = f"{version.uri} has no facts.json in its first {LARGEST_OUTPUT} bytes"
        return
    evidence.files["train_facts"] = store.put(content, version.uri, version.version_id)
    evidence.contents["train_facts"] = _parsed(content)


def _member(archive: io.BytesIO, name: str) -> bytes | None:
    """Content of the first file `name` of a .tar.gz; None without one."""
    try:
        with tarfile.open(fileobj=archive, mode="r|gz") as opened:
            for member in opened:
                if member.isfile() and member.name.rpartition("/")[2] == name and member.size <= LARGEST_FACTS:
                    found = opened.extractfile(member)
                    return found.read() if found else None
    except (tarfile.TarError, EOFError, OSError):
        return None
    return None


def _parsed(content: bytes) -> dict[str, Any]:
    """A JSON object; empty when it is none, because a job of the user's image may have written it."""
    try:
        parsed: Any = json.loads(content)
    except ValueError:
        return {}
    return cast(dict[str, Any], parsed) if isinstance(parsed, dict) else {}
