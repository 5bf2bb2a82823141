"""The one customer-managed key of an environment."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from ..core.names import EnvironmentNames
from ..core.permissions import service_principal

# All that key policies can allow within one account but importing key material and copying to other regions, which this
# key has no use for. Who may do what of it is said by the policies of this account's principals.
_ADMINISTER = (
    "CancelKeyDeletion CreateAlias DeleteAlias DescribeKey DisableKey DisableKeyRotation EnableKey EnableKeyRotation "
    "GetKeyPolicy GetKeyRotationStatus ListGrants ListKeyPolicies ListKeyRotations ListResourceTags PutKeyPolicy "
    "RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion TagResource UntagResource UpdateAlias UpdateKeyDescription"
)
_USE = (
    "CreateGrant Decrypt Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo RetireGrant"
)


class EncryptionKey(Construct):
    """Rotates every year; for this account's principals by their policies, and for the services that deliver."""

    def __init__(self, scope: Construct, construct_id: str, *, names: EnvironmentNames, removal: RemovalPolicy) -> None:
        super().__init__(scope, construct_id)
        key = kms.Key(
            self,
            "Key",
            alias=names.key_alias,
            description=f"Everything that {names.prefix} keeps",
            enable_key_rotation=True,
            policy=iam.PolicyDocument(statements=[_this_account()]),
            removal_policy=removal,
        )
        # jsii gives the parameters of Key and IKey different names, so a type checker sees no IKey in a Key.
        self.key = cast(kms.IKey, key)
        delivery = ["kms:Decrypt", "kms:GenerateDataKey"]
        here = {"StringEquals": {"aws:SourceAccount": names.account}}
        self._allow_service("events", delivery, here)
        self._allow_service("cloudwatch", delivery, here)
        groups = (
            f"/aws/lambda/{names.prefix}-*",
            f"/aws/sagemaker/Endpoints/{names.prefix}-*",
            names.network_log_group,
        )
        self._allow_service(
            f"logs.{names.region}",
            [
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
                "kms:GenerateDataKey",
                "kms:DescribeKey",
            ],
            {
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": [names.arn("logs", f"log-group:{each}") for each in groups]
                }
            },
            sid="LogGroups",
        )

    def _allow_service(
        self, service: str, actions: Sequence[str], conditions: Mapping[str, Any], sid: str | None = None
    ) -> None:
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[service_principal(service)],
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
