"""What `cdk bootstrap` created in an account: names with its qualifier, and the key of its bucket."""

from aws_cdk import DefaultStackSynthesizer, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from .names import Arns
from .permissions import allow


def qualifier_of(scope: Construct) -> str:
    """The qualifier of the bootstrap stack that the stack of `scope` is deployed with.

    `@aws-cdk/core:bootstrapQualifier` in cdk.json, or the stack's synthesizer, sets it. Default: `hnb659fds`.
    """
    return Stack.of(scope).synthesizer.bootstrap_qualifier or DefaultStackSynthesizer.DEFAULT_QUALIFIER


def assets_bucket_arn(at: Arns, qualifier: str) -> str:
    """ARN of the bucket for file assets. (A synthesizer with its own `file_assets_bucket_name` uses another one.)"""
    return f"arn:{at.partition}:s3:::cdk-{qualifier}-assets-{at.account}-{at.region}"


def decrypt_assets(at: Arns, bucket_arn: str) -> iam.PolicyStatement:
    """Decrypt objects of the bucket for file assets with its key, which an app does not know.

    `cdk bootstrap --bootstrap-customer-key` or `--bootstrap-kms-key-id` gives the bucket a key. The encryption context,
    which S3 sets to the bucket or the object, limits the permission to objects of this bucket.
    """
    context = {"kms:EncryptionContext:aws:s3:arn": [bucket_arn, f"{bucket_arn}/*"]}
    statement = allow(["kms:Decrypt"], [at.arn("kms", "key/*")], StringLike=context)
    statement.sid = "AssetsKey"
    return statement
