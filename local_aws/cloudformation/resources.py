"""Resources of a stack as moto holds them: created from a template, with a note of what they were made from."""

import copy
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.models import cloudformation_backends

from ..interfaces import EmbeddedAws
from .failures import RefusedError, ResourceFailed


def resolve(name: str, resource: dict[str, Any], resources: Any) -> tuple[Any, dict[str, Any], str]:
    """Moto's class of a resource, the resource without references, and its name. The class is None for ignored types."""
    made: Any = parsing.parse_resource_and_generate_name(name, copy.deepcopy(resource), resources)
    return made or (None, {"Properties": {}}, "")


def describe(made: Any, name: str, resource: dict[str, Any], properties: dict[str, Any]) -> Any:
    """Note on a resource its template, and its properties without references. Returns the resource."""
    made.cf_resource_type, made.logical_resource_id = resource["Type"], name
    made.cfn_template, made.cfn_properties = resource, properties
    return made


def delete(resources: Any, resource: Any) -> None:
    """Delete a resource through its class."""
    resources._delete_resource(resource, {**resource.cfn_template, "Properties": resource.cfn_properties})


def owner(resources: Any, resource_type: str, name: str) -> str | None:
    """Id of the stack, in the same account and region, that has a resource of this type and name."""
    named = parsing.resource_name_property_from_type(resource_type)
    stacks = cloudformation_backends[resources._account_id][resources._region_name].stacks
    for stack in list(stacks.values()):
        for each in list(stack.resource_map._parsed_resources.values()):
            if getattr(each, "cf_resource_type", None) == resource_type and each.cfn_properties.get(named) == name:
                return stack.stack_id
    return None


def _create(name: str, resource_json: Any, resources_map: Any, account_id: str, region_name: str) -> Any:
    """A new resource; None when its condition is false or its type is ignored. Raises ResourceFailed."""
    condition = resource_json.get("Condition")
    if condition and not resources_map.lazy_condition_map[condition]:
        return None
    try:
        model, content, called = resolve(name, resource_json, resources_map)
        if model is None:
            return None
        properties = copy_of(content["Properties"])
        _check_name(resource_json["Type"], properties, resources_map)
        context = {"LogicalId": name, "StackId": resources_map.stack_id, "ResourceType": resource_json["Type"]}
        made = model.create_from_cloudformation_json(called, content, account_id, region_name, **context)
        _check_nested(resource_json["Type"], made)
    except ResourceFailed:
        raise  # a resource that this one refers to
    except Exception as error:
        raise ResourceFailed(name, resource_json["Type"], "CREATE_FAILED", error) from error
    return describe(made, name, resource_json, properties)


def _check_name(resource_type: str, properties: dict[str, Any], resources: Any) -> None:
    named = parsing.resource_name_property_from_type(resource_type)
    if named in properties and (stack := owner(resources, resource_type, properties[named])):
        raise RefusedError(f"{properties[named]} already exists in stack {stack}")


def _check_nested(resource_type: str, made: Any) -> None:
    if resource_type == "AWS::CloudFormation::Stack" and made.status != "CREATE_COMPLETE":
        raise RefusedError(f"Embedded stack {made.stack_id} was not successfully created")


def copy_of(value: Any) -> Any:
    """A copy of dicts and lists: a class may change what it gets. Other values may be resources of moto's."""
    if isinstance(value, dict):
        return {key: copy_of(item) for key, item in value.items()}
    return [copy_of(item) for item in value] if isinstance(value, list) else value


def install(local: EmbeddedAws) -> None:
    """Replace moto's creation of a resource."""
    local.replace(parsing, "parse_and_create_resource", _create)
