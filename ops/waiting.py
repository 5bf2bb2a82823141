"""Polling with a timeout."""

import time
from collections.abc import Callable

from .project import UsageError


def wait_for[T](description: str, poll: Callable[[], T | None], timeout_seconds: float = 180) -> T:
    """Call `poll` until it returns something other than None, and return that.

    Raises UsageError with the description after `timeout_seconds`.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        if (result := poll()) is not None:
            return result
        if time.monotonic() > deadline:
            raise UsageError(f"timed out after {timeout_seconds:.0f} s waiting for {description}")
        time.sleep(0.1)
