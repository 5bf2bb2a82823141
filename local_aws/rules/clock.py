"""The time by which rules judge: the machine's, or a later one that a control has set, so that days pass in a second."""

from datetime import UTC, datetime, timedelta

_ahead = timedelta(0)


def now() -> datetime:
    """The present time."""
    return datetime.now(UTC) + _ahead


def pass_to(time: datetime) -> None:
    """Let time pass until `time`; an earlier time changes nothing."""
    global _ahead
    _ahead = max(_ahead, time - datetime.now(UTC))


def ahead() -> timedelta:
    """How far this clock is ahead of the machine's."""
    return _ahead


def restore(kept: timedelta) -> None:
    """Be ahead of the machine's time as before a restart."""
    global _ahead
    _ahead = kept


def reset() -> None:
    """Go back to the machine's time."""
    global _ahead
    _ahead = timedelta(0)
