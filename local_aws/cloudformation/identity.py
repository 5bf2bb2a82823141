"""IAM roles and policies, and KMS keys and aliases."""

import json
from typing import Any

from .resource_types import Context, Physical, Properties, ResourceType, refuse_unknown, request, tags_by_key

_ROLE = ("RoleName", "Path", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags")
_ROLE_PARTS = ("AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns")
_LONGEST_ROLE_NAME = 64


def _create_role(iam: Any, properties: Properties, context: Context) -> Physical:
    refuse_unknown("AWS::IAM::Role", properties, (*_ROLE, *_ROLE_PARTS))
    name = properties.get("RoleName") or _short(context.name)
    made = {key: properties[key] for key in _ROLE if key in properties} | {"RoleName": name}
    made["AssumeRolePolicyDocument"] = json.dumps(properties["AssumeRolePolicyDocument"])
    role = iam.create_role(**request("iam", "CreateRole", made))["Role"]
    _put_policies(iam, name, properties, {})
    return Physical(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})


def _update_role(iam: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    refuse_unknown("AWS::IAM::Role", properties, (*_ROLE, *_ROLE_PARTS))
    name, before = physical.identifier, context.before
    document = json.dumps(properties["AssumeRolePolicyDocument"])
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=document)
    iam.update_role(
        RoleName=name,
        Description=properties.get("Description", ""),
        MaxSessionDuration=int(properties.get("MaxSessionDuration", 3600)),
    )
    if boundary := properties.get("PermissionsBoundary"):
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
    elif before.get("PermissionsBoundary"):
        iam.delete_role_permissions_boundary(RoleName=name)
    _put_policies(iam, name, properties, before)
    if old := {tag["Key"] for tag in before.get("Tags", [])} - {tag["Key"] for tag in properties.get("Tags", [])}:
        iam.untag_role(RoleName=name, TagKeys=sorted(old))
    if properties.get("Tags"):
        iam.tag_role(RoleName=name, Tags=properties["Tags"])
    return physical


def _put_policies(iam: Any, role: str, properties: Properties, before: Properties) -> None:
    """Inline and managed policies of a role; those that only `before` has are removed."""
    documents = {each["PolicyName"]: json.dumps(each["PolicyDocument"]) for each in properties.get("Policies", [])}
    for name, document in documents.items():
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
    for name in {each["PolicyName"] for each in before.get("Policies", [])} - documents.keys():
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    arns, old = (set(each.get("ManagedPolicyArns", [])) for each in (properties, before))
    for arn in arns - old:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    for arn in old - arns:
        iam.detach_role_policy(RoleName=role, PolicyArn=arn)


def _delete_role(iam: Any, physical: Physical) -> None:
    name = physical.identifier
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=name)


def _put_policy(iam: Any, properties: Properties, context: Context) -> Physical:
    refuse_unknown("AWS::IAM::Policy", properties, ("PolicyName", "PolicyDocument", "Roles"))
    name, roles = properties["PolicyName"], properties.get("Roles", [])
    document = json.dumps(properties["PolicyDocument"])
    for role in roles:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
    return Physical(context.name, {"PolicyName": name, "Roles": roles})


def _update_policy(iam: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    new = _put_policy(iam, properties, context)
    kept = new.attributes["Roles"] if new.attributes["PolicyName"] == physical.attributes["PolicyName"] else []
    for role in set(physical.attributes["Roles"]) - set(kept):
        iam.delete_role_policy(RoleName=role, PolicyName=physical.attributes["PolicyName"])
    return Physical(physical.identifier, new.attributes)


def _delete_policy(iam: Any, physical: Physical) -> None:
    for role in physical.attributes["Roles"]:
        iam.delete_role_policy(RoleName=role, PolicyName=physical.attributes["PolicyName"])


_KEY = ("KeyPolicy", "Description", "EnableKeyRotation", "PendingWindowInDays", "KeySpec", "KeyUsage", "MultiRegion")


def _create_key(kms: Any, properties: Properties, context: Context) -> Physical:
    refuse_unknown("AWS::KMS::Key", properties, (*_KEY, "Tags"))
    given = {key: properties[key] for key in ("Description", "KeySpec", "KeyUsage", "MultiRegion") if key in properties}
    if "KeyPolicy" in properties:
        given["Policy"] = json.dumps(properties["KeyPolicy"])
    key = kms.create_key(**request("kms", "CreateKey", given))["KeyMetadata"]
    found = {"Arn": key["Arn"], "KeyId": key["KeyId"], "window": int(properties.get("PendingWindowInDays", 30))}
    _rotate(kms, key["KeyId"], properties)
    _tag_key(kms, key["KeyId"], properties, {})
    return Physical(key["KeyId"], found)


def _update_key(kms: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    refuse_unknown("AWS::KMS::Key", properties, (*_KEY, "Tags"))
    key = physical.identifier
    if "KeyPolicy" in properties:
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(properties["KeyPolicy"]))
    kms.update_key_description(KeyId=key, Description=properties.get("Description", ""))
    _rotate(kms, key, properties)
    _tag_key(kms, key, properties, context.before)
    return Physical(key, {**physical.attributes, "window": int(properties.get("PendingWindowInDays", 30))})


def _rotate(kms: Any, key: str, properties: Properties) -> None:
    if properties.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        return  # KMS does not rotate asymmetric keys (UnsupportedOperationException)
    on = str(properties.get("EnableKeyRotation", False)).lower() == "true"
    (kms.enable_key_rotation if on else kms.disable_key_rotation)(KeyId=key)


def _tag_key(kms: Any, key: str, properties: Properties, before: Properties) -> None:
    tags, old = map(tags_by_key, (properties, before))
    if tags:
        kms.tag_resource(KeyId=key, Tags=[{"TagKey": name, "TagValue": value} for name, value in tags.items()])
    if gone := sorted(old.keys() - tags.keys()):
        kms.untag_resource(KeyId=key, TagKeys=gone)


def _delete_key(kms: Any, physical: Physical) -> None:
    kms.schedule_key_deletion(KeyId=physical.identifier, PendingWindowInDays=physical.attributes["window"])


def _create_alias(kms: Any, properties: Properties, context: Context) -> Physical:
    kms.create_alias(**request("kms", "CreateAlias", properties))
    return Physical(properties["AliasName"])


def _update_alias(kms: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    kms.update_alias(**request("kms", "UpdateAlias", properties))
    return physical


def _short(name: str) -> str:
    """A generated name within IAM's limit, with the random end."""
    start, _, end = name.rpartition("-")
    return f"{start[: _LONGEST_ROLE_NAME - 1 - len(end)]}-{end}"


TYPES = [
    ResourceType("AWS::IAM::Role", "iam", _create_role, _delete_role, _update_role, "RoleName"),
    ResourceType("AWS::IAM::Policy", "iam", _put_policy, _delete_policy, _update_policy),
    ResourceType("AWS::KMS::Key", "kms", _create_key, _delete_key, _update_key),
    ResourceType(
        "AWS::KMS::Alias",
        "kms",
        _create_alias,
        lambda kms, physical: kms.delete_alias(AliasName=physical.identifier),
        _update_alias,
        "AliasName",
    ),
]
