"""EC2 networks: their ranges of addresses and security groups."""

import re
from functools import partial
from ipaddress import IPv4Network
from typing import Any

from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import every

_GROUPS = "EC2 API reference, CreateSecurityGroup"
_group = partial(Rule, CLOUDFORMATION, "AWS::EC2::SecurityGroup")


def _range(value: Any) -> IPv4Network | None:
    try:
        # EC2 clears the bits of the host part itself.
        return IPv4Network(str(value), strict=False) if "/" in str(value) else None
    except ValueError:
        return None


def _cidr(request: Request) -> Values | None:
    block = request.params.get("CidrBlock")
    if block is None:
        return None
    found = _range(block)
    return None if found and 16 <= found.prefixlen <= 28 else {"block": block}


def _outside(request: Request) -> Values | None:
    block, vpc = _range(request.params.get("CidrBlock")), request.find("vpc", str(request.params.get("VpcId")))
    if block is None or vpc is None or block.subnet_of(IPv4Network(vpc["CidrBlock"])):
        return None
    return {"block": block}


def _overlap(request: Request) -> Values | None:
    block, vpc = _range(request.params.get("CidrBlock")), request.find("vpc", str(request.params.get("VpcId")))
    taken = [IPv4Network(each) for each in (vpc or {}).get("Subnets", [])]
    return {"block": block} if block and any(_overlaps(block, each) for each in taken) else None


def _overlaps(block: IPv4Network, taken: IPv4Network) -> bool:
    """An update finds the subnet itself among the VPC's."""
    return block.overlaps(taken) and block != taken


def _description(request: Request) -> bool:
    text = str(request.params.get("GroupDescription", ""))
    return not re.fullmatch(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}", text)


def _group_name(request: Request) -> bool:
    return str(request.params.get("GroupName")).startswith("sg-")


def _default(request: Request) -> bool:
    return request.params.get("GroupName") == "default"


def _entries(request: Request) -> list[dict[str, Any]]:
    return every(request.params.get("SecurityGroupIngress")) + every(request.params.get("SecurityGroupEgress"))


def _many_rules(request: Request) -> bool:
    return any(len(every(request.params.get(f"SecurityGroup{each}"))) > 60 for each in ("Ingress", "Egress"))


def _ports(request: Request) -> Values | None:
    for each in _entries(request):
        least, most = int(each.get("FromPort", 0)), int(each.get("ToPort", 65535))
        if str(each.get("IpProtocol")) in ("tcp", "udp", "6", "17") and not 0 <= least <= most <= 65535:
            return {"least": least, "most": most}
    return None


def _rule_range(request: Request) -> Values | None:
    for each in _entries(request):
        block = each.get("CidrIp")
        if block is not None and _range(block) is None:
            return {"block": block}
    return None


def _range_and_group(request: Request) -> bool:
    return any({"CidrIp", "SourceSecurityGroupId"} <= each.keys() for each in _entries(request))


def _peer(request: Request) -> bool:
    peers = (
        "CidrIp", "CidrIpv6", "SourcePrefixListId", "SourceSecurityGroupId", "SourceSecurityGroupName",
        "DestinationPrefixListId", "DestinationSecurityGroupId",
    )  # fmt: skip
    return any(sum(name in each for name in peers) != 1 for each in _entries(request))


def _opened(**rule: Any) -> dict[str, Any]:
    members = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/16"} | rule
    return {"GroupDescription": "jobs", "SecurityGroupIngress": [members]}


VPC = {"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": True, "EnableDnsHostnames": True, "Subnets": ["10.0.0.0/24"]}
GIVEN = {
    "vpc/vpc-1": VPC,
    "vpc/vpc-2": VPC | {"EnableDnsHostnames": False},
    "subnet/subnet-1": {"AvailabilityZone": "us-east-1a"},
    "subnet/subnet-2": {"AvailabilityZone": "us-east-1b"},
    "subnet/subnet-3": {"AvailabilityZone": "us-east-1a"},
}

ENTRIES: tuple[Entry, ...] = (
    Rule(
        CLOUDFORMATION,
        "AWS::EC2::VPC",
        says="The range of a VPC is between /16 and /28.",
        source="VPC user guide, VPC CIDR blocks",
        code="InvalidVpc.Range",
        message="The CIDR '{block}' is invalid.",
        check=_cidr,
        accepted={"CidrBlock": "10.0.0.0/16"},
        refused={"CidrBlock": "10.0.0.0/8"},
    ),
    Rule(
        CLOUDFORMATION,
        "AWS::EC2::Subnet",
        says="The range of a subnet is between /16 and /28.",
        source="VPC user guide, Subnet CIDR blocks",
        code="InvalidSubnet.Range",
        message="The CIDR '{block}' is invalid.",
        check=_cidr,
        accepted={"VpcId": "vpc-1", "CidrBlock": "10.0.1.0/28"},
        refused={"VpcId": "vpc-1", "CidrBlock": "10.0.1.0/29"},
        given=GIVEN,
    ),
    Rule(
        CLOUDFORMATION,
        "AWS::EC2::Subnet",
        says="The range of a subnet is within the VPC's.",
        source="VPC user guide, Subnet CIDR blocks",
        code="InvalidSubnet.Range",
        message="The CIDR '{block}' is invalid.",
        check=_outside,
        accepted={"VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"},
        refused={"VpcId": "vpc-1", "CidrBlock": "10.1.0.0/24"},
        given=GIVEN,
    ),
    Rule(
        CLOUDFORMATION,
        "AWS::EC2::Subnet",
        says="Ranges of subnets do not overlap.",
        source="VPC user guide, Subnet CIDR blocks",
        code="InvalidSubnet.Conflict",
        message="The CIDR '{block}' conflicts with another subnet",
        check=_overlap,
        accepted={"VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"},
        refused={"VpcId": "vpc-1", "CidrBlock": "10.0.0.128/25"},
        given=GIVEN,
    ),
    _group(
        says="A security group's description has up to 255 letters, digits, spaces and some symbols.",
        source=_GROUPS,
        code="InvalidParameterValue",
        message="Invalid security group description. Valid descriptions are strings less than 256 characters from the following "
        "set: a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*",
        check=_description,
        accepted={"GroupDescription": "Jobs of acme-dev"},
        refused={"GroupDescription": "Aufträge"},
    ),
    _group(
        says="A security group's name does not begin with sg-.",
        source=_GROUPS,
        code="InvalidParameterValue",
        message="Value for parameter groupName is invalid. Group names may not be in the format sg-*.",
        check=_group_name,
        accepted={"GroupName": "jobs", "GroupDescription": "jobs"},
        refused={"GroupName": "sg-jobs", "GroupDescription": "jobs"},
    ),
    _group(
        says="The name default is reserved.",
        source="VPC user guide, Default security groups for your VPCs",
        code="InvalidParameterValue",
        message="Cannot use reserved security group name: default",
        check=_default,
        accepted={"GroupName": "jobs", "GroupDescription": "jobs"},
        refused={"GroupName": "default", "GroupDescription": "jobs"},
    ),
    _group(
        says="A security group has up to 60 rules in each direction.",
        source="VPC user guide, Amazon VPC quotas",
        code="RulesPerSecurityGroupLimitExceeded",
        message="The maximum number of rules per security group has been reached.",
        check=_many_rules,
        accepted=_opened(),
        refused={
            "GroupDescription": "jobs",
            "SecurityGroupIngress": [{"IpProtocol": "tcp", "CidrIp": "10.0.0.0/16"}] * 61,
        },
    ),
    _group(
        says="Ports are 0 to 65535, the lower one first.",
        source="EC2 API reference, IpPermission",
        code="InvalidParameterValue",
        message="Invalid TCP/UDP port range ({least}:{most})",
        check=_ports,
        accepted=_opened(),
        refused=_opened(FromPort=443, ToPort=80),
    ),
    _group(
        says="A range of addresses is a CIDR block.",
        source="EC2 API reference, IpRange",
        code="InvalidParameterValue",
        message="CIDR block {block} is malformed",
        check=_rule_range,
        accepted=_opened(),
        refused=_opened(CidrIp="10.0.0.0"),
    ),
    _group(
        says="A rule has a range of addresses or a security group, not both.",
        source="CloudFormation reference, AWS::EC2::SecurityGroup Ingress; words: aws-cloudformation/cfn-lint, issue 251",
        code="InvalidParameterValue",
        message="Both CidrIp and SourceSecurityGroup cannot be specified",
        check=_range_and_group,
        accepted=_opened(),
        refused=_opened(SourceSecurityGroupId="sg-1"),
    ),
    _group(
        says="A rule has one source or destination.",
        source="CloudFormation reference, AWS::EC2::SecurityGroup Ingress",
        code="InvalidParameterValue",
        message="Exactly one of CidrIp, CidrIpv6, SourcePrefixListId, or SourceSecurityGroupId must be specified",
        inferred=True,
        check=_peer,
        accepted=_opened(),
        refused=_opened(SourcePrefixListId="pl-1"),
    ),
)
