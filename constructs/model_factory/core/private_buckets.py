"""Private S3 buckets: encrypted, versioned, TLS only, public access blocked, with server access logs."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from .bucket_cleanup import BucketCleanup
from .encryption_key import key_or_own
from .nag import in_both_packs, suppress
from .names import EnvironmentNames
from .removal import retained_after_creation

_ENDLESS = "This bucket receives the access logs; logging access to it would cause a loop."
_ONLY_SSE_S3 = "S3 delivers access logs only to buckets encrypted with SSE-S3."
_LOGS_BY_BUCKET_POLICY = "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy"


class PrivateBuckets:
    """Creates buckets in `scope`, with names `<prefix>-<purpose>-<account>-<region>`: first the bucket for access logs.

    Args:
        scope: Construct that the buckets are created in.
        names: Names of the environment. Default: CloudFormation generates names.
        key: Key that encrypts the buckets. Default: a key of its own.
        removal: What happens to the buckets when the stack is deleted.
        one_region: Reason for not replicating the buckets, recorded for cdk-nag.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        names: EnvironmentNames | None,
        key: kms.IKey | None,
        removal: RemovalPolicy,
        one_region: str,
    ) -> None:
        # Whatever the app's feature flags are: without this one, S3 would deliver access logs by ACLs. (The CDK takes
        # context before the first child alone.)
        scope.node.set_context(_LOGS_BY_BUCKET_POLICY, True)
        self._scope, self._names = scope, names
        self._removal = retained_after_creation(removal)
        self._key = key_or_own(scope, key, names)
        self._no_replica = in_both_packs("S3BucketReplicationEnabled", one_region)
        self.logs = s3.Bucket(
            scope,
            "Logs",
            bucket_name=names.bucket("logs") if names else None,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            removal_policy=self._removal,
            lifecycle_rules=[tidy(expiration=Duration.days(365), noncurrent_version_expiration=Duration.days(30))],
        )
        without_logs = {"CKV_AWS_18": _ENDLESS, **in_both_packs("S3DefaultEncryptionKMS", _ONLY_SSE_S3)}
        suppress(self.logs, self._no_replica | without_logs)
        self._buckets = [self.logs]

    def add(
        self, purpose: str, rule: s3.LifecycleRule, *, retention: s3.ObjectLockRetention | None = None
    ) -> s3.Bucket:
        """A bucket with one lifecycle rule. `retention`: objects cannot be changed or deleted during that time."""
        bucket = s3.Bucket(
            self._scope,
            purpose.capitalize(),
            bucket_name=self._names.bucket(purpose) if self._names else None,
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
        self._buckets.append(bucket)
        return bucket

    def empty_before_deletion(self, *, alarm_topic: sns.ITopic | None = None) -> None:
        """Delete the objects of all buckets when the stack is deleted; nothing for buckets that are retained.

        Args:
            alarm_topic: Topic that the alarm on errors of the function publishes to. Default: the alarm has no action.
        """
        if self._removal == RemovalPolicy.DESTROY:
            BucketCleanup(
                self._scope,
                "Cleanup",
                buckets=self._buckets,
                names=self._names,
                key=self._key,
                alarm_topic=alarm_topic,
            )


def tidy(
    *,
    expiration: Duration | None = None,
    noncurrent_version_expiration: Duration | None = None,
    noncurrent_version_transitions: Sequence[s3.NoncurrentVersionTransition] | None = None,
) -> s3.LifecycleRule:
    """A lifecycle rule for a whole bucket. It also aborts multipart uploads that are not complete after seven days."""
    return s3.LifecycleRule(
        abort_incomplete_multipart_upload_after=Duration.days(7),
        expiration=expiration,
        noncurrent_version_expiration=noncurrent_version_expiration,
        noncurrent_version_transitions=noncurrent_version_transitions,
    )
