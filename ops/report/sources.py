"""What the report of a model is made from: its state, versions, evaluation, data and monitor runs, read from AWS."""

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from model_factory.config import ModelConfig
from model_factory.functions.shared.s3 import split_uri

from ..lineage.objects import absence
from ..operations.facts import PARALLEL, ModelFacts, read_environment
from ..operations.status import ModelStatus, judge
from ..project import EnvironmentSession

VERSIONS = 10
"""Versions of a model that the report shows, the newest first."""
RUNS = 14
"""Monitor runs whose drift the report shows, and runs that scored files."""

type Document = dict[str, Any]


@dataclass(frozen=True)
class ModelReport:
    """One model in one environment.

    Args:
        status: Its state, as `model-factory status` shows it.
        config: Its model.yaml in the repository; None when the repository does not have it.
        settings: Its settings in the environment.
        endpoint_since: When the endpoint was changed last.
        live: Described model package that is live, or the newest one; None before the first.
        versions: Described model packages, the newest first.
        documents: JSON files of `live` by name: evaluation, importance, explanation, report, columns; `report_before` is the
            report of the version before it.
        runs: Reports of the newest monitor runs, the oldest first.
        scorings: Reports of the newest runs that scored files, the newest first.
        missing: Documents that could not be read, and why.
    """

    status: ModelStatus
    config: ModelConfig | None
    settings: Document
    endpoint_since: datetime | None = None
    live: Document | None = None
    versions: list[Document] = field(default_factory=list[Document])
    documents: dict[str, Document] = field(default_factory=dict[str, Document])
    runs: list[Document] = field(default_factory=list[Document])
    scorings: list[Document] = field(default_factory=list[Document])
    missing: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def key(self) -> str:
        """Fragment of the page's address that leads to this model."""
        return f"{self.status.environment}-{self.status.model}"

    def document(self, name: str) -> Document:
        """The document called `name`; empty when there is none."""
        return self.documents.get(name, {})


def read_reports(
    sessions: Iterable[EnvironmentSession], models: Sequence[str], now: datetime, log: Callable[[str], None]
) -> list[ModelReport]:
    """The reports of these models (empty: all) in each environment; `log` gets a line for each. Raises ClientError."""
    found: list[ModelReport] = []
    for session in sessions:
        facts = [each for each in read_environment(session, models) if each.settings is not None]
        log(f"{session.environment.name}: {len(facts)} models")
        with ThreadPoolExecutor(PARALLEL) as threads:
            found += threads.map(lambda each, session=session: _read(session, each, now), facts)
    return found


def _read(session: EnvironmentSession, facts: ModelFacts, now: datetime) -> ModelReport:
    sagemaker = session.client("sagemaker")
    arns = [each["ModelPackageArn"] for each in facts.versions[:VERSIONS]]
    versions = [sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns]
    live = facts.live or (versions[0] if versions else None)
    files = _Files(session)
    uris = _uris(live) if live else {}
    before = version_before(live, versions)
    if before and (uri := _uris(before).get("report")):
        uris["report_before"] = uri
    documents = {name: files.read(name, uri) for name, uri in uris.items()}
    runs = files.runs(facts.model)
    return ModelReport(
        status=judge(facts, now),
        config=session.project.models.get(facts.model),
        settings=dict(facts.settings or {}),
        endpoint_since=facts.endpoint["LastModifiedTime"] if facts.endpoint else None,
        live=live,
        versions=versions,
        documents={name: content for name, content in documents.items() if content is not None},
        runs=runs,
        scorings=files.scorings(facts.model),
        missing=files.missing,
    )


def version_before(live: Document | None, versions: Sequence[Document]) -> Document | None:
    """The version before `live`, of described versions from new to old."""
    if live is None:
        return None
    return next((each for each in versions if each["ModelPackageVersion"] < live["ModelPackageVersion"]), None)


def _uris(package: Document) -> dict[str, str]:
    """URIs of the documents of a version, from its metrics and baselines."""
    quality = package.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {}).get("S3Uri", "")
    data = package.get("DriftCheckBaselines", {}).get("ModelDataQuality", {}).get("Statistics", {}).get("S3Uri", "")
    metadata = package.get("CustomerMetadataProperties", {})
    evaluation, baseline = quality.rpartition("/")[0], data.rpartition("/")[0]
    uris = (
        {name: f"{evaluation}/{name}.json" for name in ("evaluation", "importance", "explanation")} if quality else {}
    )
    uris |= {"columns": f"{baseline}/columns.json"} if data else {}
    manifest = metadata.get("data_manifest", "")
    return uris | ({"report": f"{manifest.rpartition('/')[0]}/report.json", "manifest": manifest} if manifest else {})


class _Files:
    """Reads JSON files, and keeps the reasons of those that could not be read."""

    def __init__(self, session: EnvironmentSession) -> None:
        self._s3, self._names = session.client("s3"), session.names
        self.missing: dict[str, str] = {}

    def read(self, name: str, uri: str) -> Document | None:
        """The JSON object at `uri`; None when there is none, which `missing` then says."""
        bucket, key = split_uri(uri)
        try:
            return json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except ClientError as error:
            self.missing[name] = absence(error, uri)
        except ValueError as error:
            self.missing[name] = f"{uri} is no JSON: {error}"
        return None

    def runs(self, model: str) -> list[Document]:
        """Reports of the newest monitor runs, the oldest first."""
        found = self._newest("monitor run", f"{model}/monitor/", "/report/report.json")
        return sorted(found, key=lambda each: datetime.fromisoformat(each["scheduled_time"]).astimezone(UTC))

    def scorings(self, model: str) -> list[Document]:
        """Reports of the newest runs that scored files, the newest first."""
        return self._newest("scoring run", f"{model}/scoring/", "/report.json")[::-1]

    def _newest(self, name: str, prefix: str, ending: str) -> list[Document]:
        """The newest JSON files of a folder of the artifacts bucket with an ending, the oldest first."""
        bucket = self._names.bucket("artifacts")
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        entries = [each for page in pages for each in page.get("Contents", []) if each["Key"].endswith(ending)]
        newest = sorted(entries, key=lambda each: each["LastModified"])[-RUNS:]
        read = [self.read(name, f"s3://{bucket}/{each['Key']}") for each in newest]
        return [each for each in read if each]
