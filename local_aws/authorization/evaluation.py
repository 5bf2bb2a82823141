"""The verdict on one request: may this principal perform this action on this resource? Pure; no AWS, no clock.

Source: IAM user guide, "Policy evaluation logic", "How AWS enforcement code logic evaluates requests" and
"Cross-account policy evaluation logic". An explicit deny anywhere wins. Inside an account, an identity-based or a
direct resource-based grant suffices, within the permissions boundary and the session policy. Across accounts, both
sides must allow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from local_aws.authorization.conditions import Context, holds
from local_aws.authorization.policies import Document, Principal, Reach, Statement


@dataclass(frozen=True)
class Request:
    """One action on one resource (an ARN, or `*`); `account` owns the resource, None means the caller's own."""

    principal: Principal
    action: str
    resource: str
    context: Context
    account: str | None = None

    @property
    def crosses_accounts(self) -> bool:
        return self.account is not None and self.account != self.principal.account


@dataclass(frozen=True)
class Policies:
    """All policies that apply to a request. A boundary or session of None limits nothing, an empty one all.

    `endpoint`: of the way out of the caller's network; None when the call passes none.
    `resource_decides`: the resource's policy must allow even inside the account (KMS keys, trust policies of roles).
    """

    identity: tuple[Document, ...] = ()
    boundary: tuple[Document, ...] | None = None
    session: tuple[Document, ...] | None = None
    resource: tuple[Document, ...] = ()
    endpoint: tuple[Document, ...] | None = None
    resource_decides: bool = False


@dataclass(frozen=True)
class Decision:
    """The verdict, AWS's words for why not, and the statements that it rests on."""

    allowed: bool
    reason: str
    statements: tuple[Statement, ...] = ()


_NAME_PRINCIPALS = ("a resource-based policy", "a VPC endpoint policy")


def evaluate(request: Request, policies: Policies) -> Decision:
    """Decide `request` under `policies`. Raises UnknownConditionError for a condition that cannot be evaluated."""
    kinds = {
        "an identity-based policy": policies.identity,
        "a resource-based policy": policies.resource,
        "a permissions boundary": policies.boundary or (),
        "a session policy": policies.session or (),
        "a VPC endpoint policy": policies.endpoint or (),
    }
    for kind, documents in kinds.items():
        denials = _matching(request, documents, "Deny", names_principals=kind in _NAME_PRINCIPALS)
        if denials:
            return Decision(False, f"with an explicit deny in {kind}", denials)
    if policies.endpoint is not None and not _matching(request, policies.endpoint, "Allow", names_principals=True):
        return _found(request, (), "VPC endpoint policy")
    granted = _matching(request, policies.resource, "Allow", names_principals=True)
    reach = max((r for s in granted if (r := s.reach(request.principal))), default=None)
    if request.principal.is_service:
        return _found(request, granted, "resource-based policy")
    if request.crosses_accounts:
        caller = _caller_side(request, policies)
        return _found(request, granted, "resource-based policy", caller.statements) if caller.allowed else caller
    if policies.resource_decides and not granted:
        return _found(request, (), "resource-based policy")
    if reach is Reach.SESSION:
        return _found(request, granted, "resource-based policy")
    if reach is Reach.PRINCIPAL:
        return _within_limits(request, policies, granted)
    return _caller_side(request, policies, granted)


def _caller_side(request: Request, policies: Policies, granted: tuple[Statement, ...] = ()) -> Decision:
    identity = _matching(request, policies.identity, "Allow")
    if not identity:
        return _found(request, (), "identity-based policy")
    return _within_limits(request, policies, identity + granted)


def _within_limits(request: Request, policies: Policies, granted: tuple[Statement, ...]) -> Decision:
    limits = {"permissions boundary": policies.boundary, "session policy": policies.session}
    for kind, documents in limits.items():
        if documents is not None:
            within = _matching(request, documents, "Allow")
            if not within:
                return _found(request, (), kind)
            granted += within
    return Decision(True, "", granted)


def _found(request: Request, found: tuple[Statement, ...], kind: str, others: tuple[Statement, ...] = ()) -> Decision:
    reason = "" if found else f"because no {kind} allows the {request.action} action"
    return Decision(bool(found), reason, found + others if found else ())


def _matching(
    request: Request, documents: Iterable[Document], effect: str, names_principals: bool = False
) -> tuple[Statement, ...]:
    return tuple(
        statement
        for document in documents
        for statement in document.about(request.action)
        if statement.effect == effect
        and (not names_principals or statement.reach(request.principal))
        and statement.covers_resource(request.resource, request.context.variable)
        and holds(statement, request.context)
    )
