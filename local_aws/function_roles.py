"""Lambda's check of a function's role when the function gets a VPC configuration: may it create network interfaces?

Source: Lambda developer guide, "Giving Lambda functions access to resources in an Amazon VPC", "Required IAM permissions":
the actions, and "If you don't specify a resource ID for DeleteNetworkInterface in the execution role, your function may
not be able to access the VPC. Either specify a unique resource ID, or include all resource IDs, for example,
"Resource": "arn:aws:ec2:us-west-2:123456789012:*/*"".
"""

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from .authorization import AccessDeniedError
from .interfaces import EmbeddedAws

_ASSIGN = ("AssignPrivateIpAddresses", "UnassignPrivateIpAddresses")
_DESCRIBE = ("DescribeNetworkInterfaces", "DescribeSubnets")


def needs(vpc: Mapping[str, Any], account: str, region: str) -> Iterator[tuple[str, str]]:
    """The (operation of EC2, resource) pairs that the role of a function with `VpcConfig` `vpc` has to be allowed."""
    ec2 = f"arn:aws:ec2:{region}:{account}"
    yield "CreateNetworkInterface", f"{ec2}:network-interface/*"
    for kind, identifiers in (("subnet", vpc["SubnetIds"]), ("security-group", vpc.get("SecurityGroupIds", []))):
        for each in identifiers:
            yield "CreateNetworkInterface", f"{ec2}:{kind}/{each}"
    for operation in _DESCRIBE:
        yield operation, "*"
    yield "DeleteNetworkInterface", f"{ec2}:*/*"
    for operation in _ASSIGN:
        yield operation, f"{ec2}:network-interface/*"


def install(local: EmbeddedAws) -> None:
    """Refuse functions in a VPC whose role lacks a permission, at their creation and at changes of role or VPC."""

    def check(moto: ModuleType, role: str, vpc: Mapping[str, Any] | None, account: str, region: str) -> None:
        for operation, resource in needs(vpc, account, region) if vpc and vpc.get("SubnetIds") else ():
            try:
                local.authorization.check(role, f"ec2:{operation}", resource, region=region)
            except LookupError:
                message = "The role defined for the function cannot be assumed by Lambda."
                raise moto.InvalidParameterValueException(message) from None
            except AccessDeniedError:
                message = f"The provided execution role does not have permissions to call {operation} on EC2"
                raise moto.InvalidParameterValueException(message) from None

    def replace(moto: ModuleType) -> None:
        create, update = moto.LambdaBackend.create_function, moto.LambdaFunction.update_configuration

        def create_where_permitted(self: Any, spec: dict[str, Any]) -> Any:
            check(moto, spec["Role"], spec.get("VpcConfig"), self.account_id, self.region_name)
            return create(self, spec)

        def update_where_permitted(self: Any, changes: dict[str, Any]) -> Any:
            if {"Role", "VpcConfig"} & changes.keys():
                role, vpc = changes.get("Role", self.role), changes.get("VpcConfig", self.vpc_config)
                check(moto, role, vpc, self.account_id, self.region)
            return update(self, changes)

        local.replace(moto.LambdaBackend, "create_function", create_where_permitted)
        local.replace(moto.LambdaFunction, "update_configuration", update_where_permitted)

    local.when_imported("moto.awslambda.models", replace)
