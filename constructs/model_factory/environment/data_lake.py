"""The four buckets of an environment: data, artifacts, records, and server access logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from ..core.bucket_statements import protect_records
from ..core.names import ALERT_WINDOWS, ASYNC, OPENLINEAGE, REBUILDS, ROWS, EnvironmentNames
from ..core.private_buckets import PrivateBuckets, tidy
from .record_signer import SIGNATURES

_ONE_REGION = (
    "An environment has one region. A second region is a second environment in factory.yaml; the owner of the data "
    "replicates what must survive the loss of a region."
)
_RECORDS_KEPT = Duration.days(365)
_CLEANUP = "bucket-cleanup"
_OLD_VERSIONS = Duration.days(7)
_REBUILDS_KEPT = Duration.days(30)


@dataclass(frozen=True)
class RecordWriters:
    """The roles that write to the bucket for records.

    Args:
        recorder: ARN of the role that writes all keys, except those below `_heads/`.
        signer: ARN of the role that writes the signed heads of the chains of records, below `_heads/`.
    """

    recorder: str
    signer: str


class DataLakeBase(Construct):
    """Buckets and grants of a data lake, created here or imported by `DataLake.from_names`."""

    data: s3.IBucket
    """Raw data, captured requests and ground truth. Old versions move to Glacier Instant Retrieval and do not expire."""
    artifacts: s3.IBucket
    """Files that pipelines write. Old versions expire after 90 days, reproductions after 30, OpenLineage events after a year."""
    records: s3.IBucket
    """JSON records of versions and deployments."""

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to list and read the three buckets, and to decrypt with their key."""
        first, *others = [bucket.grant_read(grantee) for bucket in (self.data, self.artifacts, self.records)]
        return _combined(first, others)

    def grant_read_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to list, read, write and delete in the three buckets, and to use their key.

        Records that are locked cannot be changed or deleted all the same.
        """
        first, *others = [bucket.grant_read_write(grantee) for bucket in (self.data, self.artifacts, self.records)]
        return _combined(first, others)


class DataLake(DataLakeBase):
    """Private buckets for data, artifacts and records, encrypted, versioned and with server access logs.

    Training data is recorded by object version, so versions of data do not expire. Records are locked for a year
    when `removal` is RETAIN.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment: buckets are `<prefix>-<purpose>-<account>-<region>`. Default: CloudFormation
            generates names.
        key: Key that encrypts data, artifacts and records. (S3 delivers access logs only to buckets with SSE-S3.)
            Default: a key of its own.
        removal: What happens to the buckets when the stack is deleted. Default: RemovalPolicy.RETAIN.
        lock: Mode of S3 Object Lock for retained records: with `governance`, principals with s3:BypassGovernanceRetention
            can shorten the retention; with `compliance`, nobody can. Default: `governance`.
        retention: Time in which retained records cannot be deleted, in whole days. Default: 365 days.
        record_writers: The only roles that may write to the bucket for records, and only keys that do not exist; nobody may
            delete records or change their retention. Default: IAM policies alone say who may.
        alarm_topic: Topic of the alarm on the function that empties the buckets before their deletion, which exists when
            `removal` is DESTROY. Default: the alarm has no action.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames | None = None,
        key: kms.IKey | None = None,
        removal: RemovalPolicy = RemovalPolicy.RETAIN,
        lock: Literal["governance", "compliance"] = "governance",
        retention: Duration | None = None,
        record_writers: RecordWriters | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        buckets = PrivateBuckets(self, names=names, key=key, removal=removal, one_region=_ONE_REGION)
        self.logs = cast(s3.IBucket, buckets.logs)
        """Server access logs of the other buckets. They expire after a year."""
        to_cold_storage = s3.NoncurrentVersionTransition(
            storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, transition_after=Duration.days(90)
        )
        kept = _retention(lock, retention or _RECORDS_KEPT) if removal == RemovalPolicy.RETAIN else None
        data = buckets.add("data", tidy(noncurrent_version_transitions=[to_cold_storage]))
        artifacts = buckets.add("artifacts", tidy(noncurrent_version_expiration=Duration.days(90)))
        for prefix, age in ((ALERT_WINDOWS, _OLD_VERSIONS), (REBUILDS, _REBUILDS_KEPT), (OPENLINEAGE, _RECORDS_KEPT)):
            artifacts.add_lifecycle_rule(prefix=prefix, expiration=age, noncurrent_version_expiration=_OLD_VERSIONS)
        records = buckets.add("records", tidy(), retention=kept)
        # Rules send new records to the publisher, and start the scoring of new files.
        for bucket in (data, records):
            _send_events(bucket)
        self._created = {"data": data, "artifacts": artifacts}
        self.data, self.artifacts = cast(s3.IBucket, data), cast(s3.IBucket, artifacts)
        self.records = cast(s3.IBucket, records)
        if record_writers:
            destroyed = names.iam_arn(f"role/{names.role(_CLEANUP)}") if names and kept is None else None
            protect_records(
                records,
                recorder=record_writers.recorder,
                signer=record_writers.signer,
                signatures=SIGNATURES,
                cleanup=destroyed,
            )
        buckets.empty_before_deletion(alarm_topic=alarm_topic)

    def expire(
        self,
        models: Sequence[str],
        *,
        captured: Duration | None = None,
        reports: Duration | None = None,
        rows: Duration | None = None,
        queued: Mapping[str, Duration] | None = None,
    ) -> None:
        """Delete captured requests, reports and others some time after they were written, old versions a week later.

        Training data, artifacts, ground truth and records stay: lineage refers to them.

        Args:
            models: Names of the models; S3 has at most 1,000 rules for each bucket.
            captured: Age of captured requests, in whole days. Default: they are kept.
            reports: Age of reports and intermediate results of monitor jobs, in whole days. Default: they are kept.
            rows: Age of the rows that trainings were fitted on, of all models, in whole days. Default: they are kept.
            queued: Age of requests of asynchronous endpoints and their answers, in whole days, by model. Default: they are kept.
        """
        if rows:
            self._created["artifacts"].add_lifecycle_rule(
                prefix=ROWS, expiration=rows, noncurrent_version_expiration=_OLD_VERSIONS
            )
        for model, age in (queued or {}).items():
            self._created["data"].add_lifecycle_rule(
                prefix=f"{model}/{ASYNC}/", expiration=age, noncurrent_version_expiration=_OLD_VERSIONS
            )
        parts = ((self._created["data"], "captured", captured), (self._created["artifacts"], "monitor", reports))
        for bucket, folder, age in parts:
            for model in models if age else ():
                bucket.add_lifecycle_rule(
                    prefix=f"{model}/{folder}/",
                    expiration=age,
                    noncurrent_version_expiration=_OLD_VERSIONS,
                )

    @staticmethod
    def from_names(
        scope: Construct, construct_id: str, names: EnvironmentNames, *, key: kms.IKey | None = None
    ) -> DataLakeBase:
        """Import the buckets of a deployed environment.

        Args:
            scope: Parent construct.
            construct_id: Id of the imported data lake in `scope`.
            names: Names of the environment.
            key: The environment's key; grants include it. Default: grants are for the buckets alone.
        """
        imported = DataLakeBase(scope, construct_id)

        def bucket(purpose: str) -> s3.IBucket:
            return s3.Bucket.from_bucket_attributes(
                imported,
                purpose.capitalize(),
                bucket_name=names.bucket(purpose),
                bucket_arn=names.bucket_arn(purpose),
                encryption_key=key,
            )

        imported.data, imported.artifacts, imported.records = bucket("data"), bucket("artifacts"), bucket("records")
        return imported


def _send_events(bucket: s3.Bucket) -> None:
    """Send the bucket's events to EventBridge. The L2 property would add a function that sets this property."""
    enabled = s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    cast(
        s3.CfnBucket, bucket.node.default_child
    ).notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(event_bridge_configuration=enabled)


def _combined(first: iam.Grant, others: list[iam.Grant]) -> iam.Grant:
    for other in others:
        first = first.combine(other)
    return first


def _retention(lock: Literal["governance", "compliance"], duration: Duration) -> s3.ObjectLockRetention:
    if lock == "compliance":
        return s3.ObjectLockRetention.compliance(duration)
    return s3.ObjectLockRetention.governance(duration)
