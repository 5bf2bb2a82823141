"""Registers resource types with moto's CloudFormation."""

import types
from collections.abc import Sequence
from typing import Any, ClassVar, Self

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

from ..interfaces import Accounts, EmbeddedAws
from ..public_resources import POWERTOOLS_ACCOUNT, powertools_layer
from . import custom
from .resource_types import Context, Physical, ResourceType

_registered: list[type[CloudFormationModel]] = []
# Resources without a service behind them.
IGNORED_TYPES = {*parsing.NULL_MODELS, "AWS::CDK::Metadata"}


def install(local: EmbeddedAws, resource_types: Sequence[ResourceType]) -> None:
    """Make moto create these types through boto3, in the stack's account."""
    # Moto finds types among the living subclasses of its base class, so something has to hold on to them.
    _registered[:] = [_model_class(local.accounts, resource_type) for resource_type in resource_types]
    custom.install(local)
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()
    _refuse_unknown_types(local)
    _publish_powertools_layer(local)
    local.when_imported("moto.awslambda.models", lambda module: _know_powertools_layer(local, module))


class _TableResource:
    """A resource of a type of the tables, as moto's CloudFormation sees it."""

    resource_type: ClassVar[ResourceType]
    accounts: ClassVar[Accounts]

    def __init__(self, physical: Physical) -> None:
        self.physical = physical
        self.physical_resource_id = physical.identifier

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.resource_type.name

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.resource_type.name_property

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return True

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        if attribute_name not in self.physical.attributes:
            name = self.resource_type.name
            raise ValueError(f"{name}: the embedded AWS does not know the attribute {attribute_name}")
        return self.physical.attributes[attribute_name]

    def is_created(self) -> bool:
        return True

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **called: Any
    ) -> Self:
        kind, client = cls.resource_type, cls._client(account_id, region_name)
        name = cloudformation_json["Properties"].get(kind.name_property)
        # These APIs put: they would take over a resource that exists.
        if name and kind.exists and kind.exists(client, name):
            raise ValueError(f"Resource of type '{kind.name}' with identifier '{name}' already exists.")
        stack, logical_id = called.get("StackId", ""), called.get("LogicalId", "")
        context = Context(account_id, region_name, resource_name, stack=stack, logical_id=logical_id)
        return cls(kind.create(client, cloudformation_json["Properties"], context))

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Self:
        kind, properties = cls.resource_type, cloudformation_json["Properties"]
        if kind.update is None:
            raise ValueError(f"{kind.name}: the embedded AWS cannot update it")
        context = Context(account_id, region_name, new_resource_name, original_resource.cfn_properties)
        return cls(kind.update(cls._client(account_id, region_name), original_resource.physical, properties, context))

    def delete(self, account_id: str, region_name: str) -> None:
        self.resource_type.delete(self._client(account_id, region_name), self.physical)

    @classmethod
    def _client(cls, account: str, region: str) -> Any:
        return cls.accounts.client(cls.resource_type.service, account, region)


def _model_class(accounts: Accounts, resource_type: ResourceType) -> type[CloudFormationModel]:
    """The class of one type. Moto looks at direct subclasses of CloudFormationModel only."""
    members = {"resource_type": resource_type, "accounts": accounts}
    name = resource_type.name.replace("::", "")
    return types.new_class(name, (_TableResource, CloudFormationModel), exec_body=lambda body: body.update(members))


def _refuse_unknown_types(local: EmbeddedAws) -> None:
    """A type that nothing creates is an error; moto would only warn and continue without it."""
    find_in_moto = parsing.resource_class_from_type

    def find(resource_type: str) -> Any:
        if resource_type in IGNORED_TYPES:
            return None
        if resource_type == "AWS::CloudFormation::CustomResource" or resource_type.startswith("Custom::"):
            return custom.CustomResource
        model = find_in_moto(resource_type)
        if model is None:
            raise ValueError(f"the embedded AWS has no resource type {resource_type}")
        return model

    local.replace(parsing, "resource_class_from_type", find)


def _publish_powertools_layer(local: EmbeddedAws) -> None:
    """AWS's public parameter for its Powertools layer; functions import Powertools from this process's environment."""
    parse = parsing.ResourceMap.parse_ssm_parameter

    def parse_public(self: Any, value: str, value_type: str) -> str:
        return powertools_layer(value, self._region_name) or parse(self, value, value_type)

    local.replace(parsing.ResourceMap, "parse_ssm_parameter", parse_public)


def _know_powertools_layer(local: EmbeddedAws, module: types.ModuleType) -> None:
    """The layer belongs to an account of AWS; moto knows the layers of its own accounts."""
    look_up = module.LambdaFunction._get_layers_data

    def find(self: Any, arns: list[str]) -> Any:
        public = [arn for arn in arns if arn.split(":")[4] == POWERTOOLS_ACCOUNT]
        return [{"Arn": arn, "CodeSize": 0} for arn in public] + look_up(self, [a for a in arns if a not in public])

    local.replace(module.LambdaFunction, "_get_layers_data", find)
