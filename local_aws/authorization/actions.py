"""Which permissions an API call needs: [(action, resource, extra condition keys)].

One rule covers nearly every call: the action has the operation's name, and its resources come from the service
authorization reference, their ARNs filled from the call's parameters. The documented exceptions are listed here:
S3's names (S3 user guide, "Required permissions for Amazon S3 API operations"), batches, tags on creation, passing
a role, and the key of encrypted buckets, queues and topics (KMS developer guide, "Using encryption with AWS services").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from local_aws.authorization import arns, encryption
from local_aws.authorization.principals import role_tags
from local_aws.authorization.reference import action_name
from local_aws.authorization.requests import Call, UnknownCallError
from local_aws.authorization.resources import PARTITION, object_exists

ROLE_ARN = re.compile(r"arn:aws:iam::\d{12}:role/.+")
ALWAYS_ALLOWED = {"sts:GetCallerIdentity"}  # even under an explicit deny, by its API reference

# S3 operations whose action has another name.
S3_ACTIONS: dict[str, str] = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
}
OTHER_ACTIONS = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeWithResponseStream"): "InvokeFunction",
}
# An S3 write that also sets one of these needs the permission to set it alone.
S3_ALSO = {
    "Tagging": "PutObjectTagging",
    "ACL": "PutObjectAcl",
    "ObjectLockMode": "PutObjectRetention",
    "ObjectLockLegalHoldStatus": "PutObjectLegalHold",
}
# Services that check a permission of their own for tags in a create call, besides the creation's.
TAGGING_ACTIONS = {"sagemaker": "AddTags", "sts": "TagSession", "events": "TagResource", "lambda": "TagResource",
                   "sns": "TagResource", "sqs": "TagQueue", "kms": "TagResource", "logs": "TagResource"}  # fmt: skip


@dataclass(frozen=True)
class Need:
    """A permission that a call needs, and condition keys that hold for this one only."""

    action: str
    resource: str
    keys: Mapping[str, str | list[str]] = field(default_factory=dict)


def needs(call: Call) -> tuple[Need, ...]:
    """All permissions that `call` needs. Raises UnknownCallError when the reference knows no action for it."""
    if call.operation == "DeleteObjects":
        return tuple(_deletions(call))
    action = _main_action(call)
    if action in ALWAYS_ALLOWED:
        return ()
    main = [Need(action, arn, _role_tags(call, arn)) for arn in arns.resources(call, action)]
    extra = _s3_needs(call, main[0].resource) if call.prefix == "s3" else _general_needs(call, main)
    keys = encryption.needs(call, [need.resource for need in main])
    return (*main, *extra, *(Need(*each) for each in keys))


def _role_tags(call: Call, arn: str) -> dict[str, str]:
    """The tags of an assumed role: CDK Pipelines allow AssumeRole by the role's tags."""
    if call.operation != "AssumeRole":
        return {}
    return {f"{prefix}:ResourceTag/{key}": value for key, value in role_tags(arn).items() for prefix in ("aws", "iam")}


def _main_action(call: Call) -> str:
    name = OTHER_ACTIONS.get((call.service, call.operation), call.operation)
    if call.service == "s3":
        name = S3_ACTIONS.get(name, name)
        if call.params.get("VersionId") and action_name("s3", f"{name}Version"):
            name += "Version"  # GetObject -> GetObjectVersion, DeleteObject -> DeleteObjectVersion
        elif call.params.get("VersionId") and "Object" in name:
            versioned = name.replace("Object", "ObjectVersion", 1)  # GetObjectTagging -> GetObjectVersionTagging
            name = versioned if action_name("s3", versioned) else name
    found = action_name(call.prefix, name) or action_name(call.prefix, name.removesuffix("Batch"))
    if not found:
        raise UnknownCallError(
            f"{call.service}.{call.operation}: AWS's service authorization reference has no action "
            f"{call.prefix}:{name}; name its action in local_aws/authorization/actions.py"
        )
    return found


def _deletions(call: Call) -> Iterator[Need]:
    bypasses = bool(call.params.get("BypassGovernanceRetention"))
    for entry in call.params["Delete"]["Objects"]:
        arn = f"arn:{PARTITION}:s3:::{call.params['Bucket']}/{entry['Key']}"
        yield Need("s3:DeleteObjectVersion" if entry.get("VersionId") else "s3:DeleteObject", arn)
        if bypasses:
            yield Need("s3:BypassGovernanceRetention", arn)


def _s3_needs(call: Call, resource: str) -> Iterator[Need]:
    source = arns.copy_source(call)
    if source:
        bucket, key, version = source
        yield Need("s3:GetObjectVersion" if version else "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    if call.operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        for parameter, name in S3_ALSO.items():
            if call.params.get(parameter):
                yield Need(f"s3:{name}", resource)
    bucket, key = str(call.params.get("Bucket", "")), str(call.params.get("Key", ""))
    if call.operation in ("GetObject", "HeadObject") and not object_exists(bucket, key):
        # Only callers with ListBucket get 404 for a missing object; others get 403.
        yield Need("s3:ListBucket", f"arn:{PARTITION}:s3:::{bucket}")
    if call.operation == "GetObjectAttributes":
        yield Need("s3:GetObject", resource)
    if call.params.get("BypassGovernanceRetention"):
        yield Need("s3:BypassGovernanceRetention", resource)


def _general_needs(call: Call, main: list[Need]) -> Iterator[Need]:
    tags = call.params.get("Tags") or call.params.get("tags")
    tagging = action_name(call.prefix, TAGGING_ACTIONS.get(call.prefix, "-"))
    if tags and tagging and tagging != main[0].action:
        yield Need(tagging, main[0].resource)
    if call.prefix in ("sts", "iam"):  # there a role is the subject; it is not handed to a service
        return
    service = f"{call.prefix}.amazonaws.com"
    passed = {value for name, value in call.leaves if name.lower().endswith("role") or name.lower().endswith("rolearn")}
    for role in sorted(passed):
        if ROLE_ARN.fullmatch(role):
            yield Need("iam:PassRole", role, {"iam:PassedToService": service})
