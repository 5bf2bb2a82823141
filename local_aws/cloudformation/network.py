"""Networks: VPCs, subnets, route tables, security groups, endpoints and flow logs."""

import json
from typing import Any

from .resource_types import Context, Physical, Properties, ResourceType, refuse_unknown, request


def _tagged(properties: Properties, kind: str) -> Properties:
    """`properties` with CloudFormation's Tags as EC2's TagSpecifications of a `kind`."""
    rest = {key: value for key, value in properties.items() if key != "Tags"}
    if properties.get("Tags"):
        rest["TagSpecifications"] = [{"ResourceType": kind, "Tags": properties["Tags"]}]
    return rest


def _tag(ec2: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    """Update the tags. The other properties of most types here are create-only."""
    tags = properties.get("Tags", [])
    gone = {tag["Key"] for tag in context.before.get("Tags", [])} - {tag["Key"] for tag in tags}
    if gone:
        ec2.delete_tags(Resources=[physical.identifier], Tags=[{"Key": key} for key in sorted(gone)])
    if tags:
        ec2.create_tags(Resources=[physical.identifier], Tags=tags)
    return physical


_VPC_SWITCHES = ("EnableDnsSupport", "EnableDnsHostnames")


def _create_vpc(ec2: Any, properties: Properties, _: Context) -> Physical:
    vpc = ec2.create_vpc(**request("ec2", "CreateVpc", _tagged(properties, "vpc"), ignore=_VPC_SWITCHES))["Vpc"]
    _switch_vpc(ec2, vpc["VpcId"], properties)
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["SecurityGroups"]
    found = {"VpcId": vpc["VpcId"], "CidrBlock": vpc["CidrBlock"], "DefaultSecurityGroup": groups[0]["GroupId"]}
    return Physical(vpc["VpcId"], found)


def _update_vpc(ec2: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    _switch_vpc(ec2, physical.identifier, properties)
    return _tag(ec2, physical, properties, context)


def _switch_vpc(ec2: Any, vpc: str, properties: Properties) -> None:
    for switch in _VPC_SWITCHES:
        if switch in properties:
            change = {"VpcId": vpc, switch: {"Value": properties[switch]}}
            ec2.modify_vpc_attribute(**request("ec2", "ModifyVpcAttribute", change))


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


def _update_subnet(ec2: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    public = {
        "SubnetId": physical.identifier,
        "MapPublicIpOnLaunch": {"Value": properties.get("MapPublicIpOnLaunch", False)},
    }
    ec2.modify_subnet_attribute(**request("ec2", "ModifySubnetAttribute", public))
    return _tag(ec2, physical, properties, context)


def _create_route_table(ec2: Any, properties: Properties, _: Context) -> Physical:
    made = ec2.create_route_table(**request("ec2", "CreateRouteTable", _tagged(properties, "route-table")))
    identifier = made["RouteTable"]["RouteTableId"]
    return Physical(identifier, {"RouteTableId": identifier})


def _associate(ec2: Any, properties: Properties, _: Context) -> Physical:
    identifier = ec2.associate_route_table(**request("ec2", "AssociateRouteTable", properties))["AssociationId"]
    return Physical(identifier, {"Id": identifier})


WITH_PORTS = ("tcp", "udp", "icmp", "icmpv6", "6", "17", "1", "58")
"""Protocols of rules with ports, or with types of ICMP: rules for others allow all. Source: EC2 API reference, IpPermission."""
_RULES = {"SecurityGroupIngress": "Ingress", "SecurityGroupEgress": "Egress"}


def _create_security_group(ec2: Any, properties: Properties, context: Context) -> Physical:
    wanted = _tagged(properties, "security-group") | {"Description": properties["GroupDescription"]}
    wanted.setdefault("GroupName", context.name[:255])
    made = request("ec2", "CreateSecurityGroup", wanted, ignore=("GroupDescription", *_RULES))
    group = ec2.create_security_group(**made)["GroupId"]
    _put_rules(ec2, group, properties, properties)
    return Physical(group, {"GroupId": group, "VpcId": properties["VpcId"]})


def _update_security_group(ec2: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    changed = {key: properties.get(key, []) for key in _RULES if properties.get(key) != context.before.get(key)}
    _put_rules(ec2, physical.identifier, changed, properties)
    return _tag(ec2, physical, properties, context)


def _put_rules(ec2: Any, group: str, changed: Properties, properties: Properties) -> None:
    """Replace the rules of each direction in `changed`, such as EC2's own first rule, which allows everything out."""
    existing = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    for name, direction in _RULES.items():
        if name not in changed:
            continue
        if old := existing["IpPermissionsEgress" if direction == "Egress" else "IpPermissions"]:
            getattr(ec2, f"revoke_security_group_{direction.lower()}")(GroupId=group, IpPermissions=old)
        if rules := properties.get(name):
            change = {"GroupId": group, "IpPermissions": [_permission(rule, direction) for rule in rules]}
            operation = f"AuthorizeSecurityGroup{direction}"
            getattr(ec2, f"authorize_security_group_{direction.lower()}")(**request("ec2", operation, change))


def _permission(rule: Properties, direction: str) -> Properties:
    """One CloudFormation rule as one of EC2's IpPermissions. Raises ValueError naming what is not supported."""
    described = {"Description": rule["Description"]} if "Description" in rule else {}
    permission = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
    if rule["IpProtocol"] not in (*WITH_PORTS, "-1"):
        permission |= {"FromPort": -1, "ToPort": -1}  # Moto wants ports
    other = "SourceSecurityGroupId" if direction == "Ingress" else "DestinationSecurityGroupId"
    known = {"Description", "CidrIp", other, *permission}
    refuse_unknown("AWS::EC2::SecurityGroup", rule, known)
    if "CidrIp" in rule:
        return permission | {"IpRanges": [{"CidrIp": rule["CidrIp"], **described}]}
    return permission | {"UserIdGroupPairs": [{"GroupId": rule[other], **described}]}


def _create_endpoint(ec2: Any, properties: Properties, _: Context) -> Physical:
    made = ec2.create_vpc_endpoint(**request("ec2", "CreateVpcEndpoint", _tagged(properties, "vpc-endpoint")))
    identifier = made["VpcEndpoint"]["VpcEndpointId"]
    return Physical(identifier, {"Id": identifier})


def _update_endpoint(ec2: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    change: dict[str, Any] = {"VpcEndpointId": physical.identifier}
    if "PolicyDocument" in properties:
        change["PolicyDocument"] = json.dumps(properties["PolicyDocument"])
    if "PrivateDnsEnabled" in properties:
        change["PrivateDnsEnabled"] = properties["PrivateDnsEnabled"]
    for name in ("RouteTableIds", "SubnetIds", "SecurityGroupIds"):
        new, old = (set(each.get(name, [])) for each in (properties, context.before))
        change |= {f"Add{name}": sorted(new - old)} if new - old else {}
        change |= {f"Remove{name}": sorted(old - new)} if old - new else {}
    ec2.modify_vpc_endpoint(**request("ec2", "ModifyVpcEndpoint", change))
    return _tag(ec2, physical, properties, context)


def _create_flow_log(ec2: Any, properties: Properties, _: Context) -> Physical:
    wanted = _tagged(properties, "vpc-flow-log") | {"ResourceIds": [properties["ResourceId"]]}
    made = ec2.create_flow_logs(**request("ec2", "CreateFlowLogs", wanted, ignore=("ResourceId",)))
    if made.get("Unsuccessful"):
        raise ValueError(made["Unsuccessful"][0]["Error"]["Message"])
    return Physical(made["FlowLogIds"][0], {"Id": made["FlowLogIds"][0]})


TYPES = [
    ResourceType(
        "AWS::EC2::VPC",
        "ec2",
        _create_vpc,
        lambda ec2, physical: ec2.delete_vpc(VpcId=physical.identifier),
        _update_vpc,
    ),
    ResourceType(
        "AWS::EC2::Subnet",
        "ec2",
        _create_subnet,
        lambda ec2, physical: ec2.delete_subnet(SubnetId=physical.identifier),
        _update_subnet,
    ),
    ResourceType(
        "AWS::EC2::RouteTable",
        "ec2",
        _create_route_table,
        lambda ec2, physical: ec2.delete_route_table(RouteTableId=physical.identifier),
        _tag,
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
        _update_security_group,
        "GroupName",
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
        _tag,
    ),
]
