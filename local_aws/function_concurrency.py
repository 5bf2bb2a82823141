"""Reserved concurrency of functions: how many invocations run at a time, and the error of those beyond it.

Sources: Lambda developer guide, "Configuring reserved concurrency for a function" (0 throttles every invocation; 100 of the
account's concurrency stay unreserved), "Troubleshoot invocation issues in Lambda" (TooManyRequestsException) and "How Lambda
handles errors and retries with asynchronous invocation" (a throttled event returns to the queue, for six hours by default).
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from moto.core.exceptions import JsonRESTError

from .interfaces import Server

QUOTA = "1000"
"""Lambda's default quota "Concurrent executions" of an account and region."""
RETRY_SECONDS = 0.5
_QUOTA_VARIABLE = "MOTO_LAMBDA_CONCURRENCY_QUOTA"


class TooManyRequestsError(JsonRESTError):
    """An invocation beyond the reserved concurrency."""

    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")
        reason = "ReservedFunctionConcurrentInvocationLimitExceeded"  # members of the exception in Lambda's API model
        self.description = json.dumps({"Reason": reason, "Type": "User", "message": self.message})


class Concurrency:
    """The invocations that run, by function."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()

    @contextmanager
    def invocation(self, function: Any) -> Generator[None]:
        """While this is open, an invocation runs. Raises TooManyRequestsError when the function has no concurrency left."""
        arn, reserved = function.function_arn, function.reserved_concurrency
        with self._lock:
            if reserved is not None and self._running[arn] >= int(reserved):
                raise TooManyRequestsError
            self._running[arn] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[arn] -= 1


def set_quota(local: Server) -> None:
    """Let moto refuse reservations that leave less than 100 of the account's concurrency to other functions."""
    before = os.environ.get(_QUOTA_VARIABLE)
    os.environ[_QUOTA_VARIABLE] = QUOTA

    def restore() -> None:
        os.environ.pop(_QUOTA_VARIABLE, None)
        if before is not None:
            os.environ[_QUOTA_VARIABLE] = before

    local.on_stop(restore)


def when_free(invoke: Callable[[], object], stopping: threading.Event) -> None:
    """Call `invoke` in a thread of its own until it is not throttled."""

    def retry() -> None:
        while not stopping.wait(RETRY_SECONDS):
            try:
                invoke()
            except TooManyRequestsError:
                continue
            return

    threading.Thread(target=retry, name="throttled-event", daemon=True).start()
