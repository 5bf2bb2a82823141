"""What would be deleted to forget an object of the raw data or a captured request, and what stays."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from model_factory.core.names import ROWS
from model_factory.functions.shared.executions import Execution
from model_factory.functions.shared.s3 import split_uri

from ..explanation import captures
from ..explanation.captures import Range
from ..lineage.forward import NotDeployedError, forward, readings, to_reject, to_train_again
from ..lineage.links import Link
from ..operations.executions import newest_executions
from ..project import EnvironmentSession, Project, UsageError
from ..records.chain import newest
from ..records.schema import facts_of

DERIVED = ("prepare/train/", "prepare/validation/", "prepare/test/", "prepare/baseline/sample.")
"""Folders and files below an execution's folder with rows; those of earlier releases included."""


@dataclass(frozen=True)
class Version:
    """One version of an object, or a delete marker."""

    bucket: str
    key: str
    version_id: str
    deleted: bool = False


@dataclass(frozen=True)
class Rewrite:
    """A file of captured requests without the requests to forget. `content`: what is left; empty: nothing."""

    bucket: str
    key: str
    content: bytes
    requests: int


@dataclass
class Plan:
    """What is deleted in one environment, and what is said about it.

    Args:
        session: The environment.
        model: The model whose chain gets the record.
        what: `object` or `captured request`.
        subject: What is forgotten: an S3 URI, or an inference id. The record has its SHA-256 alone.
        versions: Versions of the object itself.
        rows: Versions of files with rows that trainings derived from it.
        rewrites: Files of captured requests.
        found: What was made from the object, as `lineage --data` has it.
        in_flight: Trainings that have not ended, which may have read the object.
    """

    session: EnvironmentSession
    model: str
    what: str
    subject: str
    versions: list[Version] = field(default_factory=list[Version])
    rows: list[Version] = field(default_factory=list[Version])
    rewrites: list[Rewrite] = field(default_factory=list[Rewrite])
    found: list[Link] = field(default_factory=list[Link])
    in_flight: list[Execution] = field(default_factory=list[Execution])

    @property
    def empty(self) -> bool:
        """Whether there is nothing to delete."""
        return not (self.versions or self.rows or self.rewrites)

    @property
    def train_again(self) -> list[str]:
        """Live versions that were trained on the object."""
        return to_train_again(self.found)

    @property
    def reject(self) -> list[str]:
        """Other approved versions that were trained on it."""
        return to_reject(self.found)

    @property
    def trained(self) -> list[str]:
        """All versions that were trained on it: their artifacts stay."""
        return [each.name for link in self.found for each in link.walk() if each.kind == "version"]


def plan_object(project: Project, uri: str, log: Callable[[str], None]) -> list[Plan]:
    """One plan for each environment that has the object, or rows derived from it; that of the object first.

    `log` gets a line for each environment that is not deployed. Raises NotDeployedError when that of the object is not,
    and UsageError when the URI is of no data bucket, or is a folder.
    """
    owner, model = _owner(project, uri)
    bucket, key = split_uri(uri)
    sessions = [owner, *(each for each in _sessions(project) if each.environment.name != owner.environment.name)]
    plans: list[Plan] = []
    for session in sessions:
        plan = Plan(session, model, "object", uri)
        try:
            plan.found = forward([session], uri)
        except NotDeployedError as error:
            if session is owner:
                raise
            log(str(error))
            continue
        plan.rows = list(_rows(session, uri))
        if session is owner:
            plan.versions = _versions(session, bucket, key, whole=True)
            running = newest_executions(session.client("sagemaker"), session.names.model(model).training_pipeline)
            plan.in_flight = [each for each in map(Execution.of, running) if each.running]
        if session is owner or plan.found or plan.rows:
            plans.append(plan)
    return plans


def plan_request(session: EnvironmentSession, model: str, inference_id: str, within: Range) -> list[Plan]:
    """The plan for all captured requests with this inference id. Raises UsageError when there is none in these hours."""
    captures.find(session, model, inference_id, within)
    plan = Plan(session, model, "captured request", inference_id)
    bucket = session.names.bucket("data")
    for key, content in captures.files_with(session, model, inference_id, within):
        lines = content.splitlines(keepends=True)
        kept = [line for line in lines if not captures.is_of(line, inference_id)]
        if len(kept) < len(lines):
            plan.rewrites.append(Rewrite(bucket, key, b"".join(kept), len(lines) - len(kept)))
    return [plan]


def kept_for(session: EnvironmentSession) -> timedelta | None:
    """How long the records bucket keeps evidence against deletion; None where `removal` is `destroy`."""
    environment = session.environment
    return environment.records_retention if environment.removal == "retain" else None


def _owner(project: Project, uri: str) -> tuple[EnvironmentSession, str]:
    bucket, key = split_uri(uri)
    sessions = {each.names.bucket("data"): each for each in _sessions(project)}
    if bucket not in sessions:
        raise UsageError(
            f"{bucket} is no data bucket of factory.yaml; there are: {', '.join(sessions)}. Delete there what lies elsewhere; "
            "model-factory lineage --data says what was trained on it"
        )
    model, _, rest = key.partition("/")
    if not rest or key.endswith("/"):
        raise UsageError(f"{uri} is no object of a model; write s3://{bucket}/MODEL/raw/…/FILE")
    return sessions[bucket], model


def _sessions(project: Project) -> list[EnvironmentSession]:
    return [project.environment(each.name) for each in project.factory.environments]


def _rows(session: EnvironmentSession, uri: str) -> Iterator[Version]:
    """Versions of the files with rows of every training that read the object."""
    artifacts = session.names.bucket("artifacts")
    seen: set[tuple[str, str]] = set()
    for reading in readings(session, uri):
        execution = f"{reading.model}/executions/{reading.execution}/"
        prefixes = [f"{ROWS}{reading.model}/{reading.execution}/", *(execution + each for each in DERIVED)]
        prefixes += _recorded_rows(session, reading.model, reading.version, artifacts)
        for version in (each for prefix in prefixes for each in _versions(session, artifacts, prefix)):
            if (version.key, version.version_id) not in seen:
                seen.add((version.key, version.version_id))
                yield version


def _recorded_rows(session: EnvironmentSession, model: str, number: int | None, bucket: str) -> Sequence[str]:
    """Keys of the files with rows that the registration's record names: of a promoted version they lie elsewhere."""
    entry = newest(session, session.names.bucket("records"), model, "registration", number) if number else None
    rows: Any = facts_of(entry.record).get("rows") if entry else None
    if not isinstance(rows, dict):
        return []
    sources = [split_uri(str(each["source"])) for each in cast(dict[str, Any], rows).values()]
    return [key for found, key in sources if found == bucket]


def _versions(session: EnvironmentSession, bucket: str, prefix: str, *, whole: bool = False) -> list[Version]:
    """All versions and delete markers below a prefix; `whole`: of the object with this key alone."""
    pages: Iterable[dict[str, Any]] = (
        session.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    )
    found: list[Version] = []
    for page in pages:
        for kind in ("Versions", "DeleteMarkers"):
            entries = [each for each in page.get(kind, []) if each["Key"] == prefix or not whole]
            found += [Version(bucket, each["Key"], each["VersionId"], kind == "DeleteMarkers") for each in entries]
    return found
