"""Checks of templates."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..rule import Request, Values
from .values import every

_SECTIONS = frozenset(
    (
        "AWSTemplateFormatVersion", "Conditions", "Description", "Mappings", "Metadata", "Outputs", "Parameters", "Resources",
        "Rules", "Transform", "Hooks",
    )
)  # fmt: skip
_ATTRIBUTES = frozenset(
    (
        "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdatePolicy",
        "UpdateReplacePolicy", "Version",
    )
)  # fmt: skip
_POLICIES = ("Delete", "Retain", "Snapshot", "RetainExceptOnCreate")


def _section(request: Request, name: str) -> Mapping[str, Any]:
    found = request.params.get(name)
    return found if isinstance(found, Mapping) else {}


def _resources(request: Request) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from ((name, each) for name, each in _section(request, "Resources").items() if isinstance(each, Mapping))


def too_many(section: str, limit: int) -> Callable[[Request], Values | None]:
    """A section has more members."""

    def check(request: Request) -> Values | None:
        count = len(_section(request, section))
        return {"count": count} if count > limit else None

    return check


def size(request: Request) -> bool:
    """Checks: A template has up to 1 MB."""
    return len(json.dumps(request.params, separators=(",", ":"), default=str).encode()) > 1_000_000


def unknown_section(request: Request) -> Values | None:
    """Checks: A template has the documented sections only."""
    unknown = sorted(set(request.params) - _SECTIONS)
    return {"names": ", ".join(unknown)} if unknown else None


def named(section: str) -> Callable[[Request], Values | None]:
    """A name of a section has other characters than letters and digits."""

    def check(request: Request) -> Values | None:
        return next(
            ({"name": each} for each in _section(request, section) if not re.fullmatch("[A-Za-z0-9]+", each)), None
        )

    return check


def no_type(request: Request) -> Values | None:
    """Checks: Every resource has a type."""
    return next(({"name": name} for name, each in _resources(request) if not each.get("Type")), None)


def unknown_type(request: Request) -> Values | None:
    """Checks: Every type exists in the region."""
    types = {str(each.get("Type")) for _, each in _resources(request)}
    if "Transform" in request.params:
        return None
    ours = {each for each in types if each.startswith("AWS::") and not each.startswith("AWS::CDK::")}
    unknown = sorted(each for each in ours if request.find("type", each) is None)
    return {"types": ", ".join(unknown)} if unknown else None


def unknown_attribute(request: Request) -> Values | None:
    """Checks: A resource has the documented attributes only."""
    for _, each in _resources(request):
        unknown = sorted(set(each) - _ATTRIBUTES)
        if unknown:
            return {"names": ", ".join(unknown)}
    return None


def policy(request: Request) -> Values | None:
    """Checks: A deletion policy is Delete, Retain, RetainExceptOnCreate or Snapshot; an update-replace policy has no third."""
    for name, each in _resources(request):
        for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
            value = each.get(attribute, "Delete")
            allowed = _POLICIES if attribute == "DeletionPolicy" else _POLICIES[:3]
            if not isinstance(value, dict) and value not in allowed:
                return {"name": name, "attribute": attribute, "value": value}
    return None


def _referred(value: Any) -> Iterator[tuple[str, str]]:
    """Intrinsic functions with the names that they refer to, at any depth."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key == "Ref" and isinstance(each, str):
                yield "Ref", each
            elif key == "Fn::GetAtt" and isinstance(each, str | list):
                yield "Fn::GetAtt", each if isinstance(each, str) else ".".join(str(part) for part in each)
            elif key == "Fn::Sub":
                yield from _substituted(each)
            yield from _referred(each)
    elif isinstance(value, list):
        for each in value:
            yield from _referred(each)


def _substituted(value: Any) -> Iterator[tuple[str, str]]:
    text, own = (value, {}) if isinstance(value, str) else (value[0], value[1] if len(value) > 1 else {})
    for name in re.findall(r"\$\{([^!}][^}]*)\}", text if isinstance(text, str) else ""):
        if name not in own:
            yield ("Fn::GetAtt" if "." in name else "Ref"), name.strip()


def _known(request: Request) -> set[str]:
    return {*_section(request, "Resources"), *_section(request, "Parameters")}


def unresolved(section: str) -> Callable[[Request], Values | None]:
    """A section refers to what the template does not have."""

    def check(request: Request) -> Values | None:
        named = {name.partition(".")[0] for kind, name in _referred(_section(request, section)) if kind == "Ref"}
        if section == "Resources":
            named |= {name for _, each in _resources(request) for name in every(each.get("DependsOn"))}
        unknown = sorted(name for name in named - _known(request) if not name.startswith("AWS::"))
        return {"names": ", ".join(unknown)} if unknown else None

    return check


def undefined(request: Request) -> Values | None:
    """Checks: Fn::GetAtt names a resource of the template."""
    resources = _section(request, "Resources")
    body = {name: request.params.get(name) for name in ("Resources", "Outputs")}
    gets = {name.partition(".")[0] for kind, name in _referred(body) if kind == "Fn::GetAtt"}
    return next(({"name": each} for each in sorted(gets) if each not in resources), None)


def no_attribute(request: Request) -> Values | None:
    """Checks: Fn::GetAtt names an attribute of the resource's type."""
    resources = dict(_resources(request))
    for kind, each in _referred({name: request.params.get(name) for name in ("Resources", "Outputs")}):
        name, _, attribute = each.partition(".")
        schema = request.find("type", str(resources.get(name, {}).get("Type"))) if kind == "Fn::GetAtt" else None
        if schema and not _has(schema, attribute):
            return {"name": name, "attribute": attribute}
    return None


def _has(schema: Mapping[str, Any], attribute: str) -> bool:
    """Attributes are read-only properties, or since 2022 any property of a type."""
    read_only = {
        str(each).removeprefix("/properties/").replace("/", ".") for each in schema.get("readOnlyProperties", [])
    }
    return attribute in read_only or attribute.partition(".")[0] in schema.get("properties", {})


def circle(request: Request) -> Values | None:
    """Checks: Resources do not wait for each other."""
    waits = {name: set(every(each.get("DependsOn"))) for name, each in _resources(request)}
    for name, each in _resources(request):
        waits[name] |= {other.partition(".")[0] for _, other in _referred(each.get("Properties"))}
    while free := {name for name, others in waits.items() if not others & set(waits)}:
        waits = {name: others for name, others in waits.items() if name not in free}
    return {"names": ", ".join(sorted(waits))} if waits else None


def no_value(request: Request) -> bool:
    """Checks: Every output has a value."""
    outputs = _section(request, "Outputs").values()
    return any(not isinstance(each, Mapping) or each.get("Value") is None for each in outputs)


def same_export(request: Request) -> Values | None:
    """Checks: Names of exports are unique."""
    names = [each.get("Export", {}).get("Name") for each in _section(request, "Outputs").values()]
    texts = [each if isinstance(each, str) else json.dumps(each) for each in names if each is not None]
    return next(({"name": each} for index, each in enumerate(texts) if each in texts[:index]), None)


def long_description(request: Request) -> bool:
    """Checks: A description has up to 1,024 bytes."""
    return len(str(request.params.get("Description", "")).encode()) > 1024


def no_parameter_type(request: Request) -> bool:
    """Checks: Every parameter has a type."""
    return any("Type" not in each for each in _section(request, "Parameters").values())


def default(request: Request) -> Values | None:
    """Checks: A parameter's default is one of its allowed values."""
    for name, each in _section(request, "Parameters").items():
        allowed = each.get("AllowedValues")
        if allowed and "Default" in each and each["Default"] not in allowed:
            return {"name": name}
    return None


def unknown_condition(request: Request) -> Values | None:
    """Checks: Conditions of resources and outputs are defined."""
    known = _section(request, "Conditions")
    named = [each["Condition"] for _, each in _resources(request) if "Condition" in each]
    named += [each["Condition"] for each in _section(request, "Outputs").values() if "Condition" in each]
    return next(({"name": each} for each in named if each not in known), None)


def version(request: Request) -> Values | None:
    """Checks: The format version is 2010-09-09."""
    version = request.params.get("AWSTemplateFormatVersion", "2010-09-09")
    return {"version": version} if str(version) != "2010-09-09" else None
