"""The bucket of the anchor account: copies of signed heads, which nobody can change or delete during their retention."""

from collections.abc import Mapping
from typing import Any, cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ..core.nag import in_both_packs, suppress
from ..core.names import EnvironmentNames
from ..core.private_buckets import tidy
from .record_signer import signer_role_arn

_NO_KEY = (
    "Heads are numbers and digests. With a KMS key, whoever may delete or disable the key could make the copies unreadable, "
    "which the lock is there to prevent."
)
_ONE_REGION = "The heads are in the records bucket of each environment as well."
_LOGS = (
    "Server access logs of the bucket of heads; logging access to them would cause a loop, and they are no evidence."
)
_LOGS_BY_BUCKET_POLICY = "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy"


class AnchorBucket(Construct):
    """A bucket `<factory>-anchor-heads-<account>-<region>` with Object Lock in COMPLIANCE mode.

    Its policy lets the signer of each environment put objects that do not exist below `<environment>/`, and the principals of the
    environment's account list and read them as far as their own policies allow.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names in the anchor account.
        environments: Names of the environments.
        retention: Time during which nobody, not even the root user, can delete a copy.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames,
        environments: Mapping[str, EnvironmentNames],
        retention: Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self.node.set_context(_LOGS_BY_BUCKET_POLICY, True)
        private: dict[str, Any] = {
            "encryption": s3.BucketEncryption.S3_MANAGED,
            "block_public_access": s3.BlockPublicAccess.BLOCK_ALL,
            "enforce_ssl": True,
            "versioned": True,
            "removal_policy": RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        }
        kept_a_year = tidy(expiration=Duration.days(365), noncurrent_version_expiration=Duration.days(30))
        logs = s3.Bucket(self, "Logs", bucket_name=names.bucket("logs"), lifecycle_rules=[kept_a_year], **private)
        self.bucket = s3.Bucket(
            self,
            "Heads",
            bucket_name=names.bucket("heads"),
            lifecycle_rules=[tidy()],
            server_access_logs_bucket=cast(s3.IBucket, logs),
            server_access_logs_prefix="heads/",
            object_lock_default_retention=s3.ObjectLockRetention.compliance(retention),
            **private,
        )
        """The bucket."""
        accepted = in_both_packs("S3BucketReplicationEnabled", _ONE_REGION) | in_both_packs(
            "S3DefaultEncryptionKMS", _NO_KEY
        )
        suppress(self.bucket, accepted)
        suppress(logs, accepted | {"CKV_AWS_18": _LOGS})
        self.bucket.add_to_resource_policy(self._only_new_objects())
        for environment in environments.values():
            for statement in self._statements(environment):
                self.bucket.add_to_resource_policy(statement)

    def _only_new_objects(self) -> iam.PolicyStatement:
        """A copy is written once ('Enforce conditional writes on Amazon S3 buckets', S3 user guide)."""
        return iam.PolicyStatement(
            sid="OnlyNewObjects",
            effect=iam.Effect.DENY,
            principals=[cast(iam.IPrincipal, iam.AnyPrincipal())],
            actions=["s3:PutObject"],
            resources=[f"{self.bucket.bucket_arn}/*"],
            conditions={"Null": {"s3:if-none-match": "true"}},
        )

    def _statements(self, names: EnvironmentNames) -> list[iam.PolicyStatement]:
        account = cast(iam.IPrincipal, iam.AccountPrincipal(names.account))
        objects, title = f"{self.bucket.bucket_arn}/{names.environment}/*", names.environment.title().replace("-", "")
        return [
            iam.PolicyStatement(
                sid=f"Signer{title}",
                principals=[account],
                actions=["s3:PutObject"],
                resources=[objects],
                # Not the role as the principal: S3 refuses a policy with a role that does not exist yet.
                conditions={"ArnEquals": {"aws:PrincipalArn": signer_role_arn(names)}},
            ),
            iam.PolicyStatement(
                sid=f"Readers{title}",
                principals=[account],
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=[objects],
            ),
            iam.PolicyStatement(
                sid=f"List{title}",
                principals=[account],
                actions=["s3:ListBucketVersions"],
                resources=[self.bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [f"{names.environment}/*"]}},
            ),
        ]
