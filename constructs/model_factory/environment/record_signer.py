"""Signs the heads of the chains of records every day: an asymmetric key, a function, and its schedule."""

import json
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..core.factory_function import FactoryFunction
from ..core.names import EnvironmentNames
from ..core.permissions import allow, use_key
from .signing_key import SigningKey

PURPOSE = "record-signer"
SIGNATURES = "_heads/*"
"""Keys that the function writes, the only ones of the records bucket."""
_TIMEOUT = Duration.minutes(5)
_DAILY = "cron(30 23 * * ? *)"


class RecordSigner(Construct):
    """The function `<prefix>-record-signer`, which EventBridge Scheduler invokes every day at 23:30 UTC.

    It runs outside of a VPC: it reads and writes digests of records, and no data.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment.
        source: Folder with the function's code.
        key: Key of the environment.
        scheduler_role: Role of the schedule, which may invoke the function.
        undelivered: Dead-letter queue of the schedule, imported by name.
        anchor: Names in the anchor account, for copies of what was signed. Default: nothing is copied.
        removal: What happens to the signing key when the stack is deleted. Default: RemovalPolicy.RETAIN.
        alarm_topic: Topic of the alarm on errors. Default: the alarm has no action.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames,
        source: Path,
        key: kms.IKey,
        scheduler_role: iam.IRole,
        undelivered: sqs.IQueue,
        anchor: EnvironmentNames | None = None,
        removal: RemovalPolicy = RemovalPolicy.RETAIN,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        signing = SigningKey(
            self,
            "Signing",
            alias=names.record_signing_alias,
            description=f"Signs the heads of the chains of records of {names.prefix}",
            signer=signer_role_arn(names),
            removal=removal,
        )
        self.key = signing.key
        """The signing key."""
        copies = {"ANCHOR_BUCKET": anchor.bucket("heads"), "ANCHOR_REGION": anchor.region} if anchor else {}
        function = FactoryFunction(
            self,
            "Function",
            names=names,
            purpose=PURPOSE,
            source=source,
            key=key,
            timeout=_TIMEOUT,
            statements=_statements(names, key.key_arn, self.key.key_arn, anchor),
            environment={"RECORDS_BUCKET": names.bucket("records"), "SIGNING_KEY": self.key.key_arn, **copies},
            alarm_topic=alarm_topic,
        )
        self.alarm = function.alarm
        """The alarm on errors: heads were not signed, or not copied."""
        scheduler.CfnSchedule(
            self,
            "Schedule",
            name=f"{names.prefix}-{PURPOSE}",
            description=f"Signs the heads of the chains of records of {names.prefix}",
            schedule_expression=_DAILY,
            schedule_expression_timezone="UTC",
            flexible_time_window={"mode": "OFF"},
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.function.function_arn,
                role_arn=scheduler_role.role_arn,
                input=json.dumps({"time": "<aws.scheduler.scheduled-time>"}),
                retry_policy={"maximumRetryAttempts": 10, "maximumEventAgeInSeconds": 3600},
                dead_letter_config={"arn": undelivered.queue_arn},
            ),
        )


def signer_role_arn(names: EnvironmentNames) -> str:
    """ARN of the function's role, for the policies of the key, of the records bucket and of the anchor."""
    return names.iam_arn(f"role/{names.role(PURPOSE)}")


def _statements(
    names: EnvironmentNames, key_arn: str, signing_key_arn: str, anchor: EnvironmentNames | None
) -> list[iam.PolicyStatement]:
    records = names.bucket_arn("records")
    copies = [allow(["s3:PutObject"], [f"{anchor.bucket_arn('heads')}/{names.environment}/*"])] if anchor else []
    return [
        # All keys: the folders of the bucket are the chains.
        allow(["s3:ListBucket"], [records]),
        allow(["s3:GetObject"], [f"{records}/*/chain/*", f"{records}/{SIGNATURES}"]),
        allow(["s3:PutObject"], [f"{records}/{SIGNATURES}"]),
        allow(["kms:Sign"], [signing_key_arn]),
        use_key(key_arn),
        *copies,
    ]
