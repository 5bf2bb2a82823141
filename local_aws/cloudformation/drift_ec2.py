"""What drift detection compares of networks."""

import json
from typing import Any

from .drift_reader import Properties, Reader, in_order, one
from .network import WITH_PORTS


def _vpc(ec2: Any, identifier: str) -> Properties:
    found = one(ec2.describe_vpcs(VpcIds=[identifier])["Vpcs"])
    names = ("EnableDnsSupport", "EnableDnsHostnames")
    settings = {
        name: ec2.describe_vpc_attribute(VpcId=identifier, Attribute=name[0].lower() + name[1:])[name]["Value"]
        for name in names
    }
    return {**found, **settings}


def _association(ec2: Any, identifier: str) -> Properties:
    tables = ec2.describe_route_tables()["RouteTables"]
    return one([a for table in tables for a in table["Associations"] if a["RouteTableAssociationId"] == identifier])


def _endpoint(ec2: Any, identifier: str) -> Properties:
    found = one(ec2.describe_vpc_endpoints(VpcEndpointIds=[identifier])["VpcEndpoints"])
    groups = [each["GroupId"] for each in found.get("Groups", [])]
    return {**found, "PolicyDocument": json.loads(found["PolicyDocument"]), "SecurityGroupIds": groups}


def _security_group(ec2: Any, identifier: str) -> Properties:
    found = one(ec2.describe_security_groups(GroupIds=[identifier])["SecurityGroups"])
    return {
        "GroupDescription": found["Description"],
        "VpcId": found["VpcId"],
        "SecurityGroupIngress": list(_rules(found["IpPermissions"], "SourceSecurityGroupId")),
        "SecurityGroupEgress": list(_rules(found["IpPermissionsEgress"], "DestinationSecurityGroupId")),
    }


def _rules(permissions: list[dict[str, Any]], group_key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for each in permissions:
        common = {key: each[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in each}
        found += [{**common, "CidrIp": target["CidrIp"]} for target in each.get("IpRanges", [])]
        found += [{**common, group_key: target["GroupId"]} for target in each.get("UserIdGroupPairs", [])]
    return found


def _rule_sets(properties: Properties) -> Properties:
    def form(rules: Any) -> list[str]:
        described = [{key: str(value) for key, value in rule.items() if key != "Description"} for rule in rules or []]
        # Rules for all protocols, and for those without ports, have none, whatever the template says.
        return sorted(
            json.dumps(
                {k: v for k, v in rule.items() if rule["IpProtocol"] in WITH_PORTS or "Port" not in k}, sort_keys=True
            )
            for rule in described
        )

    return {key: form(value) if key.startswith("SecurityGroup") else value for key, value in properties.items()}


EC2_READERS: dict[str, Reader] = {
    "AWS::EC2::FlowLog": Reader(
        "ec2",
        ("TrafficType", "LogDestinationType", "LogGroupName", "DeliverLogsPermissionArn", "MaxAggregationInterval"),
        lambda ec2, identifier: one(ec2.describe_flow_logs(FlowLogIds=[identifier])["FlowLogs"]),
    ),
    "AWS::EC2::RouteTable": Reader(
        "ec2", ("VpcId",), lambda ec2, each: one(ec2.describe_route_tables(RouteTableIds=[each])["RouteTables"])
    ),
    "AWS::EC2::SecurityGroup": Reader(
        "ec2",
        ("GroupDescription", "VpcId", "SecurityGroupIngress", "SecurityGroupEgress"),
        _security_group,
        _rule_sets,
    ),
    "AWS::EC2::Subnet": Reader(
        "ec2",
        ("CidrBlock", "AvailabilityZone", "MapPublicIpOnLaunch", "VpcId"),
        lambda ec2, identifier: one(ec2.describe_subnets(SubnetIds=[identifier])["Subnets"]),
    ),
    "AWS::EC2::SubnetRouteTableAssociation": Reader("ec2", ("RouteTableId", "SubnetId"), _association),
    "AWS::EC2::VPC": Reader("ec2", ("CidrBlock", "InstanceTenancy", "EnableDnsSupport", "EnableDnsHostnames"), _vpc),
    "AWS::EC2::VPCEndpoint": Reader(
        "ec2",
        (
            *("VpcId", "ServiceName", "VpcEndpointType", "PrivateDnsEnabled", "PolicyDocument"),
            *("SubnetIds", "RouteTableIds", "SecurityGroupIds"),
        ),
        _endpoint,
        in_order("SubnetIds", "RouteTableIds", "SecurityGroupIds"),
    ),
}
