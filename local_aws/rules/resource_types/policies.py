"""Inline policies of IAM roles, and IAM policies."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .roles import NAMED, STATEMENT, allowed, documents
from .values import every, repeated, statements

_GRAMMAR = "IAM user guide, Grammar of the IAM JSON policy language"
_both = partial(Rule, CLOUDFORMATION, "AWS::IAM::Role AWS::IAM::Policy", code="MalformedPolicyDocument")
_policy = partial(Rule, CLOUDFORMATION, "AWS::IAM::Policy")


def _inline(request: Request) -> list[Mapping[str, Any]]:
    return [each for document in documents(request) for each in statements(document)]


def _no_resource(request: Request) -> bool:
    return any("Resource" not in each and "NotResource" not in each for each in _inline(request))


def _no_action(request: Request) -> bool:
    return any("Action" not in each and "NotAction" not in each for each in _inline(request))


def _with_principal(request: Request) -> bool:
    return any("Principal" in each or "NotPrincipal" in each for each in _inline(request))


def _no_arn(request: Request) -> Values | None:
    resources = [str(item) for each in _inline(request) for item in every(each.get("Resource"))]
    return next(({"resource": each} for each in resources if each != "*" and not each.startswith("arn:")), None)


def _no_vendor(request: Request) -> bool:
    actions = [str(action) for each in _inline(request) for action in every(each.get("Action"))]
    return any(":" not in action and action != "*" for action in actions)


def _sids(request: Request) -> Iterator[list[str]]:
    for document in documents(request):
        yield [each["Sid"] for each in statements(document) if "Sid" in each]


def _same_sid(request: Request) -> bool:
    return any(repeated(each) is not None for each in _sids(request))


def _wrong_sid(request: Request) -> bool:
    return any(not re.fullmatch("[0-9A-Za-z]*", sid) for each in _sids(request) for sid in each)


def _nobody(request: Request) -> bool:
    return not any(request.params.get(each) for each in ("Roles", "Users", "Groups"))


def _gone_role(request: Request) -> Values | None:
    roles = [str(each) for each in every(request.params.get("Roles"))]
    return next(({"name": each} for each in roles if request.find("role", each) is None), None)


ENTRIES: tuple[Entry, ...] = (
    _both(
        says="Every statement of an identity-based policy has resources.",
        source=_GRAMMAR,
        message="Policy statement must contain resources.",
        check=_no_resource,
        accepted=allowed(),
        refused=allowed({"Effect": "Allow", "Action": "s3:GetObject"}),
    ),
    _both(
        says="Every statement of an identity-based policy has actions.",
        source=_GRAMMAR,
        message="Policy statement must contain actions.",
        check=_no_action,
        accepted=allowed(),
        refused=allowed({"Effect": "Allow", "Resource": "*"}),
    ),
    _both(
        says="An identity-based policy has no principals.",
        source=_GRAMMAR,
        message="Policy document should not specify a principal.",
        check=_with_principal,
        accepted=allowed(),
        refused=allowed(Principal="*"),
    ),
    _both(
        says="A resource of a policy is an ARN or *.",
        source="IAM user guide, AWS JSON policy elements: Resource",
        message='Resource {resource} must be in ARN format or "*".',
        check=_no_arn,
        accepted=allowed(Resource="arn:aws:s3:::data/*"),
        refused=allowed(Resource="data"),
    ),
    _both(
        says="An action has the prefix of its service.",
        source="IAM user guide, AWS JSON policy elements: Action",
        message="Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        check=_no_vendor,
        accepted=allowed(Action=["s3:GetObject"]),
        refused=allowed(Action="GetObject"),
    ),
    _both(
        says="Ids of statements are unique in a policy.",
        source="IAM user guide, AWS JSON policy elements: Sid",
        message="Statement IDs (SID) in a single policy must be unique.",
        check=_same_sid,
        accepted=allowed(Sid="One"),
        refused=allowed(STATEMENT | {"Sid": "One"}, STATEMENT | {"Sid": "One"}),
    ),
    _both(
        says="Ids of statements have letters and digits only.",
        source="IAM user guide, AWS JSON policy elements: Sid",
        message="Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
        check=_wrong_sid,
        accepted=allowed(Sid="One"),
        refused=allowed(Sid="one-two"),
    ),
    _policy(
        says="A policy is attached to a role, user or group.",
        source="CloudFormation reference, AWS::IAM::Policy",
        code="InvalidRequest",
        message="At least one of [Groups,Roles,Users] must be non-empty.",
        check=_nobody,
        accepted=NAMED | {"Users": ["reader"]},
        refused=NAMED,
    ),
    _policy(
        says="The roles of a policy exist.",
        source="IAM API reference, PutRolePolicy",
        code="NoSuchEntity",
        message="The role with name {name} cannot be found.",
        check=_gone_role,
        accepted=NAMED | {"Roles": ["reader"]},
        refused=NAMED | {"Roles": ["gone"]},
        given={"role/reader": {}},
        status=404,
    ),
)
