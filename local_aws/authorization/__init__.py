"""Authorizes every call of a function or job against the policies deployed with its role.

`Authorization` sits in front of moto's dispatcher (`middleware`) and answers a refused call as the service would. Parts
that act as a role or as a service without an HTTP request call `check_call` or `check`. Each decision is counted.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from local_aws.arn import parse_arn
from local_aws.authorization import context, deployed, networks, principals, resources
from local_aws.authorization.actions import Need, needs
from local_aws.authorization.evaluation import Decision, Policies, Request, evaluate
from local_aws.authorization.policies import Document
from local_aws.authorization.principals import Session
from local_aws.authorization.refusals import AccessDeniedError, give_up, message, refuse
from local_aws.authorization.requests import Call, credential, prefix_of, read, service_name
from local_aws.interfaces import Application, Keys, Patchable

__all__ = ["AccessDeniedError", "Authorization", "DecisionKey", "StatementUse", "install"]

log = logging.getLogger(__name__)
# The deployment roles of `cdk bootstrap`, whose policies are the CDK's.
EXEMPT_ROLES = ("cdk-",)


class Dispatcher(Protocol):
    """Moto's server application: chooses the service of a request, and serves it."""

    def get_application(self, environ: dict[str, Any]) -> Any: ...
    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]: ...


@dataclass(frozen=True)
class DecisionKey:
    """What decisions are counted by; `principal` is a role's ARN or a service's host name."""

    principal: str
    action: str
    resource: str
    allowed: bool


@dataclass(frozen=True)
class StatementUse:
    """A statement that contributed to a decision. Permissions that nothing needs never appear."""

    principal: str
    policy: str
    sid: str
    action: str
    resource: str


class Authorization:
    """The policy checks. `calls`, `on_behalf`, `decisions` and `statements_used` count since the last `reset`.

    `on_behalf` counts the calls that services make for a customer, as themselves, under a role or for their caller, by
    principal and whether they were allowed.
    `watch`, when it is set, gets every request with its policies and the decision.
    """

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled
        self.calls: Counter[str] = Counter()
        self.on_behalf: Counter[tuple[str, bool]] = Counter()
        self.decisions: Counter[DecisionKey] = Counter()
        self.statements_used: Counter[StatementUse] = Counter()
        self.watch: Callable[[Request, Policies, Decision], None] | None = None
        self._lock = threading.Lock()

    def reset(self) -> None:
        """Reset the counters."""
        with self._lock:
            self.calls.clear()
            self.on_behalf.clear()
            self.decisions.clear()
            self.statements_used.clear()

    def report(self) -> dict[str, Any]:
        """The response of `/_local/authorization`: calls by principal, and permissions that were refused."""
        with self._lock:
            calls, decisions, on_behalf = dict(self.calls.most_common()), dict(self.decisions), dict(self.on_behalf)
        refused = sorted({f"{d.principal} {d.action} {d.resource}" for d in decisions if not d.allowed})
        return {
            "enabled": self.enabled,
            "calls": sum(calls.values()),
            "calls_by_principal": calls,
            "on_behalf": {
                "judged": sum(on_behalf.values()),
                "refused": sum(count for (_, allowed), count in on_behalf.items() if not allowed),
            },
            "permissions_checked": sum(decisions.values()),
            "refused": refused,
        }

    def middleware(self, dispatcher: Dispatcher) -> Application:
        """The WSGI application that authorizes requests before `dispatcher` serves them."""

        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            signed = credential(environ) if self.enabled else None
            if signed is None or not principals.is_known(signed.access_key_id):
                return dispatcher(environ, start_response)
            served_by = dispatcher.get_application(environ)
            service, content_type = service_name(served_by.service), environ.get("CONTENT_TYPE", "")
            try:
                session = principals.of_access_key(signed.access_key_id)
                if session and not _exempt(session):
                    call = read(environ, service, signed.region, session.principal.account)
                    with self._counted_on_behalf(session, principals.is_service_session(session)):
                        self._authorize(session, call, {}, networks.endpoint_policy(signed.access_key_id, call))
            except (AccessDeniedError, networks.NoRouteError) as refusal:
                return refuse(service, content_type, str(refusal), start_response)
            except Exception as error:  # of any kind: a call that cannot be evaluated is refused
                log.exception("a call to %s cannot be authorized", service)
                return give_up(service, content_type, f"{type(error).__name__}: {error}", start_response)
            return served_by(environ, start_response)

        return application

    def check(
        self,
        principal: str,
        action: str,
        resource: str,
        keys: Keys | None = None,
        region: str = "us-east-1",
    ) -> None:
        """Raise AccessDeniedError unless `principal` (role ARN or service host name) may do `action` on `resource`.

        `keys`: condition keys that the acting service would send, such as aws:SourceArn and aws:SourceAccount.
        """
        if self.enabled:
            session = _acting(principal)
            self._count_call(session)
            with self._counted_on_behalf(session):
                self._decide(session, Need(action, resource), dict(keys or {}), region)

    def check_caller(
        self,
        access_key_id: str,
        action: str,
        resource: str,
        keys: Keys | None = None,
        region: str = "us-east-1",
    ) -> None:
        """As `check`, for the signer of a request: what a service does on behalf of its caller."""
        session = principals.of_access_key(access_key_id) if self.enabled else None
        if session and not _exempt(session):
            with self._counted_on_behalf(session):
                self._decide(session, Need(action, resource), dict(keys or {}), region)

    def take_role(self, service: str, role_arn: str, source_arn: str = "") -> None:
        """Raise AccessDeniedError unless the role exists and its trust policy allows `service` (a host name) to assume it.

        `source_arn`: for which resource the service does; its account is the role's, as no service takes others. Without
        it the service sends neither aws:SourceArn nor aws:SourceAccount, as Lambda for a function's role.
        """
        account = parse_arn(role_arn).account
        keys = {"aws:SourceAccount": account, "aws:SourceArn": source_arn} if source_arn else {}
        self.check(service, "sts:AssumeRole", role_arn, keys)

    def check_call(
        self,
        principal: str,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        region: str,
        keys: Keys | None = None,
    ) -> None:
        """As `check`, for all that an API call needs, encryption keys included; `service` is boto3's name."""
        if self.enabled:
            session = _acting(principal)
            call = Call(service, prefix_of(service), operation, params, region, session.principal.account)
            with self._counted_on_behalf(session):
                self._authorize(session, call, dict(keys or {}))

    def _authorize(self, session: Session, call: Call, keys: Keys, endpoint: Document | None = None) -> None:
        known = {**context.of_call(call), **keys}
        self._count_call(session)
        for need in needs(call):
            # Calls that the service itself makes, such as to KMS, do not pass the caller's VPC endpoint.
            passes = endpoint if need.action.startswith(f"{call.prefix}:") else None
            self._decide(session, need, known, call.region, passes)

    @contextmanager
    def _counted_on_behalf(self, session: Session, on_behalf: bool = True) -> Generator[None]:
        allowed = False
        try:
            yield
            allowed = True
        finally:
            if on_behalf:
                with self._lock:
                    self.on_behalf[session.name, allowed] += 1

    def _count_call(self, session: Session) -> None:
        with self._lock:
            self.calls[session.name] += 1

    def _decide(
        self,
        session: Session,
        need: Need,
        keys: Keys,
        region: str,
        endpoint: Document | None = None,
    ) -> None:
        request = Request(
            session.principal,
            need.action,
            need.resource,
            context.build({**context.of_session(session, region), **keys, **need.keys}, need.resource),
            resources.account_of(need.resource),
        )
        # PassRole depends on the caller's policies only; the trust policy is evaluated when a service assumes the role.
        hangs_on_resource = need.action != "iam:PassRole"
        policies = Policies(
            identity=session.identity,
            boundary=session.boundary,
            session=session.session,
            resource=resources.policies_on(need.resource) if hangs_on_resource else (),
            endpoint=(endpoint,) if endpoint else None,
            resource_decides=resources.decides_alone(need.resource, need.action),
        )
        decision = evaluate(request, policies)
        with self._lock:
            self.decisions[DecisionKey(session.name, need.action, need.resource, decision.allowed)] += 1
            for each in decision.statements:
                use = StatementUse(session.name, each.source, each.sid, need.action, need.resource)
                self.statements_used[use] += 1
        if self.watch:
            self.watch(request, policies, decision)
        if not decision.allowed:
            raise AccessDeniedError(message(request, decision))


def install(server: Patchable, enabled: bool = True) -> Authorization:
    """The authorization of a server, after moto's own handling of policies is replaced (see `deployed`).

    The server puts its `middleware` in front of moto's dispatcher.
    """
    deployed.install(server)
    return Authorization(enabled)


def _exempt(session: Session) -> bool:
    return session.name.rpartition("/")[2].startswith(EXEMPT_ROLES)


def _acting(principal: str) -> Session:
    return principals.of_role(principal) if principal.startswith("arn:") else principals.of_service(principal)
