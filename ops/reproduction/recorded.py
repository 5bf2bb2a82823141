"""What is kept of a version: in the evidence of its registration, or else where its training left it.

A version that was registered before evidence was kept, or whose evidence lacks a file, is found by its model package: the
package's metadata, the definition of its pipeline's execution, and the objects that these name, as long as they exist.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from botocore.exceptions import ClientError

from model_factory.functions.shared import chain
from model_factory.functions.shared.s3 import split_uri

from ..project import EnvironmentSession, UsageError
from ..records.chain import newest, recorded_versions
from ..records.files import FileError, MissingFileError, UnreadableFileError, content
from ..refusals import explain
from . import definition as definitions
from .failures import CannotRebuild

NEEDED = {"definition", "code", "manifest", "artifact"}
"""Without one of these, nothing can be trained again, or nothing be compared with it."""
_TEST = re.compile(r"test/(part-\d+\.parquet)")


@dataclass(frozen=True)
class File:
    """A file of a version, in the account of `session`; `evidence`: it lies in the records bucket under its SHA-256."""

    session: EnvironmentSession
    uri: str
    sha256: str | None = None
    evidence: bool = False


@dataclass(frozen=True)
class Recorded:
    """What a version is trained again from.

    Args:
        model: Name of the model.
        version: Number of the version.
        subject: ARN of the model package; None when it is gone and the record does not name it.
        definition: Definition of the execution that trained it, with the hyperparameters that a tuning job chose.
        code: The zip that its jobs ran.
        manifest: The object versions that it was trained on.
        artifact: Its model.tar.gz.
        test: Its test rows; empty when they are gone.
        report: Content of Prepare's report.json. Default: None, it is gone.
        facts: Facts of its training job. Default: None, none were written.
        image_digest: Digest of the image that its tag meant at the registration. Default: None, not known.
        libraries: Version of each library that one of its jobs loaded, that of the training first. Default: none are known.
    """

    model: str
    version: int
    subject: str | None
    definition: dict[str, Any]
    code: File
    manifest: File
    artifact: File
    test: list[File] = field(default_factory=list[File])
    report: dict[str, Any] | None = None
    facts: dict[str, Any] | None = None
    image_digest: str | None = None
    libraries: dict[str, str] = field(default_factory=dict[str, str])


def find(session: EnvironmentSession, model: str, version: int) -> Recorded:
    """What is kept of a version. Raises CannotRebuild with what is missing, UsageError for a version that never was."""
    files = _Files(session, model)
    record, package = files.registration(version), files.package(version)
    if record is None and package is None:
        raise _unknown(session, model, version)
    found: dict[str, Any] = {
        name: _evidence_file(session, model, each) for name, each in (record or {}).get("evidence", {}).items()
    }
    rows: dict[str, dict[str, Any]] = ((record or {}).get("facts") or {}).get("rows") or {}
    found |= {name: File(session, each["source"], each["sha256"]) for name, each in rows.items() if files.has(each)}
    if package and not found.keys() >= NEEDED:
        found = _left_behind(files, package) | found
    if missing := sorted(NEEDED - found.keys()):
        since = "its registration has no evidence of it" if record else "it was registered before evidence was kept"
        raise CannotRebuild(
            f"version {version} of {model}: {' and '.join(missing)} of its training are gone, and {since}"
        )
    definition, facts = found["definition"], _json_or_none(found.get("train_facts"))
    return Recorded(
        model,
        version,
        (package or {}).get("ModelPackageArn") or (record or {}).get("subject"),
        definitions.with_hyperparameters(read_json(definition) if isinstance(definition, File) else definition, facts),
        found["code"],
        found["manifest"],
        found["artifact"],
        [file for name, file in sorted(found.items()) if _TEST.fullmatch(name)],
        _json_or_none(found.get("report")),
        facts,
        ((record or {}).get("facts") or {}).get("image_digest"),
        _libraries(found),
    )


def _libraries(found: Mapping[str, Any]) -> dict[str, str]:
    """Libraries of all jobs: Prepare needs some that a training does not load."""
    libraries: dict[str, str] = {}
    for name in ("evaluate_facts", "prepare_facts", "train_facts"):
        libraries |= (_json_or_none(found.get(name)) or {}).get("libraries") or {}
    return libraries


def read(file: File) -> bytes:
    """The bytes of a file. Raises CannotRebuild when it is gone, may not be read, or has another SHA-256."""
    bucket, key = split_uri(file.uri)
    try:
        return content(file.session.client("s3"), file.sha256, Bucket=bucket, Key=key)
    except UnreadableFileError as error:
        raise CannotRebuild(explain(cast(ClientError, error.__cause__))) from error
    except MissingFileError as error:
        raise CannotRebuild(f"{file.uri} is gone") from error
    except FileError as error:
        raise CannotRebuild(f"{file.uri} {error}") from error


def read_json(file: File) -> Any:
    """Content of a JSON file. Raises CannotRebuild."""
    return json.loads(read(file))


def _json_or_none(file: File | None) -> Any:
    """Content of a JSON file that nothing is trained from; None when it is gone. Evidence that is gone is named."""
    try:
        return read_json(file) if file else None
    except CannotRebuild:
        if file and file.evidence:
            raise
        return None


def _evidence_file(session: EnvironmentSession, model: str, entry: dict[str, Any]) -> File:
    key = chain.evidence_key(model, entry["sha256"])
    return File(session, f"s3://{session.names.bucket('records')}/{key}", entry["sha256"], evidence=True)


def _left_behind(files: "_Files", package: dict[str, Any]) -> dict[str, Any]:
    """The files of a training that still lie where it wrote them, by the names that evidence has."""
    metadata: dict[str, str] = package.get("CustomerMetadataProperties", {})
    session = files.session
    artifact = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    found: dict[str, Any] = {"artifact": File(session, artifact, metadata.get("artifact_digest"))}
    if origin := metadata.get("origin"):
        return _of_origin(session, files.model, origin) | found
    if manifest := metadata.get("data_manifest"):
        folder = manifest.rpartition("/report/")[0]
        found |= {"manifest": File(session, manifest), "report": File(session, f"{folder}/report/report.json")}
        found |= {f"test/{uri.rpartition('/')[2]}": File(session, uri) for uri in files.list(f"{folder}/test/")}
    if definition := files.definition(metadata.get("pipeline_execution", "")):
        found["definition"] = definition
        found["code"] = File(session, definitions.code_uri(definition), metadata.get("code_digest"))
    return found


def _of_origin(session: EnvironmentSession, model: str, origin: str) -> dict[str, Any]:
    """The files of the version that a promoted version was copied from, in the environment that trained it."""
    group, number = origin.rpartition(":model-package/")[2].split("/")
    project = session.project
    for environment in project.factory.environments:
        names = project.factory.names(environment)
        if names.account == origin.split(":")[4] and names.model(model).model_package_group == group:
            files = _Files(project.environment(environment.name), model)
            package = files.package(int(number))
            return _left_behind(files, package) if package else {}
    raise CannotRebuild(f"it was promoted from {origin}, which is of no environment in factory.yaml")


def _unknown(session: EnvironmentSession, model: str, version: int) -> UsageError:
    from ..operations.versions import list_versions

    numbers = recorded_versions(session, session.names.bucket("records"), model)
    with suppress(UsageError):  # the model's stack was destroyed, and its versions with it
        numbers |= {each["ModelPackageVersion"] for each in list_versions(session, model)}
    near = sorted(numbers, key=lambda each: abs(each - version))[:3]
    there = f"; the nearest are {', '.join(map(str, sorted(near)))}" if near else "; it has no version"
    return UsageError(f"{session.environment.name} has no version {version} of {model}{there}")


@dataclass(frozen=True)
class _Files:
    """Reads what AWS has of the versions of a model; what is gone is None or empty."""

    session: EnvironmentSession
    model: str

    def registration(self, version: int) -> dict[str, Any] | None:
        """The newest record about the registration of a version. Raises CannotRebuild when it is not what was written."""
        entry = newest(self.session, self.session.names.bucket("records"), self.model, "registration", version)
        if entry and entry.problem:
            raise CannotRebuild(
                f"the record of its registration, {entry.key}, is not what was written: {entry.problem}"
            )
        return entry.record if entry else None

    def package(self, version: int) -> dict[str, Any] | None:
        """The described model package."""
        names = self.session.names
        group = names.model(self.model).model_package_group
        arn = names.arn("sagemaker", f"model-package/{group}/{version}")
        return self._or_none(lambda: self.session.client("sagemaker").describe_model_package(ModelPackageName=arn))

    def definition(self, execution_arn: str) -> dict[str, Any] | None:
        """The definition of an execution, which is gone with its pipeline."""
        if not execution_arn:
            return None
        sagemaker = self.session.client("sagemaker")
        described = self._or_none(
            lambda: sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=execution_arn)
        )
        return json.loads(described["PipelineDefinition"]) if described else None

    def has(self, entry: dict[str, Any]) -> bool:
        """Whether a file with rows is still there: rows are not kept, and whoever must forget some deletes them."""
        bucket, key = split_uri(entry["source"])
        s3 = self.session.client("s3")
        return any(each["Key"] == key for each in s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", []))

    def list(self, uri: str) -> list[str]:
        """URIs of the parquet files of a folder."""
        bucket, prefix = split_uri(uri)
        pages = self.session.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        return [f"s3://{bucket}/{key}" for key in keys if key.endswith(".parquet")]

    @staticmethod
    def _or_none(describe: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        from model_factory.functions.shared.errors import is_missing

        try:
            return describe()
        except ClientError as error:
            if not is_missing(error):
                raise
            return None
