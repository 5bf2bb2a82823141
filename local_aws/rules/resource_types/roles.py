"""IAM roles."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import compact, every, missing_roles, own, principals, repeated, statements

_QUOTAS = "IAM user guide, IAM and AWS STS quotas"
_role = partial(Rule, CLOUDFORMATION, "AWS::IAM::Role", code="MalformedPolicyDocument")


def _trust(request: Request) -> list[Mapping[str, Any]]:
    return list(statements(request.params.get("AssumeRolePolicyDocument")))


def documents(request: Request) -> Iterator[Any]:
    """The inline policies of a role, or the document of a policy."""
    if "PolicyDocument" in request.params:
        yield request.params["PolicyDocument"]
    yield from (each["PolicyDocument"] for each in every(request.params.get("Policies")))


def _unknown_principal(request: Request) -> Values | None:
    found = next(missing_roles(request, request.params.get("AssumeRolePolicyDocument")), None)
    return {"principal": found} if found else None


def _unknown_service(request: Request) -> Values | None:
    for statement in _trust(request):
        for each in principals(statement, "Service"):
            if not re.fullmatch(r"[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|aws\.internal)", each):
                return {"service": each}
    return None


def _with_resource(request: Request) -> bool:
    return any("Resource" in each or "NotResource" in each for each in _trust(request))


def _other_action(request: Request) -> bool:
    actions = [str(action).lower() for each in _trust(request) for action in every(each.get("Action"))]
    return any(not action.startswith(("sts:", "*")) for action in actions)


def _long_trust(request: Request) -> bool:
    return len(compact(request.params.get("AssumeRolePolicyDocument", ""))) > 2048


def _long_policies(request: Request) -> Values | None:
    size = sum(len(compact(each)) for each in documents(request))
    return {"name": request.params.get("RoleName", "role")} if size > 10240 else None


def _many_managed(request: Request) -> bool:
    return len(every(request.params.get("ManagedPolicyArns"))) > 10


def _same_name(request: Request) -> bool:
    return repeated([each["PolicyName"] for each in every(request.params.get("Policies"))]) is not None


def _boundary(request: Request) -> Values | None:
    arn = request.params.get("PermissionsBoundary")
    absent = arn and own(request, arn) and ":aws:policy/" not in arn and request.find("policy", arn) is None
    return {"arn": arn} if absent else None


def assumed(**members: Any) -> dict[str, Any]:
    """Properties of a role that Lambda may assume; `members` change the statement of its trust policy."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    return {"AssumeRolePolicyDocument": {"Statement": [trust | members]}}


def allowed(*statements: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Properties of a role with an inline policy of `statements`, or of one statement that `members` change."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} | members
    document = {"Statement": list(statements) or [statement]}
    return assumed() | {"Policies": [{"PolicyName": "Access", "PolicyDocument": document}]}


_PRINCIPAL = {"AWS": "arn:aws:iam::123456789012:role/"}
_READER, _GONE = {"AWS": f"{_PRINCIPAL['AWS']}reader"}, {"AWS": f"{_PRINCIPAL['AWS']}gone"}
_BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
NAMED = {"PolicyName": "Access", "PolicyDocument": {"Statement": [STATEMENT]}}

ENTRIES: tuple[Entry, ...] = (
    _role(
        says="The principals of a trust policy exist.",
        source="IAM user guide, AWS JSON policy elements: Principal",
        message='Invalid principal in policy: "AWS":"{principal}"',
        check=_unknown_principal,
        accepted=assumed(Principal=_READER),
        refused=assumed(Principal=_GONE),
        given={"role/reader": {}},
    ),
    _role(
        says="A service principal is the name of a service.",
        source="IAM user guide, AWS JSON policy elements: Principal",
        message='Invalid principal in policy: "SERVICE":"{service}"',
        check=_unknown_service,
        accepted=assumed(),
        refused=assumed(Principal={"Service": "lambda"}),
    ),
    _role(
        says="A trust policy has no resources.",
        source="IAM user guide, Update a role trust policy",
        message="Has prohibited field Resource",
        check=_with_resource,
        accepted=assumed(),
        refused=assumed(Resource="*"),
    ),
    _role(
        says="A trust policy has actions of STS only.",
        source="IAM user guide, Update a role trust policy",
        message="AssumeRole policy may only specify STS AssumeRole actions.",
        check=_other_action,
        accepted=assumed(Action=["sts:AssumeRole", "sts:TagSession"]),
        refused=assumed(Action="s3:GetObject"),
    ),
    _role(
        says="A trust policy has up to 2,048 characters.",
        source=_QUOTAS,
        code="LimitExceeded",
        message="Cannot exceed quota for ACLSizePerRole: 2048",
        check=_long_trust,
        accepted=assumed(),
        refused=assumed(Sid="a" * 2048),
        status=409,
    ),
    _role(
        says="The inline policies of a role have up to 10,240 characters together.",
        source=_QUOTAS,
        code="LimitExceeded",
        message="Maximum policy size of 10240 bytes exceeded for role {name}",
        check=_long_policies,
        accepted=allowed(Sid="a" * 10000),
        refused=allowed(Sid="a" * 10240),
        status=409,
    ),
    _role(
        says="A role has up to 10 managed policies.",
        source=_QUOTAS,
        code="LimitExceeded",
        message="Cannot exceed quota for PoliciesPerRole: 10",
        check=_many_managed,
        accepted=assumed() | {"ManagedPolicyArns": [f"arn:aws:iam::aws:policy/P{n}" for n in range(10)]},
        refused=assumed() | {"ManagedPolicyArns": [f"arn:aws:iam::aws:policy/P{n}" for n in range(11)]},
        status=409,
    ),
    _role(
        says="Names of a role's inline policies are unique.",
        source="CloudFormation reference, AWS::IAM::Role Policy",
        code="InvalidRequest",
        message="Duplicate policy name in the Policies of the role",
        inferred=True,
        check=_same_name,
        accepted=allowed(),
        refused=assumed() | {"Policies": [NAMED, NAMED]},
    ),
    _role(
        says="A permissions boundary exists.",
        source="IAM API reference, CreateRole",
        code="NoSuchEntity",
        message="Scope ARN: {arn} does not exist or is not attachable.",
        check=_boundary,
        accepted=assumed() | {"PermissionsBoundary": _BOUNDARY},
        refused=assumed() | {"PermissionsBoundary": f"{_BOUNDARY}-of-nobody"},
        given={f"policy/{_BOUNDARY}": {}},
        status=404,
    ),
)
