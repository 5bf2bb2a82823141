"""Compares two CloudFormation templates, resource by resource. Pure: no AWS here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

_IGNORED_TYPES = {"AWS::CDK::Metadata"}


@dataclass(frozen=True)
class Change:
    """A resource that a deployment would add, change or remove."""

    stack: str
    resource: str
    type: str
    kind: Literal["add", "change", "remove"]
    properties: tuple[str, ...] = ()


def differences(stack: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    """The resources that differ, by logical id. Metadata of CDK is ignored."""
    before: dict[str, Any] = old.get("Resources", {})
    after: dict[str, Any] = new.get("Resources", {})
    for name in sorted(before.keys() | after.keys()):
        resource = after.get(name) or before[name]
        kind = resource["Type"]
        if kind in _IGNORED_TYPES:
            continue
        if name not in before:
            yield Change(stack, name, kind, "add")
        elif name not in after:
            yield Change(stack, name, kind, "remove")
        elif properties := tuple(_changed(before[name], after[name])):
            yield Change(stack, name, kind, "change", properties)


def _changed(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    old: dict[str, Any] = before.get("Properties", {})
    new: dict[str, Any] = after.get("Properties", {})
    yield from (key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key))
    yield from (key for key in ("Type", "DependsOn", "DeletionPolicy") if before.get(key) != after.get(key))
