"""Calls from inside a VPC: through an endpoint and its policy, through a route to the internet, or blocked."""

import pytest

from local_aws.authorization import networks

from .conftest import ACCOUNT, REGION, allow, deny, document, lambda_session, refusal

S3 = f"com.amazonaws.{REGION}.s3"
EVERYTHING = allow("*", "*", Principal="*")


@pytest.fixture
def vpc(local):
    return local.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


@pytest.fixture
def subnet(local, vpc):
    return local.client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]


@pytest.fixture
def inside(local, subnet):
    """Creates clients of an administrator role whose calls come from the subnet."""
    credentials = lambda_session(local, allow("*", "*"))
    networks.place(credentials["aws_access_key_id"], ACCOUNT, REGION, [subnet])
    return lambda service: local.client(service, credentials)


def endpoint(local, vpc, *statements):
    local.client("ec2").create_vpc_endpoint(VpcId=vpc, ServiceName=S3, PolicyDocument=document(*statements))


def test_vpc_without_endpoint_or_route_blocks_calls(inside, vpc, bucket):
    _, message = refusal(inside("s3").get_object, Bucket="records", Key="a/1.json")
    assert message == f"{vpc} has no endpoint {S3} and no route to the internet: the call would time out on AWS"


def test_vpc_endpoint_reaches_only_its_service(local, inside, vpc, bucket):
    endpoint(local, vpc, EVERYTHING)
    assert inside("s3").get_object(Bucket="records", Key="a/1.json")["Body"].read() == b"{}"
    _, message = refusal(inside("sagemaker").list_models)
    assert f"no endpoint com.amazonaws.{REGION}.sagemaker.api " in message


def test_endpoint_policy_applies_besides_caller_policies(local, inside, vpc, bucket):
    endpoint(local, vpc, allow("s3:GetObject", "arn:aws:s3:::records/*", Principal="*"))
    assert inside("s3").get_object(Bucket="records", Key="a/1.json")["Body"].read() == b"{}"
    code, message = refusal(inside("s3").put_object, Bucket="records", Key="a/2.json", Body=b"")
    assert code == "AccessDenied"
    assert message.endswith("because no VPC endpoint policy allows the s3:PutObject action")


def test_endpoint_denial_is_named_in_message(local, inside, vpc, bucket):
    endpoint(local, vpc, EVERYTHING, deny("s3:GetObject", "*", Principal="*"))
    _, message = refusal(inside("s3").get_object, Bucket="records", Key="a/1.json")
    assert message.endswith("with an explicit deny in a VPC endpoint policy")


def test_endpoint_policy_for_other_account_blocks_caller(local, inside, vpc, bucket):
    others = {"StringEquals": {"aws:PrincipalAccount": "999999999999"}}
    endpoint(local, vpc, EVERYTHING | {"Condition": others})
    _, message = refusal(inside("s3").get_object, Bucket="records", Key="a/1.json")
    assert message.endswith("because no VPC endpoint policy allows the s3:GetObject action")


def test_s3_key_usage_skips_endpoint_policy(local, inside, vpc, bucket):
    key = local.client("kms").create_key()["KeyMetadata"]["Arn"]
    endpoint(local, vpc, allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::records/*", Principal="*"))
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    inside("s3").put_object(Bucket="records", Key="a/3.json", Body=b"{}", **encrypted)
    assert any(decision.action.startswith("kms:") for decision in local.authorization.decisions)


def test_internet_route_needs_no_vpc_endpoint(local, inside, vpc, subnet, bucket):
    ec2 = local.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    s3 = inside("s3")
    refusal(s3.get_object, Bucket="records", Key="a/1.json")  # it is not the subnet's table yet
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    assert s3.get_object(Bucket="records", Key="a/1.json")["Body"].read() == b"{}"


def test_unknown_subnet_is_named():
    with pytest.raises(LookupError, match="subnet-nowhere"):
        networks.place("ASIAEXAMPLE", ACCOUNT, REGION, ["subnet-nowhere"])
