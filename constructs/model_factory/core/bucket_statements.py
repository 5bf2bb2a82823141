"""IAM statements for parts of a bucket: the objects whose keys start with a prefix. A prefix may have wildcards."""

from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from .permissions import allow


def list_objects(bucket_arn: str, prefix: str) -> iam.PolicyStatement:
    """List the objects below `prefix`."""
    return allow(["s3:ListBucket"], [bucket_arn], StringLike={"s3:prefix": [f"{prefix}*"]})


def read_objects(bucket_arn: str, prefix: str) -> iam.PolicyStatement:
    """Read the objects below `prefix`."""
    return allow(["s3:GetObject"], [f"{bucket_arn}/{prefix}*"])


def read_object_versions(bucket_arn: str, prefix: str) -> list[iam.PolicyStatement]:
    """List and read all versions of the objects below `prefix`, by version id."""
    return [
        allow(["s3:ListBucketVersions"], [bucket_arn], StringLike={"s3:prefix": [f"{prefix}*"]}),
        allow(["s3:GetObjectVersion"], [f"{bucket_arn}/{prefix}*"]),
    ]


def write_objects(bucket_arn: str, prefix: str) -> iam.PolicyStatement:
    """Write objects below `prefix`. (The bucket's lifecycle rule aborts incomplete uploads.)"""
    return allow(["s3:PutObject"], [f"{bucket_arn}/{prefix}*"])


def delete_objects(bucket_arn: str, prefix: str) -> iam.PolicyStatement:
    """Delete objects below `prefix`. (Of a versioned bucket, their versions stay.)"""
    return allow(["s3:DeleteObject"], [f"{bucket_arn}/{prefix}*"])


def protect_records(bucket: s3.Bucket, *, recorder: str, signer: str, signatures: str, cleanup: str | None) -> None:
    """Deny in a bucket's policy what would change records, to administrators as well.

    Only the role `signer` writes the keys `signatures`, only the role `recorder` writes the others, and both only objects that do
    not exist; nobody deletes, marks as deleted, or changes a retention, except the role `cleanup`, which empties a bucket that is
    deleted. Who may change the policy may still undo this: CloudTrail has such a change. Source: S3 user guide, 'Enforce
    conditional writes on Amazon S3 buckets'. Multipart uploads are begun without the header, and completed with it.
    """
    signed, everything = [bucket.arn_for_objects(signatures)], [bucket.arn_for_objects("*")]
    unconditional = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
    changes = [
        "s3:BypassGovernanceRetention",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:PutObjectLegalHold",
        "s3:PutObjectRetention",
    ]
    writes = ["s3:PutObject"]
    for statement in (
        iam.PolicyStatement(sid="SignerWritesHeads", actions=writes, resources=signed, conditions=_others(signer)),
        iam.PolicyStatement(
            sid="RecorderWritesOthers", actions=writes, not_resources=signed, conditions=_others(recorder)
        ),
        iam.PolicyStatement(sid="NewObjectsOnly", actions=writes, resources=everything, conditions=unconditional),
        iam.PolicyStatement(
            sid="RecordsStay", actions=changes, resources=everything, conditions=_others(cleanup) if cleanup else {}
        ),
    ):
        statement.effect = iam.Effect.DENY
        statement.add_any_principal()
        bucket.add_to_resource_policy(statement)


def _others(role: str) -> dict[str, Any]:
    return {"ArnNotEquals": {"aws:PrincipalArn": role}}
