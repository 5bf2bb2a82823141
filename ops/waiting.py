"""Polling with a timeout."""

import time
from collections.abc import Callable

from .project import UsageError

SHORTEST_SECONDS, LONGEST_SECONDS = 0.25, 10.0


def pause(started: float, shortest_seconds: float = SHORTEST_SECONDS) -> None:
    """Sleep between two polls: 2 % of the time since `started`, at least `shortest_seconds` and at most ten seconds.

    What takes seconds on one machine takes minutes on AWS, where many calls in a short time are throttled.
    `started`: a time of `time.monotonic()`.
    """
    time.sleep(max(shortest_seconds, min((time.monotonic() - started) / 50, LONGEST_SECONDS)))


def wait_for[T](description: str, poll: Callable[[], T | None], timeout_seconds: float = 180) -> T:
    """Call `poll` until it returns something other than None and False, and return that.

    Raises UsageError with the description after `timeout_seconds`.
    """
    started = time.monotonic()
    while True:
        result = poll()
        if result is not None and result is not False:
            return result
        if time.monotonic() - started > timeout_seconds:
            raise UsageError(f"timed out after {timeout_seconds:.0f} s waiting for {description}")
        pause(started)
