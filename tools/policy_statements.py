"""Policy statements in synthesized templates."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def statements(path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every statement of every policy in a template, with its resource's logical id and type."""
    for name, resource in resources_in(path).items():
        for document in _documents(resource.get("Properties", {})):
            for statement in document["Statement"]:
                yield name, resource["Type"], statement


def _documents(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("Statement"), list):
            yield value
        for each in value.values():
            yield from _documents(each)
    elif isinstance(value, list):
        for each in value:
            yield from _documents(each)


def resources_in(path: Path) -> dict[str, dict[str, Any]]:
    """Every resource of a template by its logical id."""
    return json.loads(path.read_text())["Resources"]


def as_list(value: Any) -> list[Any]:
    """The value as a list. A policy may have a single value instead of a list."""
    return value if isinstance(value, list) else [value]


def open_statements(templates: list[Path]) -> list[list[str]]:
    """The actions of each statement that allows them on the resource `*`. In a key policy `*` is the key itself."""
    return [
        as_list(statement["Action"])
        for path in templates
        for _, kind, statement in statements(path)
        if kind != "AWS::KMS::Key" and statement["Effect"] == "Allow" and "*" in as_list(statement.get("Resource", []))
    ]
