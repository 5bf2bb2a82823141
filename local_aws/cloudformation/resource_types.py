"""A resource type as data: its service, and how boto3 creates, updates and deletes a resource."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import ClientError

type Properties = dict[str, Any]


@dataclass
class Physical:
    """A resource that exists: the values of Ref and of Fn::GetAtt."""

    identifier: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """Where a resource is created or updated.

    Attributes:
        account: Id of the account.
        region: Name of the region.
        name: The name that the template gives, or that CloudFormation generates.
        before: The properties before an update.
        stack: ARN of the stack; empty in an update.
        logical_id: Name of the resource in the template; empty in an update.
    """

    account: str
    region: str
    name: str
    before: Properties = field(default_factory=dict)
    stack: str = ""
    logical_id: str = ""

    def removed(self, properties: Properties) -> list[str]:
        """Names of the properties that an update removes."""
        return [name for name in self.before if name not in properties]


type Create = Callable[[Any, Properties, Context], Physical]
type Update = Callable[[Any, Physical, Properties, Context], Physical]


@dataclass(frozen=True)
class ResourceType:
    """A resource type: how boto3 creates, updates and deletes a resource.

    Attributes:
        name: Name of the type.
        service: boto3's name of the service.
        create: Creates a resource.
        delete: Deletes a resource.
        update: Changes a resource in place. None: every property that it supports is create-only.
        name_property: Name of the property that names the resource.
        exists: Whether a resource of a name exists; for types whose API does not refuse to create it again.
    """

    name: str
    service: str
    create: Create
    delete: Callable[[Any, Physical], None]
    update: Update | None = None
    name_property: str = ""
    exists: Callable[[Any, str], bool] | None = None


def found(call: Callable[..., Any], **arguments: Any) -> bool:
    """Whether a resource exists: False when a call that reads it fails with a client error."""
    try:
        call(**arguments)
    except ClientError:
        return False
    return True


def refuse_unknown(what: str, properties: Iterable[str], known: Iterable[str]) -> None:
    """Raise ValueError with the names of the properties that are not among those known."""
    if unknown := sorted(set(properties) - set(known)):
        raise ValueError(f"{what}: the embedded AWS does not support {', '.join(unknown)}")


def tags_by_key(properties: Properties) -> dict[str, str]:
    """The tags of a template as a mapping, as some APIs want them."""
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}


def put_again(create: Create) -> Update:
    """The update of a type whose API has one Put operation for both creation and update."""
    return lambda client, _, properties, context: create(client, properties, context)


def request(service: str, operation: str, properties: Properties, *, ignore: tuple[str, ...] = ()) -> dict[str, Any]:
    """`properties` as a request of `operation`, with CloudFormation's strings turned into the API's types.

    Raises ValueError with the property's name when the API has no such field: nothing is dropped silently.
    """
    shape = service_model(service).operation_model(operation).input_shape
    return _coerce(shape, {key: value for key, value in properties.items() if key not in ignore}, operation)


@cache
def service_model(service: str) -> Any:
    """botocore's model of a service."""
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
