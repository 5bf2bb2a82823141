"""Rules of security groups: protocols without ports, such as IPsec's, are created and do not count as drift."""

from types import SimpleNamespace

import boto3
from moto import mock_aws

from local_aws.cloudformation import network
from local_aws.cloudformation.drift_ec2 import EC2_READERS

RULES = [
    {"IpProtocol": "50", "CidrIp": "10.0.0.0/16"},
    {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "CidrIp": "10.0.0.0/16"},
    {"IpProtocol": "-1", "CidrIp": "10.0.0.0/16"},
]


def test_rules_without_ports_are_created_as_in_template(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    create = next(each.create for each in network.TYPES if each.name == "AWS::EC2::SecurityGroup")
    reader = EC2_READERS["AWS::EC2::SecurityGroup"]
    with mock_aws():
        ec2 = boto3.client("ec2", region_name="eu-west-1")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        properties = {
            "VpcId": vpc,
            "GroupDescription": "Jobs",
            "SecurityGroupIngress": RULES,
            "SecurityGroupEgress": RULES,
        }
        group = create(ec2, properties, SimpleNamespace(name="jobs"))
        found = reader.read(ec2, group.identifier)
    assert reader.form(found) == reader.form(properties)
