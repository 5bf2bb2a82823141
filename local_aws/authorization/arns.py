"""The resources that a call acts on, as ARNs: the reference's templates, filled from its parameters."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from urllib.parse import unquote

from local_aws.arn import parse_arn
from local_aws.authorization.reference import ResourceType, resource_types
from local_aws.authorization.requests import Call
from local_aws.authorization.resources import PARTITION, key_arn, role_arn

# Where a template's variable and the API's parameter have different names. (Case does not count, and the parameters
# `Name` and `Id` stand for a template's last variable.)
PARAMETERS: dict[str, tuple[str, ...]] = {
    "BucketName": ("Bucket",),
    "ObjectName": ("Key",),
    "AlarmName": ("AlarmNames",),
    "RuleName": ("Rule",),
    "LogGroupName": ("logGroupIdentifier",),
    "ParameterNameWithoutLeadingSlash": ("Name", "Names", "Path"),
    "RoleNameWithPath": ("RoleName",),
    "PolicyNameWithPath": ("PolicyName",),
    "ProjectName": ("projectName", "name"),
    "QueueName": ("QueueUrl",),
    "ModelPackageName": ("ModelPackageGroupName",),
}
# Variables that have a value when no parameter gives one, by kind of resource.
DEFAULTS = {("schedule", "GroupName"): "default", ("event-bus", "EventBusName"): "default", ("stack", "Id"): "*"}
# Ids that AWS makes up and no parameter holds.
UNKNOWABLE = {("application-autoscaling", "ResourceId")}


def resources(call: Call, action: str) -> tuple[str, ...]:
    """ARNs of everything that `action` acts on in `call`; (`*`,) when the action supports no resource.

    All required types count, else the most specific optional one that the parameters name.
    """
    types = resource_types(action)
    found = {each: _arns(call, each) for each in types}
    required = [arn for each in types if each.required for arn in found[each]]
    if required:
        return tuple(dict.fromkeys(required))
    optional = max((each for each in types if found[each]), key=_specific, default=None)
    if optional:
        return found[optional]
    unfilled = [each.arn(_surroundings(call)) for each in types if each.required]
    return tuple(unfilled) or ("*",)


def copy_source(call: Call) -> tuple[str, str, str | None] | None:
    """Bucket, key and version of the object that an S3 copy reads; None when the call copies nothing."""
    source = call.params.get("CopySource")
    if not source:
        return None
    path, _, version = unquote(str(source)).lstrip("/").partition("?versionId=")
    bucket, _, key = path.partition("/")
    return bucket, key, version or None


def _specific(kind: ResourceType) -> tuple[int, int]:
    return len(kind.variables), len(kind.template)


def _arns(call: Call, kind: ResourceType) -> tuple[str, ...]:
    """ARNs of this kind that the parameters hold or spell out; none when one of its names is missing."""
    # A value without a name is in a map, such as a version's metadata, and `Value` is a tag's or a parameter's: an ARN in
    # them is not acted on.
    named = [value for name, value in call.leaves if name not in ("", "Value")]
    whole = [value for value in named if value.startswith("arn:") and kind.describes(value)]
    if whole and kind.name != "log-group":
        return tuple(dict.fromkeys(whole))
    filled = []
    for values in product(*(_values(call, kind, variable) for variable in kind.variables)):
        spelled = {name: _spelled(call, name, value) for name, value in zip(kind.variables, values, strict=True)}
        filled.append(_finished(call, kind, kind.arn(_surroundings(call, values) | spelled)))
    return tuple(filled)


def _surroundings(call: Call, values: Iterable[str] = ()) -> dict[str, str]:
    """Partition, region and account: the call's own, unless a value says another (an ARN, the URL of a queue)."""
    region, account = call.region, call.account
    for value in values:
        if value.startswith(f"arn:{PARTITION}:{call.prefix}:"):
            _, region, account, _ = parse_arn(value)
        elif "://" in value:
            account = value.rstrip("/").split("/")[-2]
    return {"Partition": PARTITION, "Region": region, "Account": account}


def _values(call: Call, kind: ResourceType, variable: str) -> list[str]:
    if (call.prefix, variable) in UNKNOWABLE:
        return []
    names = [variable, *PARAMETERS.get(variable, ())]
    if variable == kind.variables[-1]:
        names += [name for name in ("Name", "Id") if variable.endswith(name)]
    found = next((values for name in names if (values := call.named(name))), [])
    if not found and (kind.name, variable) in DEFAULTS:
        found = [DEFAULTS[kind.name, variable]]
    if kind.name == "rule-on-custom-event-bus" and found == ["default"]:
        return []
    return found


def _spelled(call: Call, variable: str, value: str) -> str:
    """A parameter's value as it stands in an ARN."""
    if variable == "QueueName":
        return value.rstrip("/").split("/")[-1]
    if variable == "KeyId":
        return (key_arn(value, call.account, call.region) or value).rpartition("key/")[2]
    if variable == "ParameterNameWithoutLeadingSlash":
        return value.lstrip("/")
    if variable == "RoleNameWithPath":
        return (role_arn(value, call.account) or value).rpartition(":role/")[2]
    if variable == "ModelPackageName" and "ModelPackageName" not in call.params:
        return f"{value.rpartition('/')[2]}/*"  # a version of the group, whose number is not given yet
    if variable in ("FunctionName", "EventBusName"):
        return value.rpartition(":function:")[2].rpartition("event-bus/")[2]
    return value


def _finished(call: Call, kind: ResourceType, arn: str) -> str:
    # Policies name a log group with `:*`, for its streams; only tagging uses the bare ARN.
    if kind.name == "log-group" and "Tag" not in call.operation and not arn.endswith(":*"):
        return f"{arn}:log-stream:"
    return arn
