"""Which properties of a resource type can only be set at creation, so that a change of them replaces the resource."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from .registry import resource_schema

_PROPERTIES = "/properties/"


@dataclass(frozen=True)
class ResourceSchema:
    """Properties of a resource type, as paths such as `DnsOptions/PrivateDnsPreference`.

    Attributes:
        create_only: A change of one of them replaces the resource.
        conditional: A change of one of them may replace the resource.
    """

    create_only: frozenset[str]
    conditional: frozenset[str]

    def recreation(self, old: dict[str, Any], new: dict[str, Any], name: str) -> str:
        """`Always`, `Conditionally` or `Never`: whether a change of the property `name` replaces the resource."""
        for paths, word in ((self.create_only, "Always"), (self.conditional, "Conditionally")):
            for path in paths:
                if path.split("/")[0] == name and _at(old, path) != _at(new, path):
                    return word
        return "Never"


@cache
def schema(resource_type: str) -> ResourceSchema:
    """The schema of a type. A type without one, such as a custom resource, has no create-only properties."""
    content = resource_schema(resource_type) or {}
    return ResourceSchema(
        _paths(content.get("createOnlyProperties", ())), _paths(content.get("conditionalCreateOnlyProperties", ()))
    )


def _paths(pointers: Iterable[str]) -> frozenset[str]:
    return frozenset(pointer.removeprefix(_PROPERTIES) for pointer in pointers)


def _at(properties: Any, path: str) -> Any:
    for part in path.split("/"):
        if not isinstance(properties, dict):
            return None
        properties = properties.get(part)
    return properties
