"""How a row of the table becomes a resource type of moto's CloudFormation, and what of moto's engine is mended."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import botocore.session
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from . import custom

if TYPE_CHECKING:
    from ..server import LocalAws

type Properties = dict[str, Any]


@dataclass
class Physical:
    """A resource that exists: what Ref gives, and what Fn::GetAtt gives."""

    identifier: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """Where a resource is made. `name` is what CloudFormation would call it when the template does not."""

    account: str
    region: str
    name: str


type Create = Callable[[Any, Properties, Context], Physical]


@dataclass(frozen=True)
class ResourceType:
    """One row: `update` gets the physical resource of before; without it a change replaces the resource."""

    name: str
    service: str
    create: Create
    delete: Callable[[Any, Physical], None]
    update: Callable[[Any, Physical, Properties, Context], Physical] | None = None
    name_property: str = ""


def request(service: str, operation: str, properties: Properties, *, ignore: tuple[str, ...] = ()) -> dict[str, Any]:
    """`properties` as a request of `operation`, with CloudFormation's strings turned into the API's types.

    Raises ValueError with the property's name when the API has no such field: nothing is dropped silently.
    """
    shape = _model(service).operation_model(operation).input_shape
    return _coerce(shape, {key: value for key, value in properties.items() if key not in ignore}, operation)


_models: dict[str, Any] = {}
_registered: list[type[CloudFormationModel]] = []


def _model(service: str) -> Any:
    if service not in _models:
        _models[service] = botocore.session.get_session().get_service_model(service)
    return _models[service]


def _coerce(shape: Any, value: Any, where: str) -> Any:
    match shape.type_name:
        case "structure":
            unknown = set(value) - set(shape.members)
            if unknown:
                raise ValueError(
                    f"{where}: the embedded AWS does not support the property {', '.join(sorted(unknown))}"
                )
            return {key: _coerce(shape.members[key], item, f"{where}.{key}") for key, item in value.items()}
        case "list":
            return [_coerce(shape.member, item, where) for item in value]
        case "map":
            return {key: _coerce(shape.value, item, where) for key, item in value.items()}
        case "string":
            return value if isinstance(value, str) else json.dumps(value)
        case "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case _:
            return value


def install(local: "LocalAws", types: list[ResourceType]) -> None:
    """Make moto create these types through boto3, in the stack's account."""
    # Moto finds types among the living subclasses of its base class: somebody has to hold on to them.
    _registered[:] = [_subclass(local, resource_type) for resource_type in types]
    custom.install(local)
    for cached in (parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()
    _fail_loudly()
    _leave_bucket_policies_to_authorization()
    _publish_powertools_layer()


def _subclass(local: "LocalAws", row: ResourceType) -> type[CloudFormationModel]:
    def client(account: str, region: str) -> Any:
        return local.accounts.client(row.service, account, region)

    class Resource(CloudFormationModel):
        def __init__(self, physical: Physical) -> None:
            self.physical = physical
            self.physical_resource_id = physical.identifier

        @staticmethod
        def cloudformation_type() -> str:
            return row.name

        @staticmethod
        def cloudformation_name_type() -> str:
            return row.name_property

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            return True

        def get_cfn_attribute(self, attribute_name: str) -> Any:
            if attribute_name not in self.physical.attributes:
                raise ValueError(f"{row.name}: the embedded AWS does not know the attribute {attribute_name}")
            return self.physical.attributes[attribute_name]

        def is_created(self) -> bool:
            return True

        @classmethod
        def create_from_cloudformation_json(
            cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
        ) -> Any:
            context = Context(account_id, region_name, resource_name)
            return cls(row.create(client(account_id, region_name), cloudformation_json["Properties"], context))

        @classmethod
        def update_from_cloudformation_json(
            cls,
            original_resource: Any,
            new_resource_name: str,
            cloudformation_json: Any,
            account_id: str,
            region_name: str,
        ) -> Any:
            context, properties = Context(account_id, region_name, new_resource_name), cloudformation_json["Properties"]
            service = client(account_id, region_name)
            if row.update:
                return cls(row.update(service, original_resource.physical, properties, context))
            row.delete(service, original_resource.physical)
            return cls(row.create(service, properties, context))

        def delete(self, account_id: str, region_name: str) -> None:
            row.delete(client(account_id, region_name), self.physical)

    Resource.__qualname__ = Resource.__name__ = row.name.replace("::", "")
    return Resource


def _fail_loudly() -> None:
    """A type nobody creates is an error; moto would only warn and go on without it."""
    class_of = parsing.resource_class_from_type
    harmless = {*parsing.NULL_MODELS, "AWS::CDK::Metadata"}

    def find(resource_type: str) -> Any:
        if resource_type in harmless:
            return None
        if resource_type == "AWS::CloudFormation::CustomResource" or resource_type.startswith("Custom::"):
            return custom.CustomResource
        found = class_of(resource_type)
        if found is None:
            raise ValueError(f"the embedded AWS has no resource type {resource_type}")
        return found

    parsing.resource_class_from_type = find


def _leave_bucket_policies_to_authorization() -> None:
    """Moto denies by a bucket policy's statements without looking at their conditions, such as 'only without TLS'."""
    FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL
    # S3 itself takes the setting also before the target's policy is there; moto would dictate the order of a template.
    FakeBucket._log_permissions_enabled_policy = staticmethod(lambda target_bucket, target_prefix: True)


def _publish_powertools_layer() -> None:
    """AWS's public parameter for its Powertools layer; here functions find Powertools in this process's environment."""
    parse = parsing.ResourceMap.parse_ssm_parameter

    def parse_public(self: Any, value: str, value_type: str) -> str:
        if not value.startswith("/aws/service/powertools/python/"):
            return parse(self, value, value_type)
        architecture, runtime = value.split("/")[5:7]
        layer = f"AWSLambdaPowertoolsPythonV3-{runtime.replace('.', '')}-{architecture}"
        return f"arn:aws:lambda:{self._region_name}:017000801446:layer:{layer}:1"

    parsing.ResourceMap.parse_ssm_parameter = parse_public
