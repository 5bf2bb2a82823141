"""Deletion of the objects of buckets that are deleted with their stack: S3 deletes empty buckets only."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import CustomResource, Duration, Tags
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from ..assets import FUNCTIONS
from .factory_function import FactoryFunction
from .names import EnvironmentNames
from .permissions import allow

TAG = "model-factory:delete-objects"
"""Tag of the buckets that the function may empty (lambda/bucket_cleanup)."""
_PURPOSE = "bucket-cleanup"
_TIMEOUT = Duration.minutes(14)


class BucketCleanup(Construct):
    """A function, and a custom resource per bucket, that delete all object versions before the bucket is deleted.

    The function is outside of a VPC: it lists and deletes, and reads no object.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        buckets: The buckets, which have the removal policy DESTROY.
        names: Names of the environment: the function is `<prefix>-bucket-cleanup`. Default: CloudFormation generates
            names.
        key: Key that encrypts the function's log group. Default: a key of its own.
        alarm_topic: Topic that the alarm on errors publishes to. Default: the alarm has no action.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        buckets: Sequence[s3.Bucket],
        names: EnvironmentNames | None = None,
        key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        arns = [bucket.bucket_arn for bucket in buckets]
        closing = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:GetBucketTagging", "s3:ListBucketVersions"]
        deleting = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
        self.function = FactoryFunction(
            self,
            "Function",
            names=names,
            purpose=_PURPOSE,
            source=FUNCTIONS / _PURPOSE.replace("-", "_"),
            key=key,
            timeout=_TIMEOUT,
            statements=[allow(closing, arns), allow(deleting, [f"{arn}/*" for arn in arns])],
            alarm_topic=alarm_topic,
        )
        """The function that deletes the objects."""
        for bucket in buckets:
            self._empty(bucket)

    def _empty(self, bucket: s3.Bucket) -> None:
        Tags.of(bucket).add(TAG, "true")
        cleanup = CustomResource(
            self,
            bucket.node.id,
            resource_type="Custom::BucketCleanup",
            service_token=self.function.function.function_arn,
            properties={"BucketName": bucket.bucket_name},
        )
        if bucket.policy:  # The function changes the policy, so it is deleted after the custom resource.
            cleanup.node.add_dependency(cast(Construct, bucket.policy))
