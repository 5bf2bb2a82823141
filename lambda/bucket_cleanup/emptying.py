"""Deletes every version of every object of a bucket that is marked for it, after closing the bucket for writers."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from shared.clients import client

TAG = "model-factory:delete-objects"
"""Tag of the buckets whose objects may be deleted; an update that retains the bucket removes it first."""
STACK_TAG = "aws:cloudformation:stack-id"
"""Tag that CloudFormation gives to the buckets that it creates ('CloudFormation resource tagging'); nobody can change it."""
AGAIN = ("InternalError", "ServiceUnavailable", "SlowDown")
"""Codes of S3 for versions that DeleteObjects can delete later."""
PAUSE_SECONDS = 1
RESPONSE_RESERVE_MILLISECONDS = 25_000
"""Time that is kept for the response to CloudFormation."""
MISSING = ("NoSuchBucket", "NoSuchTagSet", "NoSuchBucketPolicy")
# Many deletions at once are throttled more than a single call.
_client = partial(client, max_attempts=8)


def empty(bucket: str, stack: str, remaining_milliseconds: Callable[[], int]) -> int:
    """Delete all versions and delete markers, also those that are added meanwhile; their number. Safe to repeat.

    Deletes nothing in a bucket that does not exist, has no tag, or is of another stack than `stack` (its ARN): Lambda may deliver
    an event again after the stack, and its bucket, were created anew. Raises TimeoutError when the time is over, and RuntimeError
    when S3 refuses a deletion, such as that of a locked version.
    """
    s3 = _client("s3")
    found = _if_exists(s3.get_bucket_tagging, Bucket=bucket)
    tags = {each["Key"]: each["Value"] for each in found["TagSet"]} if found else {}
    if tags.get(TAG) != "true" or tags.get(STACK_TAG, stack) != stack:
        return 0
    _refuse_writes(s3, bucket)
    deleted, listed = 0, True
    while listed:  # until a list shows that the bucket is empty
        listed = False
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            if versions := [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                if remaining_milliseconds() < RESPONSE_RESERVE_MILLISECONDS:
                    raise TimeoutError(
                        f"bucket {bucket} has more objects, {deleted} are deleted; delete the stack again"
                    )
                deleted, listed = deleted + _delete(s3, bucket, versions), True
    return deleted


def _delete(s3: Any, bucket: str, versions: Sequence[Mapping[str, str]]) -> int:
    """Delete a page of versions; the number of those that are deleted. Raises RuntimeError when S3 refuses one."""
    objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions]
    errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True}).get("Errors", [])
    for each in errors:
        if each["Code"] not in AGAIN:
            raise RuntimeError(f"{each['Key']} in {bucket}: {each['Code']}: {each.get('Message', '')}")
    if errors:
        time.sleep(PAUSE_SECONDS)
    return len(objects) - len(errors)


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
