"""What a change set says about each resource: the properties that change, and whether the resource is replaced.

CloudFormation compares the templates; a property that refers to a replaced resource or a changed parameter may change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cloudformation.models import ChangeSet

from ..interfaces import EmbeddedAws
from .references import ordered, references
from .replacement import schema

# Attributes of a resource beside its properties, as DescribeChangeSet calls them.
_ATTRIBUTES = ("DeletionPolicy", "UpdateReplacePolicy", "Metadata", "CreationPolicy", "UpdatePolicy")


@dataclass
class ResourceChange:
    """One entry of DescribeChangeSet, with the names of moto's serialization.

    Attributes:
        replacement: `True`, `Conditional` or `False`; None for added and removed resources.
        details: What changes, as DescribeChangeSet has it.
    """

    action: str
    logical_resource_id: str
    resource_type: str
    physical_resource_id: str | None = None
    policy_action: str | None = None
    replacement: str | None = None
    scope: list[str] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)


def changes(
    old: Mapping[str, Any], new: Mapping[str, Any], physical: Mapping[str, Any], changed_parameters: set[str]
) -> list[ResourceChange]:
    """The changes between the resources of two templates.

    Args:
        old: Resources of the deployed template, by logical id.
        new: Resources of the new template.
        physical: The deployed resources.
        changed_parameters: Names of the parameters whose values change.
    """
    found: list[ResourceChange] = []
    replaced: set[str] = set()
    for name in ordered(new):
        kind, there = new[name]["Type"], physical.get(name)
        if name not in old:
            found.append(ResourceChange("Add", name, kind))
            continue
        change = ResourceChange("Modify", name, kind, getattr(there, "physical_resource_id", None))
        _compare(change, old[name], new[name], {*replaced, *changed_parameters})
        if change.details:
            found.append(change)
        if change.replacement != "False":
            replaced.add(name)
            change.policy_action = _policy(old[name], "UpdateReplacePolicy", "ReplaceAnd") if change.details else None
    for name, resource in old.items():
        if name not in new:
            policy = _policy(resource, "DeletionPolicy", "")
            there = getattr(physical.get(name), "physical_resource_id", None)
            found.append(ResourceChange("Remove", name, resource["Type"], there, policy))
    return found


def _policy(resource: Mapping[str, Any], attribute: str, before: str) -> str:
    retained = str(resource.get(attribute, "")).startswith("Retain")
    return f"{before}{'Retain' if retained else 'Delete'}"


def _compare(change: ResourceChange, old: Mapping[str, Any], new: Mapping[str, Any], touched: set[str]) -> None:
    known = schema(new["Type"])
    before, after = old.get("Properties", {}), new.get("Properties", {})
    words = ["Never"]
    for name in sorted({*before, *after}):
        causes = sorted(set(references(after.get(name))) & touched)
        if before.get(name) != after.get(name):
            word = known.recreation(before, after, name)
            change.details.append(_detail("Properties", word, "Static", "DirectModification", name))
        elif causes:
            word = _possible(known.recreation({name: 0}, {name: 1}, name))
            change.details.append(_detail("Properties", word, "Dynamic", "ResourceReference", name, causes[0]))
        else:
            continue
        words.append(word)
    for name in _ATTRIBUTES:
        if old.get(name) != new.get(name):
            change.details.append(_detail(name, "Never", "Static", "DirectModification"))
    change.scope = sorted({detail["Target"]["Attribute"] for detail in change.details})
    change.replacement = "True" if "Always" in words else "Conditional" if "Conditionally" in words else "False"


def _possible(word: str) -> str:
    """A referenced value may stay the same."""
    return "Conditionally" if word == "Always" else word


def _detail(
    attribute: str, recreation: str, evaluation: str, source: str, name: str | None = None, cause: str | None = None
) -> dict[str, Any]:
    target = {"Attribute": attribute, "RequiresRecreation": recreation} | ({"Name": name} if name else {})
    detail = {"Target": target, "Evaluation": evaluation, "ChangeSource": source}
    return detail | ({"CausingEntity": cause} if cause else {})


def install(local: EmbeddedAws) -> None:
    """Replace moto's comparison, which tells names and types only."""

    def compare(self: Any) -> list[ResourceChange]:
        resources = self.stack.resource_map
        before = resources.input_parameters or {}
        changed = {name for name, value in (self.parameters or {}).items() if before.get(name) != value}
        old, made = resources._resource_json_map, resources._parsed_resources
        return changes(old, self.template_dict["Resources"], made, changed)

    local.replace(ChangeSet, "diff", compare)
