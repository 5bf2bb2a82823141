"""Start or skip: the guards in front of a training. No AWS here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from messages import Trigger

RUNNING = ("Executing", "Stopping")
AUTOMATIC = ("schedule", "drift")


@dataclass(frozen=True)
class Execution:
    """A training that was started."""

    status: str
    started: datetime


@dataclass(frozen=True)
class Guards:
    """The model's own limits."""

    on_drift: bool
    cooldown_seconds: float


@dataclass(frozen=True)
class Start:
    """Train."""


@dataclass(frozen=True)
class Skip:
    """Do not train; `reason` is for people."""

    reason: str


NewestData = Callable[[datetime | None], datetime | None]
"""When the newest data was written, or any that is newer than the given time; None without data. Asked last: it costs."""


def decide(
    trigger: Trigger,
    executions: Sequence[Execution],
    newest_data: NewestData,
    guards: Guards,
    now: datetime,
    promoted_from: str | None = None,
) -> Start | Skip:
    """Whether `trigger` starts a training. `executions` are newest first; times are UTC.

    A training in flight stops every trigger. Cool-down and new data concern the automatic ones: a person or a push of
    code knows why it asks. A training that failed counts as one: the same data would fail again, and people were told.
    Nothing trains where versions are promoted to, from the environment `promoted_from`.
    """
    if promoted_from:
        return Skip(f"promote is `model`: versions come from {promoted_from}, and none is trained here")
    automatic = trigger.kind in AUTOMATIC
    last = executions[0] if executions else None
    if last and last.status in RUNNING:
        return Skip(f"a training is in flight since {_time(last)}")
    if trigger.kind == "drift" and not guards.on_drift:
        return Skip("retrain.on_drift is off")
    if last and automatic:
        cooling = guards.cooldown_seconds - (now - last.started).total_seconds()
        if cooling > 0:
            return Skip(f"cooling down for another {cooling:.0f} s after the training of {_time(last)}")
    newest = newest_data(last.started if last and automatic else None)
    if newest is None:
        return Skip("there is no data yet")
    if last and automatic and newest <= last.started:
        return Skip(f"no new data since the training of {_time(last)}")
    return Start()


def _time(execution: Execution) -> str:
    return f"{execution.started:%Y-%m-%d %H:%M:%S} UTC"
