"""The customer-managed KMS key, and the statements that AWS services need in the policy of a key."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from .names import EnvironmentNames, StackLocation
from .permissions import service_principal
from .removal import retained_after_creation

# Every action that a key policy can allow within one account, except importing key material and replicating to other
# regions, which this key does not use. The policies of the account's principals say who of them may do what.
_ADMINISTER = (
    "CancelKeyDeletion CreateAlias DeleteAlias DescribeKey DisableKey DisableKeyRotation EnableKey EnableKeyRotation "
    "GetKeyPolicy GetKeyRotationStatus ListGrants ListKeyPolicies ListKeyRotations ListResourceTags PutKeyPolicy "
    "RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion TagResource UntagResource UpdateAlias UpdateKeyDescription"
)
_USE = (
    "CreateGrant Decrypt Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo RetireGrant"
)
_LOGS = "Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey DescribeKey"


class EncryptionKey(Construct):
    """A KMS key that rotates every year.

    Its policy lets the account's principals use it as far as their own policies allow, and lets EventBridge, CloudWatch
    alarms and CloudWatch Logs use it for encrypted queues, topics and log groups.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment. They give the key its alias and limit the log groups that may use it.
            Default: no alias; every log group of the account and region may use the key.
        removal: What happens to the key when the stack is deleted. Default: RemovalPolicy.RETAIN.
        rules_to_topics: Whether EventBridge rules may publish to topics that are encrypted with the key. Default: True.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames | None = None,
        removal: RemovalPolicy = RemovalPolicy.RETAIN,
        rules_to_topics: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        key = kms.Key(
            self,
            "Key",
            alias=names.key_alias if names else None,
            description=f"Encrypts the data of {names.prefix if names else self.node.path}",
            enable_key_rotation=True,
            policy=iam.PolicyDocument(statements=[_this_account()]),
            removal_policy=retained_after_creation(removal),
        )
        # jsii gives the parameters of Key and IKey different names, so a type checker sees no IKey in a Key.
        self.key = cast(kms.IKey, key)
        """The key as other constructs take it."""
        allow_publishing(self.key, self, "events", "cloudwatch", rules_to_topics=rules_to_topics)
        allow_log_groups(
            self.key,
            self,
            [
                f"/aws/lambda/{names.prefix}-*",
                f"/aws/sagemaker/Endpoints/{names.prefix}-*",
                names.network_log_group,
            ]
            if names
            else ["*"],
        )

    @staticmethod
    def from_names(scope: Construct, construct_id: str, names: EnvironmentNames) -> kms.IKey:
        """Import the key of a deployed environment by its alias.

        IAM policies have to name a key by its id, which an alias does not give: grants on the imported key have no effect.
        """
        return cast(kms.IKey, kms.Alias.from_alias_name(scope, construct_id, names.key_alias))

    def grant_encrypt_decrypt(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to encrypt and decrypt with the key."""
        return self.key.grant_encrypt_decrypt(grantee)

    def grant_decrypt(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to decrypt with the key."""
        return self.key.grant_decrypt(grantee)


def key_or_own(
    scope: Construct,
    key: kms.IKey | None,
    names: EnvironmentNames | None,
    *,
    construct_id: str = "Encryption",
    services: Sequence[str] = (),
    logs: bool = False,
) -> kms.IKey:
    """`key`, or a new key in `scope`. A key that is not a factory's gets the statements that the services need.

    Args:
        scope: Construct that uses the key.
        key: The key that was passed to the construct.
        names: The names that were passed to the construct: the key is then the factory's, which has the statements.
        construct_id: Id of the new key. Default: `Encryption`.
        services: Services that publish to the encrypted topic or queue, such as `events`. Default: none.
        logs: Whether log groups are encrypted with the key. Default: False.
    """
    if key is None:
        return EncryptionKey(scope, construct_id).key
    if names is None:
        allow_publishing(key, scope, *services)
        if logs:
            allow_log_groups(key, scope, ["*"])
    return key


def allow_publishing(key: kms.IKey, scope: Construct, *services: str, rules_to_topics: bool = True) -> None:
    """Let AWS services of this account publish to encrypted queues and topics. No effect on an imported key.

    EventBridge sends no `aws:SourceAccount` to KMS when it publishes to a topic (SNS developer guide, "Managing Amazon SNS
    encryption keys"). The encryption context, which SNS sets to the topic's ARN, limits that permission to topics of this
    account.
    """
    at = StackLocation.of(scope)
    actions = ["kms:Decrypt", "kms:GenerateDataKey"]
    for service in services:
        _allow_service(key, service, actions, {"StringEquals": {"aws:SourceAccount": at.account}})
    if "events" in services and rules_to_topics:
        topics = {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": at.arn("sns", "*")}}
        _allow_service(key, "events", actions, topics, sid="RulesToTopics")


def allow_log_groups(key: kms.IKey, scope: Construct, groups: Sequence[str]) -> None:
    """Let CloudWatch Logs encrypt log groups of these names. No effect on an imported key."""
    at = StackLocation.of(scope)
    arns = [at.arn("logs", f"log-group:{group}") for group in groups]
    _allow_service(
        key,
        f"logs.{at.region}",
        [f"kms:{action}" for action in _LOGS.split()],
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arns}},
        sid="LogGroups",
        suffix=at.url_suffix,
    )


def _allow_service(
    key: kms.IKey,
    service: str,
    actions: Sequence[str],
    conditions: Mapping[str, Any],
    *,
    sid: str | None = None,
    suffix: str = "amazonaws.com",
) -> None:
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            principals=[service_principal(service, suffix=suffix)],
            actions=list(actions),
            resources=["*"],
            conditions=conditions,
        )
    )


def _this_account() -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[cast(iam.IPrincipal, iam.AccountRootPrincipal())],
        actions=[f"kms:{action}" for action in f"{_ADMINISTER} {_USE}".split()],
        resources=["*"],
    )
