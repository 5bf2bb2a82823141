"""Where jobs, endpoints and functions run: subnets and security groups, and what a role needs to be there."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam

from .names import EnvironmentNames
from .permissions import allow, allow_without_resource


@dataclass(frozen=True)
class VpcConfig:
    """Subnets and security groups, by their ids. `account` owns them; `*` when another may share them."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    account: str

    @property
    def vpc_config(self) -> dict[str, list[str]]:
        """As SageMaker takes it."""
        return {"Subnets": list(self.subnets), "SecurityGroupIds": list(self.security_groups)}

    def arns(self, names: EnvironmentNames) -> list[str]:
        """The subnets and security groups as a policy names them."""
        parts = [
            *(f"subnet/{each}" for each in self.subnets),
            *(f"security-group/{each}" for each in self.security_groups),
        ]
        return [f"arn:{names.partition}:ec2:{names.region}:{self.account}:{part}" for part in parts]


def function_interfaces(names: EnvironmentNames, vpc: VpcConfig | None) -> list[iam.PolicyStatement]:
    """What Lambda needs in a function's role to put it into the network."""
    own = ["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses", "ec2:DeleteNetworkInterface"]
    return _interfaces(names, vpc, own, ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"])


def job_interfaces(names: EnvironmentNames, vpc: VpcConfig | None) -> list[iam.PolicyStatement]:
    """What SageMaker needs in the role of a job or an endpoint to put it into the network."""
    own = [
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
    ]
    looks = ["DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs"]
    return _interfaces(names, vpc, own, [f"ec2:Describe{what}" for what in looks])


def _interfaces(
    names: EnvironmentNames, vpc: VpcConfig | None, own: Sequence[str], looks: Sequence[str]
) -> list[iam.PolicyStatement]:
    if vpc is None:
        return []
    interfaces = names.arn("ec2", "network-interface/*")
    return [
        allow(["ec2:CreateNetworkInterface"], [interfaces, *vpc.arns(names)]),
        allow(own, [interfaces]),
        allow_without_resource(looks),
    ]
