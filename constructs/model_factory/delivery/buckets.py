"""The tooling account's buckets: what builds hand on, what people are shown before they approve, and access logs."""

from typing import cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ..core.nag import in_both_packs, suppress
from ..core.names import EnvironmentNames
from ..core.private_buckets import PrivateBuckets, tidy

_KEPT = Duration.days(90)
_ONLY_COPIES = "Only copies of artifacts; accesses to the artifacts themselves are written down."
_BUILT_ANEW = "Artifacts are built anew from the commit; CDK copies them to the regions that they are deployed to."


class DeliveryBuckets(Construct):
    """Private buckets. Artifacts go after 90 days, reports stay."""

    def __init__(self, scope: Construct, construct_id: str, *, names: EnvironmentNames, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        buckets = PrivateBuckets(self, names=names, key=key, removal=RemovalPolicy.RETAIN, one_region=_BUILT_ANEW)
        self.artifacts = buckets.add("artifacts", tidy(expiration=_KEPT, noncurrent_version_expiration=_KEPT))
        self.records = buckets.add("records", tidy(noncurrent_version_expiration=_KEPT))


def keep_as_artifacts(bucket: s3.Bucket) -> None:
    """The bucket that CDK adds in another region for copies of artifacts: versioned, and gone when the artifacts are."""
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
