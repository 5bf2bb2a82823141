"""Route tables and custom resources, and the rules about resource types that are not enforced."""

from functools import partial

from ..rule import CLOUDFORMATION, Entry, NotEnforced, Request, Rule, Values

CUSTOM = "AWS::CloudFormation::CustomResource"
"""The type of rules about every custom resource."""

_association = partial(Rule, CLOUDFORMATION, "AWS::EC2::SubnetRouteTableAssociation")
_ASSOCIATE = "EC2 API reference, AssociateRouteTable"


def _no_vpc(request: Request) -> Values | None:
    vpc = request.params.get("VpcId")  # a security group without one is of the default VPC
    return {"vpc": vpc} if vpc and request.find("vpc", str(vpc)) is None else None


def _no_table(request: Request) -> Values | None:
    table = str(request.params.get("RouteTableId"))
    return {"table": table} if request.find("route-table", table) is None else None


def _other_network(request: Request) -> Values | None:
    table, subnet = str(request.params.get("RouteTableId")), str(request.params.get("SubnetId"))
    vpcs = [
        (request.find(kind, name) or {}).get("VpcId") for kind, name in (("route-table", table), ("subnet", subnet))
    ]
    return {"table": table, "subnet": subnet} if None not in vpcs and vpcs[0] != vpcs[1] else None


def _token(request: Request) -> str:
    return str(request.params.get("ServiceToken", ""))


def _no_token(request: Request) -> bool:
    return not _token(request).startswith("arn:") or _token(request).split(":")[2] not in ("lambda", "sns")


def _other_region(request: Request) -> bool:
    parts = _token(request).split(":")
    return len(parts) > 3 and parts[3] != request.region


_GIVEN = {
    "vpc/vpc-1": {},
    "route-table/rtb-1": {"VpcId": "vpc-1"},
    "subnet/subnet-1": {"VpcId": "vpc-1"},
    "subnet/subnet-2": {"VpcId": "vpc-2"},
}
_FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:cleanup"

_RULES: tuple[Entry, ...] = (
    Rule(
        CLOUDFORMATION,
        "AWS::EC2::RouteTable AWS::EC2::SecurityGroup AWS::EC2::VPCEndpoint",
        says="The VPC exists.",
        source="EC2 API reference, CreateRouteTable",
        code="InvalidVpcID.NotFound",
        message="The vpc ID '{vpc}' does not exist",
        check=_no_vpc,
        accepted={"VpcId": "vpc-1"},
        refused={"VpcId": "vpc-2"},
        given=_GIVEN,
    ),
    _association(
        says="The route table exists.",
        source=_ASSOCIATE,
        code="InvalidRouteTableID.NotFound",
        message="The routeTable ID '{table}' does not exist",
        check=_no_table,
        accepted={"RouteTableId": "rtb-1", "SubnetId": "subnet-1"},
        refused={"RouteTableId": "rtb-2", "SubnetId": "subnet-1"},
        given=_GIVEN,
    ),
    _association(
        says="Route table and subnet are of one VPC.",
        source=_ASSOCIATE,
        code="InvalidParameterValue",
        message="Route table {table} and subnet {subnet} belong to different networks",
        check=_other_network,
        accepted={"RouteTableId": "rtb-1", "SubnetId": "subnet-1"},
        refused={"RouteTableId": "rtb-1", "SubnetId": "subnet-2"},
        given=_GIVEN,
    ),
    Rule(
        CLOUDFORMATION,
        CUSTOM,
        says="The service token of a custom resource is the ARN of a function or topic.",
        source="CloudFormation template reference, AWS::CloudFormation::CustomResource",
        code="ValidationError",
        message="Invalid ServiceToken: it must be the ARN of an AWS Lambda function or an Amazon SNS topic.",
        inferred=True,
        check=_no_token,
        accepted={"ServiceToken": _FUNCTION},
        refused={"ServiceToken": "cleanup"},
    ),
    Rule(
        CLOUDFORMATION,
        CUSTOM,
        says="The service token of a custom resource is of the stack's region.",
        source="CloudFormation template reference, AWS::CloudFormation::CustomResource",
        code="ValidationError",
        message="Invalid ServiceToken: it must be in the Region of the stack.",
        inferred=True,
        check=_other_region,
        accepted={"ServiceToken": _FUNCTION},
        refused={"ServiceToken": _FUNCTION.replace("us-east-1", "eu-west-1")},
    ),
)

_QUOTA = "A quota that an account can raise; the embedded AWS has accounts of any size."
_NOT_ENFORCED = (
    ("AWS::S3::Bucket", "A bucket's name is free in all accounts of AWS.", "S3 user guide, General purpose bucket naming rules",
     "Other owners' buckets are not known here; within the embedded AWS names are unique."),
    ("AWS::S3::Bucket", "An account has up to 10,000 buckets.", "AWS General Reference, Amazon S3 endpoints and quotas", _QUOTA),
    ("AWS::IAM::Role", "An account has up to 1,000 roles.", "IAM user guide, IAM and AWS STS quotas", _QUOTA),
    ("AWS::KMS::Key", "An account has up to 100,000 keys in a region.", "KMS developer guide, Resource quotas", _QUOTA),
    ("AWS::Lambda::Function", "A function with its layers has up to 250 MB.", "Lambda developer guide, Lambda quotas",
     "AWS's public layer is not downloaded: functions import Powertools from this process's environment."),
    ("AWS::Lambda::Function", "A region has up to 75 GB of code.", "Lambda developer guide, Lambda quotas", _QUOTA),
    ("AWS::Events::Rule", "An event bus has up to 300 rules.", "EventBridge user guide, Amazon EventBridge quotas", _QUOTA),
    ("AWS::Scheduler::Schedule", "A region has up to 10,000,000 schedules.", "EventBridge Scheduler user guide, Quotas", _QUOTA),
    ("AWS::CloudWatch::Alarm", "A region has up to 5,000 alarms.", "CloudWatch user guide, CloudWatch service quotas", _QUOTA),
    ("AWS::SSM::Parameter", "A region has up to 10,000 standard parameters.",
     "AWS General Reference, AWS Systems Manager endpoints and quotas", _QUOTA),
    ("AWS::SageMaker::ModelPackageGroup", "A group's resource policy has principals that exist.",
     "SageMaker API reference, PutModelPackageGroupPolicy", "The templates set no policy of a group; the property is refused."),
    ("AWS::EC2::VPC", "A region has up to 5 VPCs.", "VPC user guide, Amazon VPC quotas", _QUOTA),
    ("AWS::EC2::VPCEndpoint", "A VPC has up to 50 interface endpoints.", "PrivateLink guide, AWS PrivateLink quotas", _QUOTA),
    ("AWS::EC2::VPCEndpoint", "The service of an endpoint is available in the zones of its subnets.",
     "PrivateLink guide, Access an AWS service using an interface VPC endpoint",
     "Zones of services are known to an account only: DescribeVpcEndpointServices."),
    ("AWS::CodePipeline::Pipeline", "A region has up to 1,000 pipelines.",
     "CodePipeline user guide, Quotas in AWS CodePipeline", _QUOTA),
    ("AWS::CodeBuild::Project", "A region has up to 5,000 projects.", "CodeBuild user guide, Quotas for AWS CodeBuild", _QUOTA),
    ("AWS::CloudFormation::Stack", "A region has up to 2,000 stacks.",
     "CloudFormation user guide, Understand CloudFormation quotas", _QUOTA),
    ("AWS::CloudFormation::Stack", "A template has up to 60 dynamic references.",
     "CloudFormation template reference, Dynamic references", "The templates have none; the embedded AWS does not resolve them."),
)  # fmt: skip

ENTRIES: tuple[Entry, ...] = (
    *_RULES,
    *(NotEnforced(CLOUDFORMATION, kind, says, source, why) for kind, says, source, why in _NOT_ENFORCED),
)
