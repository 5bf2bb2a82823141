"""What every bucket is: encrypted, versioned, reached through TLS only, never public, and its accesses written down."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .nag import in_both_packs, suppress
from .names import EnvironmentNames

_ENDLESS = "This bucket holds the access logs; logging access to it would never end."
_ONLY_SSE_S3 = "S3 delivers access logs only to buckets encrypted with SSE-S3."


class PrivateBuckets:
    """Makes buckets `<prefix>-<purpose>-<account>-<region>` in `scope`, the one of their access logs first.

    `one_region`: why nothing is replicated, for reviewers.
    """

    def __init__(
        self, scope: Construct, *, names: EnvironmentNames, key: kms.IKey, removal: RemovalPolicy, one_region: str
    ) -> None:
        self._scope, self._names, self._key, self._removal = scope, names, key, removal
        self._no_replica = in_both_packs("S3BucketReplicationEnabled", one_region)
        self.logs = s3.Bucket(
            scope,
            "Logs",
            bucket_name=names.bucket("logs"),
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            removal_policy=removal,
            lifecycle_rules=[tidy(expiration=Duration.days(365), noncurrent_version_expiration=Duration.days(30))],
        )
        without_logs = {"CKV_AWS_18": _ENDLESS, **in_both_packs("S3DefaultEncryptionKMS", _ONLY_SSE_S3)}
        suppress(self.logs, self._no_replica | without_logs)

    def add(
        self, purpose: str, rule: s3.LifecycleRule, *, retention: s3.ObjectLockRetention | None = None
    ) -> s3.Bucket:
        """A bucket with one lifecycle rule; with `retention` nothing in it can be changed or deleted for that long."""
        bucket = s3.Bucket(
            self._scope,
            purpose.capitalize(),
            bucket_name=self._names.bucket(purpose),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            removal_policy=self._removal,
            lifecycle_rules=[rule],
            server_access_logs_bucket=self.logs,
            server_access_logs_prefix=f"{purpose}/",
            object_lock_default_retention=retention,
        )
        suppress(bucket, self._no_replica)
        return bucket


def tidy(
    *,
    expiration: Duration | None = None,
    noncurrent_version_expiration: Duration | None = None,
    noncurrent_version_transitions: Sequence[s3.NoncurrentVersionTransition] | None = None,
) -> s3.LifecycleRule:
    """A rule for a whole bucket that also drops uploads which never finished."""
    return s3.LifecycleRule(
        abort_incomplete_multipart_upload_after=Duration.days(7),
        expiration=expiration,
        noncurrent_version_expiration=noncurrent_version_expiration,
        noncurrent_version_transitions=noncurrent_version_transitions,
    )
