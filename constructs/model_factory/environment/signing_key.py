"""An asymmetric KMS key that one role alone may sign with."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from ..core.removal import retained_after_creation

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
        alias: Alias of the key.
        description: What it signs.
        signer: ARN of the role that may sign. It need not exist yet.
        removal: What happens to the key when the stack is deleted. Default: RemovalPolicy.RETAIN.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alias: str,
        description: str,
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
            alias=alias,
            description=description,
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            policy=iam.PolicyDocument(statements=[administer, sign]),
            removal_policy=retained_after_creation(removal),
        )
        self.key = cast(kms.IKey, key)
        """The key as other constructs take it."""
