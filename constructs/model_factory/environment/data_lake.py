"""The four buckets of an environment: data, artifacts, records and the logs of access to them."""

from typing import Literal

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ..core.names import EnvironmentNames
from ..core.private_buckets import PrivateBuckets, tidy

_ONE_REGION = (
    "One region by design: a factory in a second region is a second environment in factory.yaml, and data that must "
    "outlive a region is copied there by its owner."
)
_RECORDS_KEPT = Duration.days(365)


class DataLake(Construct):
    """Private buckets for all that an environment keeps.

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
        buckets = PrivateBuckets(self, names=names, key=key, removal=removal, one_region=_ONE_REGION)
        self.logs = buckets.logs
        to_cold_storage = s3.NoncurrentVersionTransition(
            storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, transition_after=Duration.days(90)
        )
        self.data = buckets.add("data", tidy(noncurrent_version_transitions=[to_cold_storage]))
        self.artifacts = buckets.add("artifacts", tidy(noncurrent_version_expiration=Duration.days(90)))
        kept = _retention(lock) if removal == RemovalPolicy.RETAIN else None
        self.records = buckets.add("records", tidy(), retention=kept)


def _retention(lock: Literal["governance", "compliance"]) -> s3.ObjectLockRetention:
    """Governance: those with s3:BypassGovernanceRetention may end it before its time. Compliance: nobody may."""
    if lock == "compliance":
        return s3.ObjectLockRetention.compliance(_RECORDS_KEPT)
    return s3.ObjectLockRetention.governance(_RECORDS_KEPT)
