"""The tooling account's buckets: what builds hand on, what people are shown before they approve, and access logs."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from constructs import Construct

from .names import EnvironmentNames
from .private_buckets import PrivateBuckets, tidy

_BUILT_ANEW = "Artifacts are built anew from the commit; CDK copies them to the regions that they are deployed to."


class DeliveryBuckets(Construct):
    """Private buckets. Artifacts go after 90 days, reports stay."""

    def __init__(self, scope: Construct, construct_id: str, *, names: EnvironmentNames, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        buckets = PrivateBuckets(self, names=names, key=key, removal=RemovalPolicy.RETAIN, one_region=_BUILT_ANEW)
        kept = Duration.days(90)
        self.artifacts = buckets.add("artifacts", tidy(expiration=kept, noncurrent_version_expiration=kept))
        self.records = buckets.add("records", tidy(noncurrent_version_expiration=kept))
