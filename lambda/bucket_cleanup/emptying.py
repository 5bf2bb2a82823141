"""Deletes every version of every object of a bucket that is marked for it, after closing the bucket for writers."""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from shared.clients import client

TAG = "model-factory:delete-objects"
"""Tag of the buckets whose objects may be deleted; an update that retains the bucket removes it first."""
RESPONSE_RESERVE_MILLISECONDS = 25_000
"""Time that is kept for the response to CloudFormation."""
MISSING = ("NoSuchBucket", "NoSuchTagSet", "NoSuchBucketPolicy")
# Many deletions at once are throttled more than a single call.
_client = partial(client, max_attempts=8)


def empty(bucket: str, remaining_milliseconds: Callable[[], int]) -> int:
    """Delete all versions and delete markers; their number. Safe to repeat.

    Deletes nothing in a bucket without the tag, or that does not exist. Raises TimeoutError when the time is over, and
    RuntimeError when S3 refuses a deletion, such as that of a locked version.
    """
    s3 = _client("s3")
    tags = _if_exists(s3.get_bucket_tagging, Bucket=bucket)
    if not tags or {"Key": TAG, "Value": "true"} not in tags["TagSet"]:
        return 0
    _refuse_writes(s3, bucket)
    deleted = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not versions:
            continue
        if remaining_milliseconds() < RESPONSE_RESERVE_MILLISECONDS:
            raise TimeoutError(f"bucket {bucket} has more objects, {deleted} are deleted; delete the stack again")
        objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        if errors := answer.get("Errors"):
            raise RuntimeError(f"{errors[0]['Key']} in {bucket}: {errors[0]['Code']}: {errors[0].get('Message', '')}")
        deleted += len(objects)
    return deleted


def _refuse_writes(s3: Any, bucket: str) -> None:
    """S3 delivers access logs for hours after the last request: new ones would make the bucket's deletion fail."""
    existing = _if_exists(s3.get_bucket_policy, Bucket=bucket)
    policy: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    if existing:
        policy = json.loads(existing["Policy"])
    arn = f"arn:{s3.meta.partition}:s3:::{bucket}/*"
    deny = {"Sid": "Deleting", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": arn}
    kept = [each for each in policy["Statement"] if each.get("Sid") != deny["Sid"]]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**policy, "Statement": [*kept, deny]}))


def _if_exists(call: Callable[..., Any], **request: Any) -> Any:
    """The response of `call`; None when what it reads does not exist."""
    try:
        return call(**request)
    except ClientError as error:
        if any(code in str(error) for code in MISSING):
            return None
        raise
