"""AWS's managed policies, such as ReadOnlyAccess: moto has their documents, and parses all of them at its start or none."""

import json
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

from .arn import parse_arn
from .interfaces import EmbeddedAws


def install(local: EmbeddedAws) -> None:
    """Let roles have the policies that AWS manages."""
    attach = IAMBackend.attach_role_policy

    def attach_any(self: Any, policy_arn: str, role_name: str) -> None:
        if policy_arn not in self.managed_policies and parse_arn(policy_arn).account == "aws":
            _add(self, policy_arn)
        attach(self, policy_arn, role_name)

    local.replace(IAMBackend, "attach_role_policy", attach_any)


def _add(backend: Any, policy_arn: str) -> None:
    name = policy_arn.rpartition("/")[2]
    if document := _documents().get(name):
        policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, document)
        if policy.arn == policy_arn:
            backend.managed_policies[policy_arn] = policy


@cache
def _documents() -> dict[str, Any]:
    return json.loads(aws_managed_policies_data)
