"""A resource type as data: its service, and how boto3 creates, updates and deletes a resource."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session

type Properties = dict[str, Any]


@dataclass
class Physical:
    """A resource that exists: the values of Ref and of Fn::GetAtt."""

    identifier: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """Where a resource is created. `name` is the one that CloudFormation generates when the template has none."""

    account: str
    region: str
    name: str


type Create = Callable[[Any, Properties, Context], Physical]
type Update = Callable[[Any, Physical, Properties, Context], Physical]


@dataclass(frozen=True)
class ResourceType:
    """A resource type: `update` gets the existing resource; without an `update`, a change replaces the resource."""

    name: str
    service: str
    create: Create
    delete: Callable[[Any, Physical], None]
    update: Update | None = None
    name_property: str = ""


def put_again(create: Create) -> Update:
    """The update of a type whose API has one Put operation for both creation and update."""
    return lambda client, _, properties, context: create(client, properties, context)


def request(service: str, operation: str, properties: Properties, *, ignore: tuple[str, ...] = ()) -> dict[str, Any]:
    """`properties` as a request of `operation`, with CloudFormation's strings turned into the API's types.

    Raises ValueError with the property's name when the API has no such field: nothing is dropped silently.
    """
    shape = _model(service).operation_model(operation).input_shape
    return _coerce(shape, {key: value for key, value in properties.items() if key not in ignore}, operation)


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


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
