"""Holds every request against the register before a service serves it, and answers one that breaks a rule.

A request that keeps to the rules may still meet a fault that a test asked for.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from moto.iam.models import get_account_id_from

from ..authorization import principals
from ..authorization.refusals import error_response
from ..authorization.requests import UnknownCallError, credential, read, service_name
from ..faults import Faults
from ..interfaces import Application
from ..sessions import SERVER_AGENT
from . import register
from .rule import Params, Request
from .state import State

SERVER_ROLE = ":role/aws-service"
"""Whom the server's own calls come from."""
log = logging.getLogger(__name__)


class Guard:
    """`provide` registers what the rules may ask of an account's state. `calls` counts requests: service, operation, key."""

    def __init__(self) -> None:
        self.state = State()
        self.faults = Faults()
        self.calls: Counter[tuple[str, str, str]] = Counter()

    def provide(self, kind: str, find: Callable[[str, str, str], Params | None]) -> None:
        """Let rules ask for records of a kind: `find(account, region, name)`."""
        self.state.provide(kind, find)

    def find(self, kind: str, account: str, region: str, name: str) -> Params | None:
        """The record of a kind with a name, or None."""
        return self.state.find(kind, account, region, name)

    def before(self, service: str, application: Any) -> Any:
        """The application of a service, as moto calls it, behind the register."""
        return Guarded(self, service, application)

    def report(self) -> dict[str, int]:
        """The response of `/_local/operations`: requests by service and operation that roles made.

        Without those of the server itself, and of administrators, who may be tests.
        """
        counted: Counter[str] = Counter()
        for (service, operation, key), times in list(self.calls.items()):
            role = principals.role_arn_of(key)
            if role and not role.endswith((SERVER_ROLE, ":role/administrator")):
                counted[f"{service}:{operation}"] += times
        return dict(sorted(counted.items()))


class Guarded:
    """One service's application behind the register."""

    def __init__(self, guard: Guard, service: str, application: Any) -> None:
        self._guard, self.service, self._application = guard, service, application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        return self._choose(environ)(environ, start_response)

    def _choose(self, environ: dict[str, Any]) -> Application:
        """The application that serves a request: the service's, or one that refuses it, or has a fault."""
        signed = credential(environ)
        if signed is None or not _is_service(self.service):
            return self._application
        service, account = service_name(self.service), get_account_id_from(signed.access_key_id)
        try:
            call = read(environ, service, signed.region, account)
        except UnknownCallError:
            return self._application
        self._guard.calls[service, call.operation, signed.access_key_id] += 1
        role = principals.role_arn_of(signed.access_key_id)
        request = Request(
            call.params,
            signed.region,
            account,
            int(environ.get("CONTENT_LENGTH") or 0),
            role,
            SERVER_AGENT in environ.get("HTTP_USER_AGENT", "").split(),
            lambda kind, name: self._guard.state.find(kind, account, signed.region, name),
        )
        violation = register.violation(service, call.operation, request)
        if violation is None:
            fault = None if request.service else self._guard.faults.of(service, call.operation, signed.access_key_id)
            if fault is None:
                return self._application
            return self._guard.faults.serve(fault, service, signed.access_key_id, self._application)
        log.info("%s:%s is refused: %s", service, call.operation, violation.message)
        kind = environ.get("CONTENT_TYPE", "")
        return lambda _, start: error_response(
            service, kind, violation.status, violation.code, violation.message, start
        )


@cache
def _is_service(moto_name: str) -> bool:
    """Whether moto serves AWS's requests under this name: it has pages of its own too."""
    try:
        service_name(moto_name)
    except KeyError:
        return False
    return True
