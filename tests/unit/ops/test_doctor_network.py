"""`model-factory doctor`: subnets and security groups of an existing network."""

import pytest

from model_factory.config.factory import ExistingNetwork
from model_factory.ops.doctor import region
from model_factory.ops.doctor.needs import Needs

from .test_doctor import client, statuses

pytestmark = pytest.mark.usefixtures("aws")


def test_subnet_outside_of_vpc_is_a_problem():
    ec2 = client("ec2")
    vpc, other = (ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _ in range(2))
    subnet = ec2.create_subnet(VpcId=other, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    network = ExistingNetwork(vpc=vpc, subnets=[subnet], security_groups=["sg-00000000000000000"])
    first, second = statuses(region.existing_network(client, network, Needs()))
    assert first == ("problem", f"subnet {subnet} is not in {vpc}")
    assert (second[0], "sg-00000000000000000" in second[1]) == ("problem", True)


def test_security_group_must_let_instances_of_one_training_connect():
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="jobs", Description="Jobs", VpcId=vpc)["GroupId"]
    network = ExistingNetwork(vpc=vpc, subnets=[subnet], security_groups=[group])
    needs = Needs(peers=True)
    *_, problem = statuses(region.existing_network(client, network, needs))
    assert problem[0] == "problem"
    assert f"{group}: no inbound rule between members for all ports of TCP, IPsec (UDP 500), IPsec (prot" in problem[1]
    pairs = [{"GroupId": group}]
    tcp = {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "UserIdGroupPairs": pairs}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp])
    *_, problem = statuses(region.existing_network(client, network, needs))
    assert "no inbound rule between members for IPsec (UDP 500), IPsec (protocol 50), which" in problem[1]
    pairs = [{"GroupId": group}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": pairs}])
    assert [status for status, _ in statuses(region.existing_network(client, network, needs))] == ["ok", "ok"]
