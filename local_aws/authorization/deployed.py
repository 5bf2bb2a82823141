"""Corrections of moto's handling of policies: every policy of a template is stored, as text.

Roles and keys: moto keeps a template's policies as dictionaries; an update of a stack changes none of a role's policies,
trust or boundary. Buckets: moto's own evaluation of their policies ignores callers and conditions, so that a bucket
which denies plain HTTP would deny everything to everyone.
"""

from __future__ import annotations

from typing import Any

from moto.iam.access_control import PermissionResult
from moto.iam.models import Role
from moto.kms.models import Key
from moto.s3.models import FakeBucket

from local_aws.authorization.resources import as_text
from local_aws.interfaces import Patchable

_make_key = Key.__init__
_put_policy = Role.put_policy
_update = Role.update_from_cloudformation_json


def install(server: Patchable) -> None:
    """Replace moto's handling of policies."""
    server.replace(FakeBucket, "get_permission", _no_opinion)
    # S3 itself accepts access logging before the target's policy exists; moto would dictate the order of a template.
    server.replace(FakeBucket, "_log_permissions_enabled_policy", staticmethod(lambda **_: True))
    server.replace(Key, "__init__", _make_key_with_text)
    server.replace(Role, "put_policy", _put_policy_as_text)
    server.replace(Role, "update_from_cloudformation_json", classmethod(_update_with_policies))


def _no_opinion(self: FakeBucket, action: str, resource: str) -> PermissionResult:
    return PermissionResult.NEUTRAL


def _make_key_with_text(self: Key, policy: Any, *others: Any, **more: Any) -> None:
    _make_key(self, as_text(policy) if policy else policy, *others, **more)


def _put_policy_as_text(self: Role, policy_name: str, policy_json: Any) -> None:
    _put_policy(self, policy_name, as_text(policy_json))


def _update_with_policies(
    cls: type[Role], original_resource: Role, new_resource_name: str, cloudformation_json: Any, *where: Any, **more: Any
) -> Role:
    role = _update(original_resource, new_resource_name, cloudformation_json, *where, **more)
    properties = cloudformation_json["Properties"]
    wanted = {policy["PolicyName"]: as_text(policy["PolicyDocument"]) for policy in properties.get("Policies", [])}
    role.policies.clear()
    role.policies.update(wanted)
    role.assume_role_policy_document = as_text(properties["AssumeRolePolicyDocument"])
    role.permissions_boundary_arn = properties.get("PermissionsBoundary", "")
    return role
