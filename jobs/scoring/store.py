"""Writes the predictions of an object: one object in S3, which is there as a whole or not at all, and its lineage.

PutObject with If-None-Match writes a key once (S3 user guide, 'How to prevent object overwrites with conditional writes'): of two
runs that score the same object at the same time, one writes. The object's metadata say what it was made of, so that the lineage
is that of the object that is there.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from .. import s3
from ..evaluation.champion import file_digest
from ..monitoring.predictions import record_keys
from ..s3 import S3Object
from .context import Context, Target
from .version import Version

MEDIA_TYPES = {".parquet": "application/vnd.apache.parquet", ".csv": "text/csv", ".jsonl": "application/jsonlines"}
EXISTS = ("PreconditionFailed", "ConditionalRequestConflict")
INPUT, SCORE = "input:", "score:"
"""Beginnings of the names of columns in captured rows."""


def scored_already(target: Target) -> bool:
    """Whether the object's predictions and their lineage exist.

    A listing: without permission to list the whole bucket, S3 answers 403 for an object that does not exist.
    """
    found = {entry["Key"] for entry in s3.below(f"s3://{target.bucket}/{target.folder}/_lineage/{target.stem}.json")}
    return target.lineage_key in found


def metadata(context: Context, version: Version, source: S3Object, digest: str, rows: int) -> dict[str, str]:
    """What an object of predictions was made of, as S3's user metadata: printable ASCII, at most 2 KB."""
    return {
        "version": str(version.number),
        "artifact-digest": version.artifact_digest or "",
        "execution": context.execution,
        "input": quote(source.key),
        "input-version-id": source.version_id,
        "input-sha256": digest,
        "rows": str(rows),
        "scored": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def write(context: Context, target: Target, path: Path, described: dict[str, str]) -> dict[str, Any]:
    """Write the predictions in the file `path`, and their lineage; the lineage, as `lineage` describes it."""
    with path.open("rb") as body:
        _once(target.bucket, target.key, body, MEDIA_TYPES[target.ending], described)
    written = s3.client().head_object(Bucket=target.bucket, Key=target.key)
    content = lineage(context, target, written, file_digest(path) if written["Metadata"] == described else None)
    s3.write_json(f"s3://{target.bucket}/{target.lineage_key}", content)
    return content


def lineage(context: Context, target: Target, written: dict[str, Any], digest: str | None) -> dict[str, Any]:
    """The lineage of predictions from their object, as HeadObject describes it; docs/reference/contracts.md has its members."""
    given = written["Metadata"]
    return {
        "model": context.model_name,
        "environment": context.environment,
        "model_package_group": context.model_package_group,
        "version": int(given["version"]),
        "artifact_digest": given["artifact-digest"] or None,
        "execution": given["execution"] or None,
        "scored": given["scored"],
        "rows": int(given["rows"]),
        "input": {
            "bucket": target.bucket,
            "key": unquote(given["input"]),
            "version_id": given["input-version-id"],
            "sha256": given["input-sha256"],
        },
        "predictions": {
            "bucket": target.bucket,
            "key": target.key,
            "version_id": written.get("VersionId", "null"),
            "size": written["ContentLength"],
            "sha256": digest,
        },
    }


@dataclass(frozen=True)
class Captured:
    """Rows and scores of a batch for the monitor, compressed in memory until the whole object is scored."""

    bucket: str
    key: str
    body: bytes

    def write(self) -> None:
        """Write the object unless it exists."""
        _once(self.bucket, self.key, self.body, MEDIA_TYPES[".parquet"], {})


def captured(
    context: Context,
    version: Version,
    target: Target,
    first_row: int,
    rows: pa.Table,
    ids: Sequence[str],
    scores: np.ndarray,
) -> list[Captured]:
    """The batch's rows and scores, where the monitor reads captured requests; `serving.capture_percent` of them."""
    keys = record_keys(ids, np.zeros(len(ids), "int64"))
    chosen = np.flatnonzero(keys % np.uint64(100) < np.uint64(context.settings["serving"]["capture_percent"]))
    if not len(chosen):
        return []
    columns: dict[str, Any] = {f"{INPUT}{name}": rows.column(name).take(chosen) for name in rows.column_names}
    columns["id"] = pa.array(ids, pa.string()).take(chosen)
    width = scores.reshape(len(scores), -1)[chosen]
    columns |= {f"{SCORE}{index}": width[:, index] for index in range(width.shape[1])}
    known = {"version": str(version.number), "seconds": str(int(datetime.now(UTC).timestamp()))}
    body = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata(known), body, compression="zstd")
    bucket, folder = s3.split(context.model_uri)
    key = f"{folder}/captured/{context.endpoint}/batch/{target.identity}-{first_row:012}.parquet"
    return [Captured(bucket, key, body.getvalue())]


def _once(bucket: str, key: str, body: Any, media_type: str, described: dict[str, str]) -> None:
    """Write an object unless it exists."""
    try:
        s3.client().put_object(
            Bucket=bucket, Key=key, Body=body, ContentType=media_type, Metadata=described, IfNoneMatch="*"
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in EXISTS:
            raise
