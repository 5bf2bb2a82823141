"""Start or skip: the guards in front of a training. No AWS here."""

from collections.abc import Sequence
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


def decide(
    trigger: Trigger, executions: Sequence[Execution], newest_data: datetime | None, guards: Guards, now: datetime
) -> Start | Skip:
    """Whether `trigger` starts a training. `executions` are newest first; times are UTC.

    A training in flight stops every trigger. Cool-down and new data concern the automatic ones: a person or a push of
    code knows why it asks.
    """
    last = executions[0] if executions else None
    if last and last.status in RUNNING:
        return Skip(f"a training is in flight since {last.started:%Y-%m-%d %H:%M:%S} UTC")
    if newest_data is None:
        return Skip("there is no data yet")
    if trigger.kind not in AUTOMATIC:
        return Start()
    if trigger.kind == "drift" and not guards.on_drift:
        return Skip("retrain.on_drift is off")
    if last is None:
        return Start()
    cooling = guards.cooldown_seconds - (now - last.started).total_seconds()
    if cooling > 0:
        return Skip(
            f"cooling down for another {cooling:.0f} s after the training of {last.started:%Y-%m-%d %H:%M:%S} UTC"
        )
    if newest_data <= last.started:
        return Skip(f"no new data since the training of {last.started:%Y-%m-%d %H:%M:%S} UTC")
    return Start()
