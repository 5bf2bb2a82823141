"""Every call that a function or job makes on the embedded AWS, authorized against the policies deployed with its role.

`Authorization` sits in front of moto's dispatcher (`middleware`) and answers a refused call as the service would. Parts
that act as a role or as a service without an HTTP request ask `check_call` or `check`. Each decision is counted.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from local_aws.authorization import context, principals, resources
from local_aws.authorization.actions import Need, needs
from local_aws.authorization.conditions import UnknownConditionError
from local_aws.authorization.evaluation import Policies, Request, evaluate
from local_aws.authorization.policies import InvalidPolicyError
from local_aws.authorization.principals import Session
from local_aws.authorization.refusals import AccessDeniedError, give_up, message, refuse
from local_aws.authorization.requests import Call, UnknownCallError, credential, prefix_of, read, service_name

__all__ = ["AccessDeniedError", "Authorization", "DecisionKey", "StatementUse", "install"]

log = logging.getLogger(__name__)
# The deployment roles of `cdk bootstrap`: their policies are CDK's, they act before and beside what is deployed.
EXEMPT_ROLES = ("cdk-",)
UNDECIDABLE = (UnknownCallError, UnknownConditionError, InvalidPolicyError)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Dispatcher(Protocol):
    """moto's server application: tells which service a request is for, and serves it."""

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
    """A statement that decided something: what a permission that nothing needs never appears in."""

    principal: str
    policy: str
    sid: str
    action: str
    resource: str


class Authorization:
    """The gate. `decisions` and `statements_used` count what passed through it since the last `reset`."""

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled
        self.decisions: Counter[DecisionKey] = Counter()
        self.statements_used: Counter[StatementUse] = Counter()
        self._lock = threading.Lock()

    def reset(self) -> None:
        """Forget what was counted."""
        with self._lock:
            self.decisions.clear()
            self.statements_used.clear()

    def middleware(self, dispatcher: Dispatcher) -> Application:
        """`dispatcher`, behind this gate: the WSGI application to serve."""

        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            signed = credential(environ) if self.enabled else None
            session = principals.of_access_key(signed.access_key_id) if signed else None
            if signed is None or session is None or _exempt(session):
                return dispatcher(environ, start_response)
            served_by = dispatcher.get_application(environ)
            service, content_type = service_name(served_by.service), environ.get("CONTENT_TYPE", "")
            try:
                self._authorize(session, read(environ, service, signed.region, session.principal.account), {})
            except AccessDeniedError as refusal:
                return refuse(service, content_type, str(refusal), start_response)
            except UNDECIDABLE as error:
                log.exception("a call of %s cannot be authorized", session.principal.arn)
                return give_up(service, content_type, str(error), start_response)
            return served_by(environ, start_response)

        return application

    def check(
        self,
        principal: str,
        action: str,
        resource: str,
        keys: Mapping[str, context.Value] | None = None,
        region: str = "us-east-1",
    ) -> None:
        """Raise AccessDeniedError unless `principal` (role ARN or service host name) may do `action` on `resource`.

        `keys`: condition keys that the acting service would send, such as aws:SourceArn and aws:SourceAccount.
        """
        if self.enabled:
            self._decide(_acting(principal), Need(action, resource), dict(keys or {}), region)

    def check_call(
        self,
        principal: str,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        region: str,
        keys: Mapping[str, context.Value] | None = None,
    ) -> None:
        """As `check`, for all that an API call needs, encryption keys included; `service` is boto3's name."""
        if self.enabled:
            session = _acting(principal)
            call = Call(service, prefix_of(service), operation, params, region, session.principal.account)
            self._authorize(session, call, dict(keys or {}))

    def _authorize(self, session: Session, call: Call, keys: Mapping[str, context.Value]) -> None:
        known = {**context.of_call(call), **keys}
        for need in needs(call):
            self._decide(session, need, known, call.region)

    def _decide(self, session: Session, need: Need, keys: Mapping[str, context.Value], region: str) -> None:
        request = Request(
            session.principal,
            need.action,
            need.resource,
            context.build({**context.of_session(session, region), **keys, **need.keys}, need.resource),
            resources.account_of(need.resource),
        )
        # Handing over a role is between the caller and IAM; its trust policy is asked when a service takes it.
        hangs_on_resource = need.action != "iam:PassRole"
        decision = evaluate(
            request,
            Policies(
                identity=session.identity,
                boundary=session.boundary,
                session=session.session,
                resource=resources.policies_on(need.resource) if hangs_on_resource else (),
                resource_decides=resources.decides_alone(need.resource, need.action),
            ),
        )
        with self._lock:
            self.decisions[DecisionKey(session.name, need.action, need.resource, decision.allowed)] += 1
            for each in decision.statements:
                use = StatementUse(session.name, each.source, each.sid, need.action, need.resource)
                self.statements_used[use] += 1
        if not decision.allowed:
            raise AccessDeniedError(message(request, decision))


class Local(Protocol):
    """What `install` needs of the embedded AWS: moto's dispatcher, which its server asks for every request."""

    _moto: Any
    authorization: Authorization


def install(local: Local, enabled: bool = True) -> Authorization:
    """Put the gate in front of moto's dispatcher, and hand it out as `local.authorization`.

    moto's own look at bucket policies is taken out: it knows neither callers nor conditions, so that a bucket which
    denies plain HTTP would deny everything to everyone.
    """
    FakeBucket.get_permission = _no_opinion
    local.authorization = Authorization(enabled)
    local._moto = local.authorization.middleware(local._moto)
    return local.authorization


def _no_opinion(self: FakeBucket, action: str, resource: str) -> PermissionResult:
    return PermissionResult.NEUTRAL


def _exempt(session: Session) -> bool:
    return session.name.rpartition("/")[2].startswith(EXEMPT_ROLES)


def _acting(principal: str) -> Session:
    return principals.of_role(principal) if principal.startswith("arn:") else principals.of_service(principal)
