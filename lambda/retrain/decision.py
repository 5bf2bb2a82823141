"""Start or skip: the guards in front of a training. No AWS here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from messages import Trigger

RUNNING = ("Executing", "Stopping")
ALARMED = ("drift", "quality")
"""What an alarm asks for: it asks once, when it goes off, so a training that is not started then waits for a person."""
AUTOMATIC = ("schedule", *ALARMED)


@dataclass(frozen=True)
class Execution:
    """A training that was started, by which kind of trigger."""

    status: str
    started: datetime
    kind: str = ""


@dataclass(frozen=True)
class Guards:
    """The model's own limits."""

    on_drift: bool
    cooldown_seconds: float
    on_quality: bool = True
    max_failures: int = 1


@dataclass(frozen=True)
class Start:
    """Train."""


@dataclass(frozen=True)
class Skip:
    """Do not train; `reason` is for people. `unanswered`: an alarm asked in vain, which people must know."""

    reason: str
    unanswered: bool = False


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
    What alarms ask for has one more guard: a drift that training cannot mend must not train forever. Nothing trains where
    versions are promoted to, from the environment `promoted_from`.
    """
    if promoted_from:
        return Skip(f"promote is `model`: versions come from {promoted_from}, and none is trained here")
    automatic, alarmed = trigger.kind in AUTOMATIC, trigger.kind in ALARMED
    last = executions[0] if executions else None
    if last and last.status in RUNNING:
        return Skip(f"a training is in flight since {_time(last)}")
    if trigger.kind == "drift" and not guards.on_drift:
        return Skip("retrain.on_drift is off")
    if trigger.kind == "quality" and not guards.on_quality:
        return Skip("retrain.on_quality is off")
    failures = failures_in_a_row(executions)
    if alarmed and failures >= guards.max_failures:
        number = "the last training" if failures == 1 else f"the last {failures} trainings"
        return Skip(
            f"{number} that drift or quality asked for failed; they start no more until a training succeeds: mend the "
            "data or the model, then model-factory retrain",
            unanswered=True,
        )
    if last and automatic:
        cooling = guards.cooldown_seconds - (now - last.started).total_seconds()
        if cooling > 0:
            return Skip(f"cooling down for another {cooling:.0f} s after the training of {_time(last)}", alarmed)
    newest = newest_data(last.started if last and automatic else None)
    if newest is None:
        return Skip("there is no data yet", alarmed)
    if last and automatic and newest <= last.started:
        return Skip(f"no new data since the training of {_time(last)}", alarmed)
    return Start()


def failures_in_a_row(executions: Sequence[Execution]) -> int:
    """How many trainings that alarms asked for failed since the last one of any kind that succeeded."""
    failures = 0
    for execution in executions:
        if execution.status == "Succeeded":
            break
        failures += execution.kind in ALARMED and execution.status == "Failed"
    return failures


def _time(execution: Execution) -> str:
    return f"{execution.started:%Y-%m-%d %H:%M:%S} UTC"
