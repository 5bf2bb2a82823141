"""Buckets of the delivery account: artifacts of deliveries, of pull requests, approval reports, and server access logs."""

from typing import cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ..core.nag import in_both_packs, suppress
from ..core.names import EnvironmentNames
from ..core.private_buckets import PrivateBuckets, tidy

_KEPT = Duration.days(90)
_ONLY_COPIES = "The bucket holds copies of artifacts only; access to the artifacts themselves is logged."
_BUILT_ANEW = "Artifacts can be built again from the commit; CDK copies them to the regions that they are deployed to."


class DeliveryBuckets(Construct):
    """Private buckets for artifacts of deliveries and of tests, which expire after 90 days, and for approval reports.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the delivery account: buckets are `<factory>-delivery-<purpose>-<account>-<region>`. Default:
            CloudFormation generates names.
        key: Key that encrypts the buckets. (S3 delivers access logs only to buckets with SSE-S3.) Default: a key of its
            own.
        removal: What happens to the buckets when the stack is deleted. Default: RemovalPolicy.RETAIN.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames | None = None,
        key: kms.IKey | None = None,
        removal: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        buckets = PrivateBuckets(self, names=names, key=key, removal=removal, one_region=_BUILT_ANEW)
        artifacts = buckets.add("artifacts", tidy(expiration=_KEPT, noncurrent_version_expiration=_KEPT))
        tests = buckets.add("tests", tidy(expiration=_KEPT, noncurrent_version_expiration=_KEPT))
        records = buckets.add("records", tidy(noncurrent_version_expiration=_KEPT))
        self.artifacts = cast(s3.IBucket, artifacts)
        """Artifacts of deliveries, and caches of their builds. Code of a pull request cannot read or write it."""
        self.tests = cast(s3.IBucket, tests)
        """Artifacts of pull requests, and caches of their tests."""
        self.records = cast(s3.IBucket, records)
        """Reports that approvers read, below `reports/`."""
        buckets.empty_before_deletion()


def keep_as_artifacts(bucket: s3.Bucket) -> None:
    """Settings of the bucket that CDK adds in another region for copies of artifacts: versions, expiration, suppressions."""
    bucket.add_lifecycle_rule(
        expiration=_KEPT,
        noncurrent_version_expiration=_KEPT,
        abort_incomplete_multipart_upload_after=Duration.days(7),
    )
    versioned = s3.CfnBucket.VersioningConfigurationProperty(status="Enabled")
    cast(s3.CfnBucket, bucket.node.default_child).versioning_configuration = versioned
    suppress(
        bucket,
        {
            "AwsSolutions-S1": _ONLY_COPIES,
            "CKV_AWS_18": _ONLY_COPIES,
            **in_both_packs("S3BucketLoggingEnabled", _ONLY_COPIES),
            **in_both_packs("S3BucketReplicationEnabled", _BUILT_ANEW),
        },
    )
