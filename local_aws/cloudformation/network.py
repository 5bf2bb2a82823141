"""Networks: VPCs, subnets, route tables, security groups, endpoints and flow logs."""

import json
from typing import Any

from .resource_types import Context, Physical, Properties, ResourceType, request


def _tagged(properties: Properties, kind: str) -> Properties:
    """`properties` with CloudFormation's Tags as EC2's TagSpecifications of a `kind`."""
    rest = {key: value for key, value in properties.items() if key != "Tags"}
    if properties.get("Tags"):
        rest["TagSpecifications"] = [{"ResourceType": kind, "Tags": properties["Tags"]}]
    return rest


def _create_vpc(ec2: Any, properties: Properties, _: Context) -> Physical:
    switches = ("EnableDnsSupport", "EnableDnsHostnames")
    vpc = ec2.create_vpc(**request("ec2", "CreateVpc", _tagged(properties, "vpc"), ignore=switches))["Vpc"]
    for switch in switches:
        if switch in properties:
            change = {"VpcId": vpc["VpcId"], switch: {"Value": properties[switch]}}
            ec2.modify_vpc_attribute(**request("ec2", "ModifyVpcAttribute", change))
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["SecurityGroups"]
    found = {"VpcId": vpc["VpcId"], "CidrBlock": vpc["CidrBlock"], "DefaultSecurityGroup": groups[0]["GroupId"]}
    return Physical(vpc["VpcId"], found)


def _create_subnet(ec2: Any, properties: Properties, _: Context) -> Physical:
    public = "MapPublicIpOnLaunch"
    subnet = ec2.create_subnet(**request("ec2", "CreateSubnet", _tagged(properties, "subnet"), ignore=(public,)))[
        "Subnet"
    ]
    if public in properties:
        change = {"SubnetId": subnet["SubnetId"], public: {"Value": properties[public]}}
        ec2.modify_subnet_attribute(**request("ec2", "ModifySubnetAttribute", change))
    facts = {key: subnet[key] for key in ("SubnetId", "VpcId", "AvailabilityZone", "CidrBlock")}
    return Physical(subnet["SubnetId"], facts)


def _create_route_table(ec2: Any, properties: Properties, _: Context) -> Physical:
    made = ec2.create_route_table(**request("ec2", "CreateRouteTable", _tagged(properties, "route-table")))
    identifier = made["RouteTable"]["RouteTableId"]
    return Physical(identifier, {"RouteTableId": identifier})


def _associate(ec2: Any, properties: Properties, _: Context) -> Physical:
    identifier = ec2.associate_route_table(**request("ec2", "AssociateRouteTable", properties))["AssociationId"]
    return Physical(identifier, {"Id": identifier})


def _create_security_group(ec2: Any, properties: Properties, context: Context) -> Physical:
    rules = {"SecurityGroupIngress": "Ingress", "SecurityGroupEgress": "Egress"}
    wanted = _tagged(properties, "security-group") | {"Description": properties["GroupDescription"]}
    wanted.setdefault("GroupName", context.name[:255])
    made = request("ec2", "CreateSecurityGroup", wanted, ignore=("GroupDescription", *rules))
    group = ec2.create_security_group(**made)["GroupId"]
    if properties.get("SecurityGroupEgress"):  # replaces EC2's default rule, which allows everything
        found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=found)
    for name, direction in rules.items():
        if properties.get(name):
            change = {"GroupId": group, "IpPermissions": [_permission(rule, direction) for rule in properties[name]]}
            operation = f"AuthorizeSecurityGroup{direction}"
            getattr(ec2, f"authorize_security_group_{direction.lower()}")(**request("ec2", operation, change))
    return Physical(group, {"GroupId": group, "VpcId": properties["VpcId"]})


def _permission(rule: Properties, direction: str) -> Properties:
    """One CloudFormation rule as one of EC2's IpPermissions. Raises ValueError naming what is not supported."""
    described = {"Description": rule["Description"]} if "Description" in rule else {}
    permission = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
    other = "SourceSecurityGroupId" if direction == "Ingress" else "DestinationSecurityGroupId"
    known = {"Description", "CidrIp", other, *permission}
    if unknown := set(rule) - known:
        raise ValueError(f"AWS::EC2::SecurityGroup: the embedded AWS does not support {', '.join(sorted(unknown))}")
    if "CidrIp" in rule:
        return permission | {"IpRanges": [{"CidrIp": rule["CidrIp"], **described}]}
    return permission | {"UserIdGroupPairs": [{"GroupId": rule[other], **described}]}


def _create_endpoint(ec2: Any, properties: Properties, _: Context) -> Physical:
    made = ec2.create_vpc_endpoint(**request("ec2", "CreateVpcEndpoint", _tagged(properties, "vpc-endpoint")))
    identifier = made["VpcEndpoint"]["VpcEndpointId"]
    return Physical(identifier, {"Id": identifier})


def _update_endpoint(ec2: Any, physical: Physical, properties: Properties, _: Context) -> Physical:
    """Update the policy; the other properties of an endpoint are not updated."""
    policy = json.dumps(properties["PolicyDocument"])
    ec2.modify_vpc_endpoint(VpcEndpointId=physical.identifier, PolicyDocument=policy)
    return physical


def _create_flow_log(ec2: Any, properties: Properties, _: Context) -> Physical:
    wanted = _tagged(properties, "vpc-flow-log") | {"ResourceIds": [properties["ResourceId"]]}
    made = ec2.create_flow_logs(**request("ec2", "CreateFlowLogs", wanted, ignore=("ResourceId",)))
    if made.get("Unsuccessful"):
        raise ValueError(made["Unsuccessful"][0]["Error"]["Message"])
    return Physical(made["FlowLogIds"][0], {"Id": made["FlowLogIds"][0]})


TYPES = [
    ResourceType("AWS::EC2::VPC", "ec2", _create_vpc, lambda ec2, physical: ec2.delete_vpc(VpcId=physical.identifier)),
    ResourceType(
        "AWS::EC2::Subnet", "ec2", _create_subnet, lambda ec2, physical: ec2.delete_subnet(SubnetId=physical.identifier)
    ),
    ResourceType(
        "AWS::EC2::RouteTable",
        "ec2",
        _create_route_table,
        lambda ec2, physical: ec2.delete_route_table(RouteTableId=physical.identifier),
    ),
    ResourceType(
        "AWS::EC2::SubnetRouteTableAssociation",
        "ec2",
        _associate,
        lambda ec2, physical: ec2.disassociate_route_table(AssociationId=physical.identifier),
    ),
    ResourceType(
        "AWS::EC2::SecurityGroup",
        "ec2",
        _create_security_group,
        lambda ec2, physical: ec2.delete_security_group(GroupId=physical.identifier),
    ),
    ResourceType(
        "AWS::EC2::VPCEndpoint",
        "ec2",
        _create_endpoint,
        lambda ec2, physical: ec2.delete_vpc_endpoints(VpcEndpointIds=[physical.identifier]),
        _update_endpoint,
    ),
    ResourceType(
        "AWS::EC2::FlowLog",
        "ec2",
        _create_flow_log,
        lambda ec2, physical: ec2.delete_flow_logs(FlowLogIds=[physical.identifier]),
    ),
]
