"""Markers that say which trainings read an object: empty objects, so that one list answers what an object has touched."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared.chain import lineage_key
from shared.s3 import put_once

PARALLEL = 16
"""Markers that are written at a time: a training may read thousands of objects."""


def write_markers(
    s3: Any, bucket: str, objects: Iterable[Mapping[str, Any]], *, model: str, execution: str, version: int | None
) -> int:
    """Write the marker of each object of a manifest, unless it exists; their number.

    Args:
        s3: Client of S3.
        bucket: The records bucket.
        objects: `objects` of manifest.json; an entry without bucket, key and version is left out.
        model: Name of the model.
        execution: Id of the pipeline's execution.
        version: The version that it registered. None: none.

    Raises ClientError.
    """
    keys = {
        lineage_key(f"s3://{each['bucket']}/{each['key']}", str(each["version_id"]), model, execution, version)
        for each in objects
        if {"bucket", "key", "version_id"} <= set(each)
    }

    def write(key: str) -> None:
        put_once(s3, bucket, key, b"")

    with ThreadPoolExecutor(PARALLEL) as threads:
        list(threads.map(write, sorted(keys)))
    return len(keys)
