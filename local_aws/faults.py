"""Faults on demand, for tests: calls that are throttled or lose their answer, and processes that are killed after a call.

`POST /_local/faults` with a Fault's attributes as JSON adds one; `POST /_local/faults/clear` removes all, and answers how often
each took effect. Calls of administrators and of the services themselves never fail.
"""

import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from .authorization import principals
from .authorization.refusals import error_response
from .interfaces import Application

THROTTLED = {
    "s3": ("SlowDown", 503),
    "sqs": ("RequestThrottled", 400),
    "cloudwatch": ("Throttling", 400),
    "sns": ("Throttled", 429),
}
"""Code and status of a throttled call of services that do not call it ThrottlingException (their API references)."""
SERVER_ERROR = "InternalFailure"


@dataclass
class Fault:
    """What happens to calls that match.

    `service`, `operation`: boto3's names; empty for all. `role`: a part of the caller's role name. `action`: `throttle` refuses
    the call; `lose` carries it out and answers with status 500; `kill` carries it out and kills the process of the function
    or job that made it. `every`: each n-th matching call. `share`: that share of them, at random with `seed`. `times`: how
    often at most; None for no limit.
    """

    action: Literal["throttle", "lose", "kill"]
    service: str = ""
    operation: str = ""
    role: str = ""
    every: int = 1
    share: float = 1.0
    times: int | None = None
    seed: int = 0
    calls: int = field(default=0, init=False)
    effects: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.action not in ("throttle", "lose", "kill"):
            raise ValueError(f"action: {self.action!r} is none of throttle, lose and kill")
        self._random = random.Random(self.seed)  # noqa: S311 (a test repeats it)

    def hits(self, service: str, operation: str, role: str) -> bool:
        """Whether a call fails; counts it if it matches."""
        matches = self.service in ("", service) and self.operation in ("", operation) and self.role in role
        if not matches or self.effects == self.times:
            return False
        self.calls += 1
        hit = self.calls % self.every == 0 and self._random.random() < self.share
        self.effects += hit
        return hit


class Faults:
    """The faults of one server."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._processes: dict[str, Callable[[], None]] = {}

    def add_process(self, access_key_id: str, kill: Callable[[], None]) -> None:
        """Calls signed with this key come from a process that `kill` kills."""
        self._processes[access_key_id] = kill

    def of(self, service: str, operation: str, access_key_id: str) -> Fault | None:
        """The fault of a call, if any."""
        if not self._faults:
            return None
        role = principals.role_arn_of(access_key_id).rpartition("/")[2]
        if role in ("", "administrator"):
            return None
        with self._lock:
            return next((fault for fault in self._faults if fault.hits(service, operation, role)), None)

    def serve(self, fault: Fault, service: str, access_key_id: str, application: Application) -> Application:
        """The application that a call with a fault gets."""

        def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            code, status = THROTTLED.get(service, ("ThrottlingException", 400))
            if fault.action != "throttle":
                for _ in application(environ, lambda *_: None):
                    pass
                code, status = SERVER_ERROR, HTTPStatus.INTERNAL_SERVER_ERROR
            if fault.action == "kill" and (kill := self._processes.get(access_key_id)):
                kill()
            text = "Rate exceeded" if fault.action == "throttle" else "The service failed after it carried out the call"
            return error_response(service, environ.get("CONTENT_TYPE", ""), status, code, text, start_response)

        return serve

    def control(self, body: dict[str, Any], argument: str = "") -> Any:
        """Serve `/_local/faults` and `/_local/faults/clear`."""
        if argument == "clear":
            with self._lock:
                cleared, self._faults = self._faults, []
            return [{"action": fault.action, "calls": fault.calls, "effects": fault.effects} for fault in cleared]
        try:
            fault = Fault(**body)
        except TypeError as error:
            raise ValueError(f"faults: {str(error).removeprefix('Fault.__init__() ')}") from None
        with self._lock:
            self._faults.append(fault)
        return {"faults": len(self._faults)}
