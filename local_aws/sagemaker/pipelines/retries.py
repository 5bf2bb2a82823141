"""Retry policies of steps: which failures are tried again, and when.

Source: SageMaker developer guide, "Retry Policy for Pipeline Steps".
"""

from collections.abc import Iterator, Mapping
from typing import Any

DEFAULT_INTERVAL_SECONDS, DEFAULT_BACKOFF, DEFAULT_ATTEMPTS = 1, 2.0, 5
LONGEST_WAIT_SECONDS = 0.5
"""The embedded AWS waits no longer between two attempts: the capacity and the throttling that AWS waits for are not simulated."""

_CODES = {
    "ThrottlingException": "Step.THROTTLING",
    "Throttling": "Step.THROTTLING",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
    "InternalServerError": "Step.SERVICE_FAULT",
    "InternalFailure": "Step.SERVICE_FAULT",
    "ServiceUnavailable": "Step.SERVICE_FAULT",
}
_REASONS = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}


def exception_type(error: Exception) -> str | None:
    """The type of a step's failure in retry policies; None for one that no policy can name."""
    response: Mapping[str, Any] = getattr(error, "response", {})
    if response:
        return _CODES.get(response.get("Error", {}).get("Code", ""))
    code = getattr(error, "code", "")
    if code in _CODES:
        return _CODES[code]
    return next((kind for begin, kind in _REASONS.items() if str(error).startswith(begin)), None)


def waits(policies: list[dict[str, Any]], kind: str | None) -> Iterator[float]:
    """Seconds to wait before each further attempt after a failure of `kind`: nothing when no policy has it."""
    for policy in policies:
        if kind in policy["ExceptionType"] or (kind and "ALL" in policy["ExceptionType"]):
            interval = float(policy.get("IntervalSeconds", DEFAULT_INTERVAL_SECONDS))
            for attempt in range(int(policy.get("MaxAttempts", DEFAULT_ATTEMPTS))):
                backoff = float(policy.get("BackoffRate", DEFAULT_BACKOFF)) ** min(attempt, 20)
                yield min(interval * backoff, LONGEST_WAIT_SECONDS)
            return
