"""KMS keys and their aliases."""

import re
from functools import partial
from typing import Any

from ..checks import longer_than
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import compact, every, last, missing_roles, own, principals, statements, true

_key = partial(Rule, CLOUDFORMATION, "AWS::KMS::Key")
_alias = partial(Rule, CLOUDFORMATION, "AWS::KMS::Alias")


def _locked_out(request: Request) -> bool:
    policy = request.params.get("KeyPolicy")
    if policy is None or true(request.params.get("BypassPolicyLockoutSafetyCheck")):
        return False
    account = (f":iam::{request.account}:root", request.account, "*")
    for each in statements(policy):
        named = each.get("Principal") == "*" or any(name.endswith(account) for name in principals(each))
        actions = [str(action).lower() for action in every(each.get("Action"))]
        if each.get("Effect") == "Allow" and named and any(_puts(action) for action in actions):
            return False
    return True


def _puts(action: str) -> bool:
    return bool(re.fullmatch(re.escape(action).replace(r"\*", ".*"), "kms:putkeypolicy"))


def _gone_principal(request: Request) -> bool:
    return any(True for _ in missing_roles(request, request.params.get("KeyPolicy")))


def _rotation(request: Request) -> bool:
    symmetric = request.params.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
    return true(request.params.get("EnableKeyRotation")) and not symmetric


def _long_key_policy(request: Request) -> bool:
    return len(compact(request.params.get("KeyPolicy", ""))) > 32768


def _no_prefix(request: Request) -> bool:
    return not str(request.params.get("AliasName", "alias/")).startswith("alias/")


def _aws_alias(request: Request) -> bool:
    return str(request.params.get("AliasName")).startswith("alias/aws/")


def _no_key(request: Request) -> Values | None:
    key = str(request.params.get("TargetKeyId"))
    known = not key.startswith("arn:") or own(request, key)
    return {"key": key} if known and request.find("key", last(key)) is None else None


def _key_policy(**members: Any) -> dict[str, Any]:
    root = {"Effect": "Allow", "Action": "kms:*", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
    return {"KeyPolicy": {"Statement": [root | {"Resource": "*"}, root | {"Action": "kms:Decrypt"} | members]}}


_PRINCIPAL = {"AWS": "arn:aws:iam::123456789012:role/"}
_READER, _GONE = {"AWS": f"{_PRINCIPAL['AWS']}reader"}, {"AWS": f"{_PRINCIPAL['AWS']}gone"}

ENTRIES: tuple[Entry, ...] = (
    _key(
        says="A key policy lets the account change it.",
        source="KMS API reference, CreateKey",
        code="MalformedPolicyDocumentException",
        message="The new key policy will not allow you to update the key policy in the future.",
        check=_locked_out,
        accepted=_key_policy(),
        refused={"KeyPolicy": {"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Principal": "*"}]}},
    ),
    _key(
        says="The principals of a key policy exist.",
        source="KMS API reference, CreateKey",
        code="MalformedPolicyDocumentException",
        message="Policy contains a statement with one or more invalid principals.",
        check=_gone_principal,
        accepted=_key_policy(Principal=_READER),
        refused=_key_policy(Principal=_GONE),
        given={"role/reader": {}},
    ),
    _key(
        says="Only symmetric encryption keys rotate.",
        source="KMS developer guide, Rotate AWS KMS keys",
        code="InvalidRequest",
        message="You cannot set the EnableKeyRotation property to true on asymmetric or external keys.",
        check=_rotation,
        accepted={"EnableKeyRotation": True},
        refused={"EnableKeyRotation": True, "KeySpec": "RSA_2048"},
    ),
    _key(
        says="A key policy has up to 32 KB.",
        source="KMS developer guide, Resource quotas",
        code="LimitExceededException",
        message="Key policy exceeds the maximum length of 32768 bytes.",
        inferred=True,
        check=_long_key_policy,
        accepted=_key_policy(),
        refused=_key_policy(Sid="a" * 32768),
    ),
    _key(
        says="A key's description has up to 8,192 characters.",
        source="KMS API reference, CreateKey",
        code="ValidationException",
        message="1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less "
        "than or equal to 8192",
        check=longer_than(8192, "Description"),
        accepted={"Description": "a" * 8192},
        refused={"Description": "a" * 8193},
    ),
    _alias(
        says="The name of an alias begins with alias/.",
        source="KMS API reference, CreateAlias",
        code="ValidationException",
        message='Alias must start with the prefix "alias/". Please see '
        "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        check=_no_prefix,
        accepted={"AliasName": "alias/data", "TargetKeyId": "1"},
        refused={"AliasName": "data", "TargetKeyId": "1"},
    ),
    _alias(
        says="The prefix alias/aws/ is reserved.",
        source="KMS API reference, CreateAlias",
        code="NotAuthorizedException",
        message="The alias/aws/ prefix is reserved for AWS managed keys.",
        inferred=True,
        check=_aws_alias,
        accepted={"AliasName": "alias/data", "TargetKeyId": "1"},
        refused={"AliasName": "alias/aws/data", "TargetKeyId": "1"},
    ),
    _alias(
        says="The key of an alias exists.",
        source="KMS API reference, CreateAlias",
        code="NotFoundException",
        message="Key '{key}' does not exist",
        check=_no_key,
        accepted={"AliasName": "alias/data", "TargetKeyId": "1"},
        refused={"AliasName": "alias/data", "TargetKeyId": "2"},
        given={"key/1": {}},
    ),
)
