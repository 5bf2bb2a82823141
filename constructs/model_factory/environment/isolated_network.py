"""Isolated VPC: private subnets, VPC endpoints for the AWS services that the factory calls, and a flow log."""

from collections.abc import Sequence
from typing import Any, cast

from aws_cdk import CfnTag, Fn, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from ..core.bootstrapping import assets_bucket_arn, qualifier_of
from ..core.encryption_key import key_or_own
from ..core.nag import in_both_packs, suppress
from ..core.names import EnvironmentNames, StackLocation
from ..core.network import VpcConfig
from ..core.permissions import allow, service_role
from .vpc_endpoint_policies import (
    INTERFACE_SERVICES,
    account_policy,
    account_storage_policy,
    interface_policies,
    storage_policy,
)

_NETWORK = "10.0.0.0/16"
_SUBNETS = ("10.0.0.0/20", "10.0.16.0/20")  # one a zone, 4,091 addresses each; an instance takes one or two
_HTTPS = 443
_PEERS: tuple[dict[str, Any], ...] = tuple(
    {"cidr_ip": _NETWORK, "description": "Instances of one training", **protocol}
    for protocol in (
        {"ip_protocol": "tcp", "from_port": 0, "to_port": 65535},
        {"ip_protocol": "udp", "from_port": 500, "to_port": 500},
        {"ip_protocol": "50"},
    )
)
"""Rules in both directions: ports that libraries choose, and IPsec, which encrypts what goes through them.

Source: developer guide, "Protect Communications Between ML Compute Instances in a Distributed Training Job". Workloads and VPC
endpoints are alone in the network.
"""
_DEFAULT_GROUP = (
    "CloudFormation cannot empty a network's default group. Nothing is in it: jobs, endpoints, functions and interface "
    "endpoints all name their own groups, and the network has no route out."
)


class IsolatedNetwork(Construct):
    """A VPC with two private subnets, without internet gateway or NAT gateway, with endpoints for AWS services.

    The services are S3, the SageMaker API, CloudWatch metrics, Systems Manager, SQS, EventBridge and
    Application Auto Scaling.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment: endpoint policies allow its buckets alone, and the flow log is the log group
            `/aws/vpc/<prefix>`. Default: endpoint policies allow every call of the account's principals, to S3 those to
            the account's buckets, and CloudFormation generates names.
        key: Key that encrypts the flow log. Default: a key of its own.
        statements: Statements of the roles of functions in the VPC. With names, endpoint policies allow these calls and
            no others. Default: none.
        checkpoints: Whether trainings on spot capacity keep checkpoints in the environment's bucket. Default: False.
        peers: Whether a training has several instances, which connect to each other. Default: False.
        availability_zones: Two Availability Zones that have the interface endpoints' services and the instance types.
            Default: the first two of the region.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames | None = None,
        key: kms.IKey | None = None,
        statements: Sequence[iam.PolicyStatement] = (),
        checkpoints: bool = False,
        peers: bool = False,
        availability_zones: Sequence[str] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._names, self._at, self._checkpoints = names, names or StackLocation.of(self), checkpoints
        self._title = names.prefix if names else self.node.path
        self._tags = [CfnTag(key="Name", value=self._title)]
        self._vpc = ec2.CfnVPC(
            self, "Vpc", cidr_block=_NETWORK, enable_dns_hostnames=True, enable_dns_support=True, tags=self._tags
        )
        suppress(self._vpc, in_both_packs("VPCDefaultSecurityGroupClosed", _DEFAULT_GROUP))
        routes = ec2.CfnRouteTable(self, "Routes", vpc_id=self._vpc.attr_vpc_id, tags=self._tags)
        zones = availability_zones or [_zone(index) for index in range(len(_SUBNETS))]
        subnets = [
            self._subnet(number, zone, block, routes)
            for number, (zone, block) in enumerate(zip(zones, _SUBNETS, strict=True), start=1)
        ]
        workloads = self._workloads(peers=peers)
        self._endpoints(subnets, self._endpoint_group(workloads), routes, statements)
        self._flow_log(key_or_own(self, key, names, logs=True))
        self.vpc = VpcConfig(tuple(subnets), (workloads.attr_group_id,), self._at.account)
        """Subnets and the security group of workloads, for jobs, endpoints and functions."""
        self.security_group = ec2.SecurityGroup.from_security_group_id(
            self, "WorkloadsGroup", workloads.attr_group_id, mutable=False
        )
        """The security group of workloads. A workload that has it can connect to the VPC endpoints."""
        self.ec2_vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "ImportedVpc",
            vpc_id=self._vpc.attr_vpc_id,
            availability_zones=list(zones),
            isolated_subnet_ids=subnets,
        )
        """The VPC as CDK's own constructs take it."""

    def _subnet(self, number: int, zone: str, block: str, routes: ec2.CfnRouteTable) -> str:
        subnet = ec2.CfnSubnet(
            self,
            f"Subnet{number}",
            vpc_id=self._vpc.attr_vpc_id,
            availability_zone=zone,
            cidr_block=block,
            map_public_ip_on_launch=False,
            tags=self._tags,
        )
        ec2.CfnSubnetRouteTableAssociation(
            self, f"Routes{number}", subnet_id=subnet.attr_subnet_id, route_table_id=routes.attr_route_table_id
        )
        return subnet.attr_subnet_id

    def _workloads(self, *, peers: bool) -> ec2.CfnSecurityGroup:
        # The prefix list of S3 has a different id in each region. The route table and the endpoints' policies limit
        # where these connections can go.
        out = ec2.CfnSecurityGroup.EgressProperty(
            ip_protocol="tcp", from_port=_HTTPS, to_port=_HTTPS, cidr_ip="0.0.0.0/0", description="AWS services"
        )
        rules = _PEERS if peers else ()
        return ec2.CfnSecurityGroup(
            self,
            "Workloads",
            group_description=f"Jobs, endpoints and functions of {self._title}",
            vpc_id=self._vpc.attr_vpc_id,
            security_group_egress=[out, *(ec2.CfnSecurityGroup.EgressProperty(**rule) for rule in rules)],
            security_group_ingress=[ec2.CfnSecurityGroup.IngressProperty(**rule) for rule in rules] or None,
            tags=self._tags,
        )

    def _endpoint_group(self, workloads: ec2.CfnSecurityGroup) -> ec2.CfnSecurityGroup:
        # Without a rule, EC2 would add one that allows all outbound traffic. Nothing has this address.
        none = ec2.CfnSecurityGroup.EgressProperty(
            ip_protocol="icmp", from_port=252, to_port=86, cidr_ip="255.255.255.255/32", description="No destination"
        )
        into = ec2.CfnSecurityGroup.IngressProperty(
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            source_security_group_id=workloads.attr_group_id,
            description="Jobs, endpoints and functions",
        )
        return ec2.CfnSecurityGroup(
            self,
            "Services",
            group_description=f"VPC endpoints of {self._title}",
            vpc_id=self._vpc.attr_vpc_id,
            security_group_ingress=[into],
            security_group_egress=[none],
            tags=self._tags,
        )

    def _endpoints(
        self,
        subnets: Sequence[str],
        group: ec2.CfnSecurityGroup,
        routes: ec2.CfnRouteTable,
        statements: Sequence[iam.PolicyStatement],
    ) -> None:
        names = self._names
        self._endpoint(
            "S3",
            ec2.GatewayVpcEndpointAwsService.S3.name,
            storage_policy(names, assets_bucket_arn(names, qualifier_of(self)), checkpoints=self._checkpoints)
            if names
            else account_storage_policy(self._at),
            kind="Gateway",
            route_table_ids=[routes.attr_route_table_id],
        )
        policies = interface_policies(names, statements) if names else {}
        for service, prefix in INTERFACE_SERVICES.items():
            self._endpoint(
                "".join(part.capitalize() for part in service.replace(".", "-").split("-")),
                ec2.InterfaceVpcEndpointAwsService(service).name,
                policies[prefix] if names else account_policy(self._at, prefix),
                kind="Interface",
                private_dns_enabled=True,
                security_group_ids=[group.attr_group_id],
                subnet_ids=list(subnets),
            )

    def _endpoint(
        self, construct_id: str, service: str, statements: Sequence[iam.PolicyStatement], *, kind: str, **more: Any
    ) -> None:
        ec2.CfnVPCEndpoint(
            self,
            construct_id,
            service_name=service,
            vpc_endpoint_type=kind,
            vpc_id=self._vpc.attr_vpc_id,
            policy_document=iam.PolicyDocument(statements=list(statements)),
            **more,
        )

    def _flow_log(self, key: kms.IKey) -> None:
        names = self._names
        group = logs.LogGroup(
            self,
            "Connections",
            log_group_name=names.network_log_group if names else None,
            encryption_key=key,
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=RemovalPolicy.DESTROY,
        )
        group_name = names.network_log_group if names else group.log_group_name
        arn = self._at.arn("logs", f"log-group:{group_name}")
        role = service_role(
            self,
            "ConnectionsRole",
            names=names,
            name=names.role("network-log") if names else None,
            service="vpc-flow-logs",
            description=f"Flow log of the VPC of {self._title}",
            statements=[
                allow(["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], [arn, f"{arn}:*"])
            ],
            open_resources="EC2 names the streams of this one log group itself.",
        )
        log = ec2.CfnFlowLog(
            self,
            "ConnectionLog",
            resource_id=self._vpc.attr_vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=group_name,
            deliver_logs_permission_arn=role.role_arn,
            tags=self._tags,
        )
        if names:  # The log group is known by name, which says nothing about the order.
            log.node.add_dependency(cast(Construct, group))


def _zone(index: int) -> str:
    """Availability zone by its number in the region. CloudFormation knows the zones; synthesis looks nothing up."""
    return Fn.select(index, Fn.get_azs())
