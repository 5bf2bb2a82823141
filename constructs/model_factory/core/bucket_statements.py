"""IAM statements for parts of a bucket: the objects whose keys start with a prefix. A prefix may have wildcards."""

from aws_cdk import aws_iam as iam

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
