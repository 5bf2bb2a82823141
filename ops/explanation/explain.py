"""Explains one captured prediction."""

import tempfile
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.approvals import status_set_by
from model_factory.functions.shared.errors import is_missing

from ..project import EnvironmentSession, UsageError
from . import traffic
from .artifact import Artifact, fetch
from .captures import Captured
from .columns import contributions, plain

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

TOLERANCE = 1e-9
"""A score that is further from the captured one is another score: the last digits may differ between processors."""


@dataclass(frozen=True)
class Column:
    """One column of the record, and what it adds to the score. `error`: standard error, 0 where exact."""

    name: str
    value: Any
    contribution: float
    error: float
    background_error: float


@dataclass(frozen=True)
class Explanation:
    """One explained prediction.

    `attribution`: how the version is known. `score` is the artifact's now, `captured` the answer's, None when answers are not
    captured. `verified`: whether the artifact's SHA-256 is the registered one, False for versions without one. `label`: the class
    whose score it is, None in regression. `why_no_columns`: why there are no contributions. `scale`: what `base`, contributions
    and their sum `total` are: the score, or the log-odds or the raw score that the score, a probability, follows from.
    """

    model: str
    environment: str
    inference_id: str
    record: int
    records: int
    time: datetime
    key: str
    version: int
    attribution: str
    lineage: list[str]
    artifact: str
    artifact_digest: str
    verified: bool
    label: Any
    score: float
    captured: float | None
    method: str = ""
    background: int = 0
    base: float | None = None
    scale: str = "score"
    total: float | None = None
    columns: list[Column] = field(default_factory=list[Column])
    why_no_columns: str = ""
    other_requests: int = 0

    @property
    def distance(self) -> float | None:
        """How far the score now is from the captured one; None without a captured one."""
        return None if self.captured is None else abs(self.score - self.captured)

    @property
    def reproduced(self) -> bool:
        """Whether the score is the captured one, but for the last digits."""
        return self.distance is None or self.distance <= TOLERANCE * max(1.0, abs(self.captured or 0.0))


@dataclass(frozen=True)
class _Scored:
    """A version's own scores of all records of the request."""

    package: dict[str, Any]
    artifact: Artifact
    rows: "pd.DataFrame"
    scores: "np.ndarray"
    captured: "np.ndarray | None"

    @property
    def distance(self) -> float:
        if self.captured is None or self.captured.shape != self.scores.shape:
            return float("inf")
        return float(abs(self.captured - self.scores).max())


def explain(
    session: EnvironmentSession,
    model: str,
    captured: Captured,
    *,
    record: int | None = None,
    version: int | None = None,
    label: str | None = None,
) -> Explanation:
    """Explain one record of a captured request.

    `record`: its number in the request, from 0; needed for requests of several. `version`: where neither answer nor records say
    which one answered. `label`: the class whose score is explained; default: the one with the greatest. Raises UsageError.
    """
    with tempfile.TemporaryDirectory() as temporary:
        scored, attribution = _attribute(session, model, captured, version, Path(temporary))
        number = _record_number(record, len(scored.rows))
        column, name = _class(scored, number, label)
        added = contributions(
            session, scored.package, scored.artifact, scored.rows.iloc[[number]], column, Path(temporary)
        )
    found = Explanation(
        model=model,
        environment=session.environment.name,
        inference_id=captured.inference_id,
        record=number,
        records=len(scored.rows),
        time=captured.time,
        key=captured.key,
        version=scored.package["ModelPackageVersion"],
        attribution=attribution,
        lineage=lineage(scored.package),
        artifact=scored.artifact.source,
        artifact_digest=scored.artifact.digest,
        verified=scored.artifact.verified,
        label=name,
        score=_pick(scored.scores, number, column),
        captured=None if scored.captured is None else _pick(scored.captured, number, column),
        other_requests=captured.others,
    )
    if isinstance(added, str):
        return replace(found, why_no_columns=added)
    row = scored.rows.iloc[number]
    columns = [
        Column(name, plain(row[name]), *map(float, numbers))
        for name, *numbers in zip(scored.rows.columns, added.values, added.error, added.background_error, strict=True)
    ]
    columns.sort(key=lambda each: -abs(each.contribution))
    return replace(
        found,
        method=added.method,
        background=added.background,
        base=added.base,
        scale=added.scale,
        total=added.score,
        columns=columns,
    )


def lineage(package: dict[str, Any]) -> list[str]:
    """Three lines: how the version was trained and approved, its data, its code; `model-factory lineage` has every link."""
    metadata: dict[str, str] = package.get("CustomerMetadataProperties", {})
    described = package.get("ModelPackageDescription") or f"trigger {metadata.get('trigger', 'unknown')}"
    status = package["ModelApprovalStatus"]
    decided = f"{status} by {by}" if (by := status_set_by(package)) else status
    execution = metadata.get("pipeline_execution", "unknown").rpartition("/")[2]
    return [
        f"registered {package['CreationTime']:%Y-%m-%d %H:%M} UTC by execution {execution} ({described}); {decided}",
        f"data {metadata.get('data_digest', 'unknown')}, manifest {metadata.get('data_manifest', 'unknown')}",
        f"code {metadata.get('code_digest', 'unknown')}, commit {metadata.get('git_commit', 'unknown')}, "
        f"image {metadata.get('image', 'unknown')}, seed {metadata.get('seed', 'unknown')}"
        + (f", libraries {metadata['libraries_digest']}" if "libraries_digest" in metadata else ""),
    ]


def _attribute(
    session: EnvironmentSession, model: str, captured: Captured, version: int | None, folder: Path
) -> tuple[_Scored, str]:
    """The scores of the version that answered, and how it is known."""
    if captured.version is not None:
        if version not in (None, captured.version):
            raise UsageError(f"version {captured.version} answered, and not {version}: the captured answer names it")
        return _scored(session, model, captured, captured.version, folder), "named by the captured answer"
    if version is not None:
        return _scored(session, model, captured, version, folder), "given with --version"
    versions = traffic.candidates(captured.time, traffic.intervals(session, model))
    if not versions:
        raise UsageError(
            f"the answer at {captured.time:%Y-%m-%d %H:%M:%S} UTC names no version, and no recorded deployment is before it; "
            "give --version"
        )
    scored = [_scored(session, model, captured, each, folder / str(each)) for each in versions]
    if len(scored) == 1:
        return scored[0], "by the records of deployments"
    equal = [each for each in scored if each.distance <= TOLERANCE]
    if len(equal) == 1:
        shared = " and ".join(map(str, versions))
        return equal[
            0
        ], f"ambiguous by time (versions {shared} shared the traffic); only its scores equal the captured ones"
    raise UsageError(
        f"ambiguous: versions {' and '.join(map(str, versions))} shared the traffic at {captured.time:%Y-%m-%d %H:%M:%S} UTC, "
        f"and the scores of {'both' if equal else 'neither'} equal the captured ones; choose one with --version"
    )


def _scored(session: EnvironmentSession, model: str, captured: Captured, version: int, folder: Path) -> _Scored:
    from model_factory.jobs import answers, payload

    folder.mkdir(exist_ok=True)
    group = session.names.model(model).model_package_group
    arn = session.names.arn("sagemaker", f"model-package/{group}/{version}")
    try:
        package = session.client("sagemaker").describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if not is_missing(error):
            raise
        raise UsageError(f"version {version} of {model} is not in the registry of {session.environment.name}") from None
    artifact = fetch(session, model, package, folder)
    columns = payload.columns_of(artifact.serving["columns"])
    try:
        rows = payload.parse(captured.body, captured.content_type, columns)
    except payload.BadRequest as error:
        raise UsageError(
            f"the captured request cannot be read with the columns of version {version}: {error}"
        ) from None
    answer = None if captured.answer is None else answers.read(captured.answer, captured.answer_type)
    return _Scored(package, artifact, rows, artifact.scores(rows, folder), answer)


def _record_number(record: int | None, records: int) -> int:
    if record is None and records > 1:
        raise UsageError(f"the request has {records} records; choose one with --record 0 to {records - 1}")
    if not 0 <= (record or 0) < records:
        raise UsageError(f"the request has {records} records, numbered from 0; it has no record {record}")
    return record or 0


def _class(scored: _Scored, record: int, label: str | None) -> tuple[int | None, Any]:
    """Column of the scores, None where there is one per record, and the class that it is of."""
    classes = scored.artifact.serving.get("classes")
    if scored.scores.ndim == 1:
        if label is not None and (not classes or label != str(classes[-1])):
            raise UsageError("--class is for models of several classes: the score is that of one")
        return None, classes[-1] if classes else None
    names = classes or list(range(scored.scores.shape[1]))
    if label is None:
        column = int(scored.scores[record].argmax())
    elif label in map(str, names):
        column = list(map(str, names)).index(label)
    else:
        raise UsageError(f"there is no class {label!r}; there are: {', '.join(map(str, names))}")
    return column, names[column]


def _pick(scores: "np.ndarray", record: int, column: int | None) -> float:
    return float(scores[record] if column is None or scores.ndim == 1 else scores[record, column])
