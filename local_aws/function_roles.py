"""Lambda's checks of a function's role: for network interfaces in a VPC, and for the queue of an event source mapping.

Sources: Lambda developer guide, "Using Lambda with Amazon SQS", "Permissions", and "Giving Lambda functions access to
resources in an Amazon VPC", "Required IAM permissions": the actions, and "If you don't specify a resource ID for
DeleteNetworkInterface in the execution role, your function may not be able to access the VPC. Either specify a unique
resource ID, or include all resource IDs, for example, "Resource": "arn:aws:ec2:us-west-2:123456789012:*/*"".
"""

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from .authorization import AccessDeniedError
from .interfaces import EmbeddedAws

_ASSIGN = ("AssignPrivateIpAddresses", "UnassignPrivateIpAddresses")
_READ_QUEUE = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_DESCRIBE = ("DescribeNetworkInterfaces", "DescribeSubnets")


def needs(vpc: Mapping[str, Any], account: str, region: str) -> Iterator[tuple[str, str]]:
    """The (operation of EC2, resource) pairs that the role of a function with `VpcConfig` `vpc` has to be allowed."""
    ec2 = f"arn:aws:ec2:{region}:{account}"
    yield "CreateNetworkInterface", f"{ec2}:network-interface/*"
    for kind, identifiers in (("subnet", vpc["SubnetIds"]), ("security-group", vpc.get("SecurityGroupIds", []))):
        for each in identifiers:
            yield "CreateNetworkInterface", f"{ec2}:{kind}/{each}"
    for operation in _DESCRIBE:
        yield operation, "*"
    yield "DeleteNetworkInterface", f"{ec2}:*/*"
    for operation in _ASSIGN:
        yield operation, f"{ec2}:network-interface/*"


def install(local: EmbeddedAws) -> None:
    """Refuse functions in a VPC and mappings of queues whose function's role lacks a permission, when either is created.

    A function is also checked when its role or its VPC changes.
    """

    def check(moto: ModuleType, role: str, service: str, operation: str, resource: str, region: str) -> None:
        try:
            local.authorization.check(role, f"{service}:{operation}", resource, region=region)
        except LookupError:
            message = "The role defined for the function cannot be assumed by Lambda."
            raise moto.InvalidParameterValueException(message) from None
        except AccessDeniedError:
            called = f"{operation} on {service.upper()}"
            message = f"The provided execution role does not have permissions to call {called}"
            raise moto.InvalidParameterValueException(message) from None

    def check_vpc(moto: ModuleType, role: str, vpc: Mapping[str, Any] | None, account: str, region: str) -> None:
        for operation, resource in needs(vpc, account, region) if vpc and vpc.get("SubnetIds") else ():
            check(moto, role, "ec2", operation, resource, region)

    def replace(moto: ModuleType) -> None:
        create, update = moto.LambdaBackend.create_function, moto.LambdaFunction.update_configuration
        create_mapping = moto.LambdaBackend.create_event_source_mapping

        def create_where_permitted(self: Any, spec: dict[str, Any]) -> Any:
            check_vpc(moto, spec["Role"], spec.get("VpcConfig"), self.account_id, self.region_name)
            return create(self, spec)

        def update_where_permitted(self: Any, changes: dict[str, Any]) -> Any:
            if {"Role", "VpcConfig"} & changes.keys():
                role, vpc = changes.get("Role", self.role), changes.get("VpcConfig", self.vpc_config)
                check_vpc(moto, role, vpc, self.account_id, self.region)
            return update(self, changes)

        def create_mapping_where_permitted(self: Any, spec: dict[str, Any]) -> Any:
            queue, name = spec.get("EventSourceArn", ""), spec.get("FunctionName", "")
            if ":sqs:" in queue and name:
                role = self.get_function(name).role
                for operation in _READ_QUEUE:
                    check(moto, role, "sqs", operation, queue, self.region_name)
            return create_mapping(self, spec)

        local.replace(moto.LambdaBackend, "create_function", create_where_permitted)
        local.replace(moto.LambdaFunction, "update_configuration", update_where_permitted)
        local.replace(moto.LambdaBackend, "create_event_source_mapping", create_mapping_where_permitted)

    local.when_imported("moto.awslambda.models", replace)
