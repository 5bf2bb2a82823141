"""Schemas of CloudFormation's registry, and the check of a resource's properties before it is created or updated.

The schemas are those of the package cfn-lint, which moto's server requires: its data files are read, cfn-lint itself is not
imported.
"""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .failures import RefusedError
from .schema_validation import CONSTRAINTS, Node, Schema, violations_of

DEFAULT_REGION = "us-east-1"
_INNER = ("properties", "patternProperties", "definitions", "items", "allOf", "anyOf", "oneOf", "not")


def check_properties(logical_id: str, resource_type: str, properties: dict[str, Any], region: str) -> None:
    """Raise RefusedError unless the properties fit the type's schema. A type without a schema is not checked."""
    schema = resource_schema(resource_type, region)
    if schema is None:
        return
    found = list(violations_of(Node(properties, schema, schema)))
    if found:
        message = f"Properties validation failed for resource {logical_id} with message: [{', '.join(found)}]"
        raise RefusedError(message)
    for each in schema.get("readOnlyProperties", []):
        name = each.removeprefix("/properties/")
        if name in properties:
            raise RefusedError(f"Encountered unsupported property {name}")


@cache
def resource_schema(resource_type: str, region: str = DEFAULT_REGION) -> Schema | None:
    """The schema of a type in a region; None for a type that the registry does not have, such as a custom resource."""
    folder = _folder()
    name = _types(region).get(resource_type)
    return json.loads((folder / "resources" / f"{name}.json").read_text()) if name else None


@cache
def _types(region: str) -> dict[str, str]:
    path = _folder() / "providers" / f"{region}.json"
    return json.loads(path.read_text()) if path.exists() else _types(DEFAULT_REGION)


@cache
def _folder() -> Path:
    found = find_spec("cfnlint")
    if found is None or found.origin is None:
        raise FileNotFoundError("the package cfn-lint, which has CloudFormation's schemas, is not installed")
    return Path(found.origin).parent / "data" / "schemas"


def constraints(resource_type: str) -> int:
    """How many constraints the type's schema declares: required and read-only properties, limits, patterns and the like."""
    schema = resource_schema(resource_type)
    return _count({key: schema.get(key) for key in (*CONSTRAINTS, *_INNER)}) if schema else 0


def _count(schema: Any) -> int:
    if isinstance(schema, list):
        return sum(_count(each) for each in schema)
    if not isinstance(schema, dict):
        return 0
    own = sum(
        len(value) if key == "required" else 1
        for key, value in schema.items()
        if key in CONSTRAINTS and value is not None
    )
    named = [
        each for key in ("properties", "patternProperties", "definitions") for each in (schema.get(key) or {}).values()
    ]
    return own + _count(named) + sum(_count(schema.get(key)) for key in ("items", "allOf", "anyOf", "oneOf", "not"))
