"""What rules about resource types share: properties as CloudFormation converts them, statements of policies, names in ARNs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..rule import Params, Request


def true(value: Any) -> bool:
    """Whether a property is true; CloudFormation takes "true" for it."""
    return str(value).lower() == "true"


def number(properties: Params, name: str, default: float = 0) -> float:
    """A number that may be text."""
    return float(properties.get(name, default))


def every(value: Any) -> list[Any]:
    """The items of a list, or of a single value that stands for a list; none for None."""
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def document(value: Any) -> Mapping[str, Any]:
    """A policy, which may be JSON text; empty when it is neither."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def statements(policy: Any) -> Iterator[Mapping[str, Any]]:
    """The statements of a policy."""
    yield from (each for each in every(document(policy).get("Statement")) if isinstance(each, Mapping))


def principals(statement: Mapping[str, Any], kind: str = "AWS") -> list[str]:
    """The principals of one kind: `AWS`, `Service` or `Federated`."""
    principal = statement.get("Principal")
    return [str(each) for each in every(principal.get(kind))] if isinstance(principal, Mapping) else []


def compact(value: Any) -> str:
    """JSON text without white space, which is what IAM counts."""
    return json.dumps(value, separators=(",", ":"))


def last(arn: str) -> str:
    """The name at the end of an ARN."""
    return arn.rpartition("/")[2].rpartition(":")[2]


def is_fifo(arn: Any) -> bool:
    """Whether an ARN, URL or name is a FIFO queue's or topic's."""
    return isinstance(arn, str) and arn.endswith(".fifo")


def own(request: Request, arn: Any) -> bool:
    """Whether an ARN is of the request's account and region, whose resources the register knows."""
    parts = str(arn).split(":")
    return len(parts) > 5 and parts[3] in ("", request.region) and parts[4] in ("", request.account)


def missing_roles(request: Request, policy: Any) -> Iterator[str]:
    """Roles of the own account that a policy names as principals and that do not exist."""
    for statement in statements(policy):
        for each in principals(statement):
            if ":role/" in each and own(request, each) and request.find("role", last(each)) is None:
                yield each


def trusts(role: Params | None, service: str) -> bool:
    """Whether a role's trust policy lets a service assume it."""
    for statement in statements((role or {}).get("AssumeRolePolicyDocument")):
        if statement.get("Effect") == "Allow" and service in principals(statement, "Service"):
            return True
    return False


def repeated(values: Sequence[str]) -> str | None:
    """The first value that occurs twice."""
    return next((value for index, value in enumerate(values) if value in values[:index]), None)


def without_principal(request: Request) -> bool:
    """A statement of the resource policy has no principal."""
    policy = statements(request.params.get("PolicyDocument"))
    return any("Principal" not in each and "NotPrincipal" not in each for each in policy)


def unknown_principal(request: Request) -> bool:
    """A role that the resource policy names does not exist."""
    return any(True for _ in missing_roles(request, request.params.get("PolicyDocument")))
