"""VPC configuration of jobs, endpoints and functions, and the permissions that their roles need for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, cast

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from .names import Arns
from .permissions import allow, allow_without_resource

_OWN_GROUP = "ModelFactoryWorkloads"


@dataclass(frozen=True)
class VpcConfig:
    """Subnets and security groups of jobs, endpoints and functions.

    Args:
        subnets: Ids of subnets.
        security_groups: Ids of security groups.
        account: Id of the account that owns them; `*` when another account shares them.
    """

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    account: str

    @classmethod
    def from_vpc(
        cls,
        vpc: ec2.IVpc,
        *,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
    ) -> Self:
        """Subnets and security groups of a VPC.

        Args:
            vpc: A VPC of the app, or an imported one.
            subnets: Which subnets. Default: the private subnets, as `vpc.select_subnets()` has it.
            security_groups: Security groups. Default: one new security group in the stack of `vpc`, which allows all
                outbound connections and no inbound ones.
        """
        selected = vpc.select_subnets(
            availability_zones=subnets.availability_zones if subnets else None,
            one_per_az=subnets.one_per_az if subnets else None,
            subnet_filters=subnets.subnet_filters if subnets else None,
            subnet_group_name=subnets.subnet_group_name if subnets else None,
            subnets=subnets.subnets if subnets else None,
            subnet_type=subnets.subnet_type if subnets else None,
        )
        groups = [_own_group(vpc)] if security_groups is None else security_groups
        # An imported VPC can belong to an account that shares it; the ids are unique in all accounts.
        account = Stack.of(vpc).account if isinstance(vpc, ec2.Vpc) else "*"
        return cls(tuple(selected.subnet_ids), tuple(group.security_group_id for group in groups), account)

    @property
    def vpc_config(self) -> dict[str, list[str]]:
        """`VpcConfig` of requests to SageMaker."""
        return {"Subnets": list(self.subnets), "SecurityGroupIds": list(self.security_groups)}

    def arns(self, names: Arns) -> list[str]:
        """ARNs of the subnets and security groups, for policies."""
        parts = [
            *(f"subnet/{each}" for each in self.subnets),
            *(f"security-group/{each}" for each in self.security_groups),
        ]
        return [f"arn:{names.partition}:ec2:{names.region}:{self.account}:{part}" for part in parts]


def _own_group(vpc: ec2.IVpc) -> ec2.ISecurityGroup:
    scope = cast(Construct, vpc)
    existing = scope.node.try_find_child(_OWN_GROUP)
    if existing:
        return cast(ec2.ISecurityGroup, existing)
    group = ec2.SecurityGroup(scope, _OWN_GROUP, vpc=vpc, description="Jobs, endpoints and functions")
    return cast(ec2.ISecurityGroup, group)


def function_interfaces(names: Arns, vpc: VpcConfig | None) -> list[iam.PolicyStatement]:
    """Statements that Lambda needs in a function's role to connect it to the VPC.

    Lambda checks the permission to delete an interface before there is one, on every resource (Lambda developer guide,
    "Giving Lambda functions access to resources in an Amazon VPC"): `network-interface/*` is not enough to create the
    function. The function's own code may not use these permissions.
    """
    if vpc is None:
        return []
    own = ["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses", "ec2:DeleteNetworkInterface"]
    looks = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    statements = _interfaces(names, vpc, own, looks, own_resource="*/*")
    return [*statements, _deny_code(["ec2:CreateNetworkInterface", *own, *looks])]


def _deny_code(actions: Sequence[str]) -> iam.PolicyStatement:
    """Deny `actions` to the code of functions: only its calls carry `lambda:SourceFunctionArn`, Lambda's own do not."""
    return iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=list(actions),
        resources=["*"],
        conditions={"Null": {"lambda:SourceFunctionArn": "false"}},
    )


def job_interfaces(names: Arns, vpc: VpcConfig | None) -> list[iam.PolicyStatement]:
    """Statements that SageMaker needs in the role of a job or an endpoint to connect it to the VPC."""
    own = [
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
    ]
    looks = ["DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs"]
    return _interfaces(names, vpc, own, [f"ec2:Describe{what}" for what in looks])


def _interfaces(
    names: Arns,
    vpc: VpcConfig | None,
    own: Sequence[str],
    looks: Sequence[str],
    own_resource: str = "network-interface/*",
) -> list[iam.PolicyStatement]:
    if vpc is None:
        return []
    interfaces = names.arn("ec2", "network-interface/*")
    return [
        allow(["ec2:CreateNetworkInterface"], [interfaces, *vpc.arns(names)]),
        allow(own, [names.arn("ec2", own_resource)]),
        allow_without_resource(looks),
    ]
