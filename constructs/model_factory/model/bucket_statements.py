"""IAM statements for parts of the environment's buckets."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from ..core.permissions import allow


def list_objects(bucket: s3.IBucket, prefix: str) -> iam.PolicyStatement:
    """List the objects below `prefix`."""
    return allow(["s3:ListBucket"], [bucket.bucket_arn], StringLike={"s3:prefix": [f"{prefix}*"]})


def read_objects(bucket: s3.IBucket, prefix: str) -> iam.PolicyStatement:
    """Read the objects below `prefix`."""
    return allow(["s3:GetObject"], [bucket.arn_for_objects(f"{prefix}*")])


def read_object_versions(bucket: s3.IBucket, prefix: str) -> list[iam.PolicyStatement]:
    """List and read all versions of the objects below `prefix`, by version id."""
    return [
        allow(["s3:ListBucketVersions"], [bucket.bucket_arn], StringLike={"s3:prefix": [f"{prefix}*"]}),
        allow(["s3:GetObjectVersion"], [bucket.arn_for_objects(f"{prefix}*")]),
    ]


def write_objects(bucket: s3.IBucket, prefix: str) -> iam.PolicyStatement:
    """Write objects below `prefix`. (The bucket's lifecycle rule removes incomplete uploads.)"""
    return allow(["s3:PutObject"], [bucket.arn_for_objects(f"{prefix}*")])
