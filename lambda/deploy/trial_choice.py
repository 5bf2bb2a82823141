"""Chooses which version an endpoint serves, and which one challenges it. Pure: no AWS here.

With `serving.challenger` a new approved version is not deployed at once: it challenges the live version in a trial, and what the
monitor measures promotes or withdraws it. A version that is approved during a trial waits for its end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal


@dataclass(frozen=True)
class Now:
    """What the endpoint has: the live version, its challenger, and the last version that a trial promoted, if any.

    `promotion_ended`: that version's deployment was rolled back or failed.
    """

    live: int | None
    challenger: int | None = None
    promoted: int | None = None
    promotion_ended: bool = False


@dataclass(frozen=True)
class Choice:
    """The version that answers the requests, and the one that challenges it; None without a trial."""

    served: int
    challenger: int | None = None


def choose(now: Now, newest: int, is_approved: Callable[[int], bool], *, trials: bool) -> Choice:
    """What the endpoint is to have. `newest`: the newest approved version; `trials`: whether the settings have a challenger.

    A variant is removed by an update of its own, before another version becomes live: SageMaker's guardrails (canary, alarms)
    are for configurations with the same names of variants ('Deployment guardrails', exclusions).
    """
    choice = _choose(now, newest, is_approved, trials=trials)
    if now.live is not None and now.challenger is not None and choice.served != now.live:
        return Choice(now.live)
    return choice


def _choose(now: Now, newest: int, is_approved: Callable[[int], bool], *, trials: bool) -> Choice:
    live, promoted = now.live, now.promoted
    if not trials or live is None or newest <= live or not is_approved(live):
        return Choice(newest)
    if promoted is not None and promoted > live and not now.promotion_ended and is_approved(promoted):
        return Choice(promoted)
    if now.challenger is not None and now.challenger > live and is_approved(now.challenger):
        return Choice(live, now.challenger)
    # A promoted version that was rolled back is not put on trial again.
    return Choice(newest) if newest == promoted else Choice(live, newest)


@dataclass(frozen=True)
class Finding:
    """What the monitor found by labels: `better`, `worse`, or None without enough of them. `facts`: its measurements."""

    result: Literal["better", "worse"] | None
    reason: str
    facts: dict[str, object]


@dataclass(frozen=True)
class Verdict:
    """The end of a trial: what becomes of the challenger, and why."""

    result: Literal["promoted", "withdrawn"]
    reason: str
    decided_by: Literal["labels", "time limit", "alarms", "request"]


def verdict(
    finding: Finding | None, started: datetime, now: datetime, limit_seconds: float, undecided: str
) -> Verdict | None:
    """The end of a trial that has run since `started`; None when it goes on."""
    if finding and finding.result:
        return Verdict("promoted" if finding.result == "better" else "withdrawn", finding.reason, "labels")
    if now - started < timedelta(seconds=limit_seconds):
        return None
    days = limit_seconds / 86_400
    why = finding.reason if finding else "the monitor has not compared the versions"
    reason = f"undecided after {days:g} days: {why}"
    return Verdict("promoted" if undecided == "promote" else "withdrawn", reason, "time limit")
