"""The one customer-managed key of an environment."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from .names import EnvironmentNames
from .permissions import service_principal


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
            removal_policy=removal,
        )
        # jsii gives the parameters of Key and IKey different names, so a type checker sees no IKey in a Key.
        self.key = cast(kms.IKey, key)
        delivery = ["kms:Decrypt", "kms:GenerateDataKey"]
        here = {"StringEquals": {"aws:SourceAccount": names.account}}
        self._allow_service("events", delivery, here)
        self._allow_service("cloudwatch", delivery, here)
        group = names.arn("logs", f"log-group:/aws/lambda/{names.prefix}-*")
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
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": group}},
        )

    def _allow_service(self, service: str, actions: Sequence[str], conditions: dict[str, dict[str, str]]) -> None:
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[service_principal(service)],
                actions=list(actions),
                resources=["*"],
                conditions=conditions,
            )
        )
