"""VPC endpoints and flow logs."""

from functools import partial
from typing import Any

from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .networks import GIVEN
from .values import every, repeated, true

_ENDPOINTS = "EC2 API reference, CreateVpcEndpoint"
_FLOW = "EC2 API reference, CreateFlowLogs"
_endpoint = partial(Rule, CLOUDFORMATION, "AWS::EC2::VPCEndpoint")
_flow = partial(Rule, CLOUDFORMATION, "AWS::EC2::FlowLog", code="InvalidParameter")


def _kind(request: Request) -> str:
    return request.params.get("VpcEndpointType", "Gateway")


def _gateway_subnets(request: Request) -> bool:
    return _kind(request) == "Gateway" and bool(request.params.get("SubnetIds"))


def _gateway_groups(request: Request) -> bool:
    return _kind(request) == "Gateway" and bool(request.params.get("SecurityGroupIds"))


def _gateway_service(request: Request) -> Values | None:
    service = str(request.params.get("ServiceName"))
    supported = service.endswith((".s3", ".dynamodb", ".s3express"))
    return {"service": service} if _kind(request) == "Gateway" and not supported else None


def _interface_routes(request: Request) -> bool:
    return _kind(request) == "Interface" and bool(request.params.get("RouteTableIds"))


def _private_names(request: Request) -> Values | None:
    vpc = request.find("vpc", str(request.params.get("VpcId")))
    wanted = _kind(request) == "Interface" and true(request.params.get("PrivateDnsEnabled", True))
    if not wanted or vpc is None or (vpc["EnableDnsSupport"] and vpc["EnableDnsHostnames"]):
        return None
    return {"vpc": request.params.get("VpcId")}


def _same_zone(request: Request) -> Values | None:
    subnets = [str(each) for each in every(request.params.get("SubnetIds"))]
    zones = [str((request.find("subnet", each) or {}).get("AvailabilityZone", each)) for each in subnets]
    zone = repeated(zones) if _kind(request) == "Interface" else None
    return {"subnet": subnets[len(zones) - 1 - zones[::-1].index(zone)]} if zone else None


def _logs(request: Request) -> bool:
    return request.params.get("LogDestinationType", "cloud-watch-logs") == "cloud-watch-logs"


def _no_group(request: Request) -> bool:
    return _logs(request) and not any(request.params.get(each) for each in ("LogGroupName", "LogDestination"))


def _no_role(request: Request) -> bool:
    return _logs(request) and not request.params.get("DeliverLogsPermissionArn")


def _useless_role(request: Request) -> bool:
    return not _logs(request) and bool(request.params.get("DeliverLogsPermissionArn"))


def _interface(**members: Any) -> dict[str, Any]:
    service = "com.amazonaws.us-east-1.sagemaker.api"
    return {
        "VpcEndpointType": "Interface",
        "ServiceName": service,
        "VpcId": "vpc-1",
        "SubnetIds": ["subnet-1"],
    } | members


_GATEWAY = {"ServiceName": "com.amazonaws.us-east-1.s3", "VpcId": "vpc-1", "RouteTableIds": ["rtb-1"]}
_FLOWS = {"ResourceId": "vpc-1", "ResourceType": "VPC", "TrafficType": "ALL"}
_TO_LOGS = _FLOWS | {"LogGroupName": "flows", "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/flows"}

ENTRIES: tuple[Entry, ...] = (
    _endpoint(
        says="A gateway endpoint has no subnets.",
        source=_ENDPOINTS,
        code="InvalidParameter",
        message="Subnet IDs are only supported for Interface type VPC Endpoints.",
        check=_gateway_subnets,
        accepted=_GATEWAY,
        refused=_GATEWAY | {"SubnetIds": ["subnet-1"]},
    ),
    _endpoint(
        says="A gateway endpoint has no security groups.",
        source=_ENDPOINTS,
        code="InvalidParameter",
        message="Security group IDs are only supported for Interface type VPC Endpoints.",
        inferred=True,
        check=_gateway_groups,
        accepted=_GATEWAY,
        refused=_GATEWAY | {"SecurityGroupIds": ["sg-1"]},
    ),
    _endpoint(
        says="Gateway endpoints are for S3 and DynamoDB.",
        source="PrivateLink guide, Gateway endpoints",
        code="InvalidParameter",
        message="Endpoint type (Gateway) does not match available service types ([Interface]).",
        check=_gateway_service,
        accepted=_GATEWAY,
        refused=_GATEWAY | {"ServiceName": "com.amazonaws.us-east-1.sqs"},
    ),
    _endpoint(
        says="An interface endpoint has no route tables.",
        source=_ENDPOINTS,
        code="InvalidParameter",
        message="Route table IDs are only supported for Gateway type VPC Endpoint.",
        check=_interface_routes,
        accepted=_interface(),
        refused=_interface(RouteTableIds=["rtb-1"]),
        given=GIVEN,
    ),
    _endpoint(
        says="Private names need DNS support and DNS hostnames in the VPC.",
        source="PrivateLink guide, Access an AWS service using an interface VPC endpoint",
        code="InvalidParameter",
        message="Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {vpc}",
        check=_private_names,
        accepted=_interface(PrivateDnsEnabled=True),
        refused=_interface(PrivateDnsEnabled=True, VpcId="vpc-2"),
        given=GIVEN,
    ),
    _endpoint(
        says="An interface endpoint has one subnet in a zone.",
        source="PrivateLink guide, Access an AWS service using an interface VPC endpoint",
        code="DuplicateSubnetsInSameZone",
        message="Found another VPC endpoint subnet in the availability zone of {subnet}",
        check=_same_zone,
        accepted=_interface(SubnetIds=["subnet-1", "subnet-2"]),
        refused=_interface(SubnetIds=["subnet-1", "subnet-3"]),
        given=GIVEN,
    ),
    _flow(
        says="Flow logs to CloudWatch Logs name a log group.",
        source=_FLOW,
        message="LogDestination or LogGroupName must be provided for LogDestinationType cloud-watch-logs.",
        inferred=True,
        check=_no_group,
        accepted=_TO_LOGS,
        refused=_FLOWS | {"DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/flows"},
    ),
    _flow(
        says="Flow logs to CloudWatch Logs have a role.",
        source=_FLOW,
        message="DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.",
        check=_no_role,
        accepted=_TO_LOGS,
        refused=_FLOWS | {"LogGroupName": "flows"},
    ),
    _flow(
        says="Flow logs to a bucket have no role.",
        source=f"{_FLOW}; words: error reports in public repositories",
        message="DeliverLogsPermissionArn is not applicable for s3 delivery",
        check=_useless_role,
        accepted=_FLOWS | {"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::flows"},
        refused=_FLOWS | {"LogDestinationType": "s3", "DeliverLogsPermissionArn": "arn"},
    ),
)
