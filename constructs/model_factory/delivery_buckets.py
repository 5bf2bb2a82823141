"""The tooling account's buckets: what builds hand on, what people are shown before they approve, and access logs."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .nag import accept, in_both_packs
from .names import EnvironmentNames

_NO_REPLICA = in_both_packs(
    "S3BucketReplicationEnabled",
    "Artifacts are built anew from the commit; CDK copies them to the regions that they are deployed to.",
)
_LOGS = {
    **_NO_REPLICA,
    "CKV_AWS_18": "This bucket holds the access logs; logging access to it would never end.",
    **in_both_packs("S3DefaultEncryptionKMS", "S3 delivers access logs only to buckets encrypted with SSE-S3."),
}


class DeliveryBuckets(Construct):
    """Encrypted, versioned, reached through TLS only. Artifacts go after 90 days, reports stay."""

    def __init__(self, scope: Construct, construct_id: str, *, names: EnvironmentNames, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._names, self._key = names, key
        self._logs = s3.Bucket(
            self,
            "Logs",
            bucket_name=names.bucket("logs"),
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(365))],
        )
        accept(self._logs, _LOGS)
        self.artifacts = self._bucket("artifacts", Duration.days(90))
        self.records = self._bucket("records", None)

    def _bucket(self, purpose: str, expiration: Duration | None) -> s3.Bucket:
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
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=expiration,
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                    noncurrent_version_expiration=Duration.days(90),
                )
            ],
            server_access_logs_bucket=self._logs,
            server_access_logs_prefix=f"{purpose}/",
        )
        accept(bucket, _NO_REPLICA)
        return bucket
