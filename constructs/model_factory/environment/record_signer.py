"""Signs the heads of the chains of records every day: an asymmetric key, a function, and its schedule."""

import json
from pathlib import Path
from typing import cast

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
from ..core.removal import retained_after_creation

PURPOSE = "record-signer"
SIGNATURES = "_heads/*"
"""Keys that the function writes, the only ones of the records bucket."""
_TIMEOUT = Duration.minutes(5)
_DAILY = "cron(30 23 * * ? *)"
_ALGORITHM = "ECDSA_SHA_256"
# Every action on an asymmetric key that a key policy can allow within one account, but not Sign. (These keys do not rotate.)
_ADMINISTER = (
    "CancelKeyDeletion CreateAlias DeleteAlias DescribeKey DisableKey EnableKey GetKeyPolicy GetPublicKey ListGrants "
    "ListKeyPolicies ListResourceTags PutKeyPolicy RevokeGrant ScheduleKeyDeletion TagResource UntagResource UpdateAlias "
    "UpdateKeyDescription Verify"
)


class SigningKey(Construct):
    """A key on NIST P-256 that signs, and that one role alone may sign with.

    The account's principals administer it and read its public key as far as their own policies allow; signing is limited to the
    role, and it can be granted to nobody else without a change of the key policy.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment, for the alias.
        signer: ARN of the role that may sign. It need not exist yet.
        removal: What happens to the key when the stack is deleted. Default: RemovalPolicy.RETAIN.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames,
        signer: str,
        removal: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        account = cast(iam.IPrincipal, iam.AccountRootPrincipal())
        administer = iam.PolicyStatement(
            principals=[account], actions=[f"kms:{action}" for action in _ADMINISTER.split()], resources=["*"]
        )
        sign = iam.PolicyStatement(
            sid="Sign",
            principals=[account],
            actions=["kms:Sign"],
            resources=["*"],
            # Not the role as the principal: KMS would keep its id, which a role that is created anew does not have.
            conditions={
                "ArnEquals": {"aws:PrincipalArn": signer},
                "StringEquals": {"kms:SigningAlgorithm": _ALGORITHM},
            },
        )
        key = kms.Key(
            self,
            "Key",
            alias=names.record_signing_alias,
            description=f"Signs the heads of the chains of records of {names.prefix}",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            policy=iam.PolicyDocument(statements=[administer, sign]),
            removal_policy=retained_after_creation(removal),
        )
        self.key = cast(kms.IKey, key)
        """The key as other constructs take it."""


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
        signing = SigningKey(self, "Signing", names=names, signer=signer_role_arn(names), removal=removal)
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
