"""The job score: predictions of all objects that have none yet, by the live version or by one that a person names.

An object is scored or not; one that cannot be read fails the job in the end, and the others are scored all the same.
"""

import hashlib
import json
import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from .. import s3
from ..failures import JobFailure
from ..s3 import S3Object
from . import predictions, rows, store, version, workers
from .context import Context, Target
from .version import Artifact, Version
from .workers import Workers

NAMESPACE = "ModelFactory"
SHOWN = 3


@dataclass
class Run:
    """What one run does. `scored`: lineage of each object; `failed`: reasons by key; `skipped`: objects scored before."""

    context: Context
    version: Version | None = None
    scored: list[dict[str, Any]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: int = 0
    reason: str = ""

    @property
    def rows(self) -> int:
        """Rows that were scored."""
        return sum(each["rows"] for each in self.scored)

    def report(self) -> dict[str, Any]:
        """report.json."""
        return {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "execution": self.context.execution or None,
            "data": self.context.data_uri,
            "outcome": "failed" if self.reason else "scored" if self.scored else "nothing to score",
            "reason": self.reason or None,
            "version": self.version.number if self.version else None,
            "model_package": self.version.arn if self.version else None,
            "artifact_digest": self.version.artifact_digest if self.version else None,
            "rows": self.rows,
            "skipped": self.skipped,
            "failed": self.failed,
            "objects": self.scored,
        }


def run() -> None:
    """Run the job. Raises JobFailure with the objects that cannot be scored, or when there is no version to score with."""
    now = Run(Context.from_environment())
    try:
        _score_all(now)
    except JobFailure as failure:
        now.reason = str(failure)
        raise
    except Exception as error:
        now.reason = f"{type(error).__name__}: {error}"
        raise
    finally:
        _publish(now)


def _publish(now: Run) -> None:
    """Write report.json and the metric. It is written by the job itself: SageMaker uploads outputs at the end of a job only."""
    bucket, key = s3.split(now.context.report_uri)
    body = json.dumps(now.report(), indent=1).encode()
    s3.client().put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    dimensions = [
        {"Name": "Environment", "Value": now.context.environment},
        {"Name": "Model", "Value": now.context.model_name},
    ]
    data = [{"MetricName": "RowsScored", "Dimensions": dimensions, "Value": float(now.rows)}]
    s3.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    by = f" by version {now.version.number}" if now.version else ""
    print(f"score     {now.rows} rows of {len(now.scored)} objects{by}; {now.skipped} were scored before", flush=True)


def _score_all(now: Run) -> None:
    context = now.context
    sources = [each for each in s3.newest_versions(context.data_uri) if s3.is_data(each.key)]
    if not sources:
        return
    group = context.model_package_group
    found = version.named(group, context.version) if context.version else version.newest_approved(group)
    if found is None:
        raise JobFailure(
            f"no version of {context.model_name} is approved, so nothing scores the {len(sources)} objects below "
            f"{context.data_uri}: `model-factory approve {context.model_name} --env {context.environment}`"
        )
    now.version = found
    targets = [(source, context.target(source, found.number)) for source in sources]
    new = [(source, target) for source, target in targets if not store.scored_already(target)]
    now.skipped = len(targets) - len(new)
    if not new:
        return
    with tempfile.TemporaryDirectory() as temporary:
        artifact = version.unpack(found, Path(temporary))
        refuse = {"INVALID_VALUES": context.settings["serving"]["invalid_values"]}
        number = workers.count(artifact)
        with workers.started(artifact, number, refuse) as processes, ThreadPoolExecutor(number) as threads:
            one = _Scoring(context, found, artifact, processes, number, Path(temporary))
            for (source, _), done in zip(new, threads.map(lambda each: one.score(*each), new), strict=True):
                if isinstance(done, str):
                    now.failed[source.key] = done
                else:
                    now.scored.append(done)
    if now.failed:
        raise JobFailure(_failures(now))


def _failures(now: Run) -> str:
    _, folder = s3.split(now.context.model_uri)
    named = "; ".join(f"{key.removeprefix(f'{folder}/')}: {why}" for key, why in list(now.failed.items())[:SHOWN])
    more = f"; and {len(now.failed) - SHOWN} more" if len(now.failed) > SHOWN else ""
    others = f" The other {len(now.scored)} are scored." if now.scored else ""
    total = len(now.failed) + len(now.scored)
    return f"{len(now.failed)} of {total} objects cannot be scored: {named}{more}.{others}"


@dataclass(frozen=True)
class _Scoring:
    """Scores objects, each in a thread; the batches of all of them share the processes."""

    context: Context
    version: Version
    artifact: Artifact
    processes: Workers
    ahead: int
    folder: Path

    def score(self, source: S3Object, target: Target) -> dict[str, Any] | str:
        """The lineage of the object's predictions, or why it has none."""
        path = self.folder / f"{target.identity}{target.ending}"
        try:
            return self._score(source, target, path)
        except JobFailure as failure:
            return str(failure)
        finally:
            path.unlink(missing_ok=True)

    def _score(self, source: S3Object, target: Target, path: Path) -> dict[str, Any]:
        digest, options = hashlib.sha256(), self.context.options

        def described(count: int = 0) -> dict[str, str]:
            return store.metadata(self.context, self.version, source, digest.hexdigest(), count)

        captured: list[store.Captured] = []
        writer = predictions.Writer(path, options["format"], described)
        try:
            for inputs, kept, scores in self._scored(source, digest):
                ids = predictions.inference_ids(kept, options["id_column"], target.identity, writer.rows)
                table = predictions.table(kept, ids, scores, self.version, self.artifact, labels=options["labels"])
                if not self.context.is_request:
                    captured += store.captured(self.context, self.version, target, writer.rows, inputs, ids, scores)
                writer.add(table)
        finally:
            writer.close()
        for each in captured:
            each.write()
        return store.write(self.context, target, path, described(writer.rows))

    def _scored(self, source: S3Object, digest: Any) -> Iterator[tuple[pa.Table, pa.Table, np.ndarray]]:
        """Batches with their scores, in order; as many as there are processes are scored ahead."""
        kept_names = predictions.kept_columns(self.context)
        waiting: deque[tuple[pa.Table, pa.Table, Future[np.ndarray]]] = deque()
        first_row = 0
        with ThreadPoolExecutor(self.ahead) as threads:
            for inputs, kept in rows.batches(source, self.artifact.columns, kept_names, digest):
                waiting.append((inputs, kept, threads.submit(self.processes.score, inputs, first_row)))
                first_row += len(inputs)
                if len(waiting) > self.ahead:
                    taken = waiting.popleft()
                    yield taken[0], taken[1], taken[2].result()
            while waiting:
                taken = waiting.popleft()
                yield taken[0], taken[1], taken[2].result()
