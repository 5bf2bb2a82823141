"""Deletes what a plan names, after the record of it was sent."""

import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.chain import digest
from model_factory.functions.shared.records import Record, RecorderQueue, send_record, send_refusal

from ..project import UsageError
from .plan import Plan, Rewrite, Version

PARALLEL = 16


def forget(plan: Plan, reason: str) -> str:
    """Send the record, then delete; the record's id.

    The record has no personal data: the SHA-256 of what is forgotten, counts, who and why. Safe to repeat: what is gone stays
    gone, and each run has its record. Raises UsageError when the environment has no recorder, and ClientError; then a second
    record says that not all was deleted.
    """
    session = plan.session
    try:
        queue = RecorderQueue.of(session, session.names.prefix)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"):
            raise
        raise UsageError(
            f"{session.environment.name} has no queue of the recorder, so nothing was deleted: deploy the environment first"
        ) from None
    record = Record(
        kind="forgetting", id=uuid.uuid4().hex, model=plan.model, by=session.caller_arn, facts=facts(plan, reason)
    )
    send_record(record, queue)
    try:
        _delete(session.client("s3"), [*plan.versions, *plan.rows])
        for rewrite in plan.rewrites:
            _rewrite(session.client("s3"), rewrite)
    except ClientError as error:
        send_refusal(record, "not all was deleted; the command can be repeated", error, queue)
        raise
    return record.id


def facts(plan: Plan, reason: str) -> Mapping[str, Any]:
    """Facts of the record."""
    return {
        "what": plan.what,
        "sha256": digest(plan.subject.encode()),
        "reason": reason,
        "versions": len(plan.versions),
        "files_of_rows": len(plan.rows),
        "captured_requests": sum(each.requests for each in plan.rewrites),
        "train_again": plan.train_again,
        "trained": plan.trained,
    }


def _delete(s3: Any, versions: Iterable[Version]) -> None:
    """Delete versions one by one: DeleteObjects would need s3:DeleteObject besides s3:DeleteObjectVersion.

    Several keys at a time, but the versions of a key one after the other.
    """
    of_keys: dict[tuple[str, str], list[Version]] = {}
    for version in versions:
        of_keys.setdefault((version.bucket, version.key), []).append(version)

    def delete(of_key: list[Version]) -> None:
        for each in of_key:
            s3.delete_object(Bucket=each.bucket, Key=each.key, VersionId=each.version_id)

    with ThreadPoolExecutor(PARALLEL) as threads:
        list(threads.map(delete, of_keys.values()))


def _rewrite(s3: Any, rewrite: Rewrite) -> None:
    """Write the file without the requests, then delete its earlier versions."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=rewrite.bucket, Prefix=rewrite.key)
    earlier = [
        Version(rewrite.bucket, each["Key"], each["VersionId"])
        for page in pages
        for each in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        if each["Key"] == rewrite.key
    ]
    if rewrite.content:
        s3.put_object(Bucket=rewrite.bucket, Key=rewrite.key, Body=rewrite.content, ContentType="application/jsonlines")
    _delete(s3, earlier)
