"""The four buckets of an environment: data, artifacts, records and the logs of access to them."""

from collections.abc import Sequence
from typing import Literal

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .nag import accept, in_both_packs
from .names import EnvironmentNames

_ONE_REGION = (
    "One region by design: a factory in a second region is a second environment in factory.yaml, and data that must "
    "outlive a region is copied there by its owner."
)
_ENDLESS = "This bucket holds the access logs; logging access to it would never end."
_ONLY_SSE_S3 = "S3 delivers access logs only to buckets encrypted with SSE-S3."
_NO_REPLICA = in_both_packs("S3BucketReplicationEnabled", _ONE_REGION)
_LOGS = {
    **_NO_REPLICA,
    "CKV_AWS_18": _ENDLESS,
    **in_both_packs("S3DefaultEncryptionKMS", _ONLY_SSE_S3),
}
_RECORDS_KEPT = Duration.days(365)


class DataLake(Construct):
    """Encrypted, versioned buckets, reached through TLS only and never public.

    A version of an object that a training read must stay readable, so old versions of data move to cheaper storage and
    do not expire. Where data is retained, records cannot be deleted or overwritten for a year; `lock` says by whom not.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames,
        key: kms.IKey,
        removal: RemovalPolicy,
        lock: Literal["governance", "compliance"] = "governance",
    ) -> None:
        super().__init__(scope, construct_id)
        self._names, self._key, self._removal = names, key, removal
        self.logs = s3.Bucket(
            self,
            "Logs",
            bucket_name=names.bucket("logs"),
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            removal_policy=removal,
            lifecycle_rules=[_tidy(expiration=Duration.days(365), noncurrent_version_expiration=Duration.days(30))],
        )
        accept(self.logs, _LOGS)
        to_cold_storage = s3.NoncurrentVersionTransition(
            storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, transition_after=Duration.days(90)
        )
        self.data = self._bucket("data", [_tidy(noncurrent_version_transitions=[to_cold_storage])])
        self.artifacts = self._bucket("artifacts", [_tidy(noncurrent_version_expiration=Duration.days(90))])
        self.records = self._bucket("records", [_tidy()], lock=lock if removal == RemovalPolicy.RETAIN else None)

    def _bucket(self, purpose: str, rules: Sequence[s3.LifecycleRule], *, lock: str | None = None) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            purpose.capitalize(),
            bucket_name=self._names.bucket(purpose),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            removal_policy=self._removal,
            lifecycle_rules=rules,
            server_access_logs_bucket=self.logs,
            server_access_logs_prefix=f"{purpose}/",
            object_lock_default_retention=_retention(lock),
        )
        accept(bucket, _NO_REPLICA)
        return bucket


def _retention(lock: str | None) -> s3.ObjectLockRetention | None:
    """Governance: those with s3:BypassGovernanceRetention may end it before its time. Compliance: nobody may."""
    match lock:
        case None:
            return None
        case "compliance":
            return s3.ObjectLockRetention.compliance(_RECORDS_KEPT)
        case _:
            return s3.ObjectLockRetention.governance(_RECORDS_KEPT)


def _tidy(
    *,
    expiration: Duration | None = None,
    noncurrent_version_expiration: Duration | None = None,
    noncurrent_version_transitions: Sequence[s3.NoncurrentVersionTransition] | None = None,
) -> s3.LifecycleRule:
    """A rule for the whole bucket that also drops uploads which never finished."""
    return s3.LifecycleRule(
        abort_incomplete_multipart_upload_after=Duration.days(7),
        expiration=expiration,
        noncurrent_version_expiration=noncurrent_version_expiration,
        noncurrent_version_transitions=noncurrent_version_transitions,
    )
