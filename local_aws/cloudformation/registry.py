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
from .schema_validation import Node, Schema, violations_of

DEFAULT_REGION = "us-east-1"


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
