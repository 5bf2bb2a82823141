"""CloudFormation's schemas of resource types: which properties can only be set at creation, so that a change replaces.

The schemas are AWS's own, as cfn-lint ships them; moto's server brings cfn-lint. Only the files are read: importing
cfn-lint takes a second.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_REGION = "us-east-1"
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
    index, folder = _index()
    file = index.get(resource_type)
    content = json.loads((folder / f"{file}.json").read_text(encoding="utf-8")) if file else {}
    return ResourceSchema(
        _paths(content.get("createOnlyProperties", ())), _paths(content.get("conditionalCreateOnlyProperties", ()))
    )


def _paths(pointers: Iterable[str]) -> frozenset[str]:
    return frozenset(pointer.removeprefix(_PROPERTIES) for pointer in pointers)


@cache
def _index() -> tuple[dict[str, str], Path]:
    spec = find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise RuntimeError("cfn-lint is not installed; install moto with its extra `server`")
    folder = Path(spec.origin).parent / "data" / "schemas"
    index = json.loads((folder / "providers" / f"{_REGION}.json").read_text(encoding="utf-8"))
    return index, folder / "resources"


def _at(properties: Any, path: str) -> Any:
    for part in path.split("/"):
        if not isinstance(properties, dict):
            return None
        properties = properties.get(part)
    return properties
