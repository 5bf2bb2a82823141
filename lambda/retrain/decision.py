"""Decides whether a trigger starts a training. Pure: no AWS here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from messages import Trigger
from shared.executions import RUNNING

ALARM_TRIGGERS = ("drift", "quality")
"""Triggers of an alarm's state change. It is sent once, so a training that is skipped then needs a person's attention."""
AUTOMATIC_TRIGGERS = ("schedule", *ALARM_TRIGGERS)


@dataclass(frozen=True)
class Execution:
    """An execution of the training pipeline, and the kind of trigger that started it."""

    status: str
    started: datetime
    trigger: str = ""


@dataclass(frozen=True)
class Guards:
    """Limits for automatic trainings, from the model's configuration."""

    on_drift: bool
    cooldown_seconds: float
    on_quality: bool = True
    max_failures: int = 1


@dataclass(frozen=True)
class Start:
    """Start a training."""


@dataclass(frozen=True)
class Skip:
    """Start no training. `notify`: an alarm requested one and none is running, which raises the alarm retrain-not-started."""

    reason: str
    notify: bool = False


NewestData = Callable[[datetime | None], datetime | None]
"""Modification time of the newest data, or of any data newer than the given time; None without data. Slow: called last."""


def decide(
    trigger: Trigger,
    executions: Sequence[Execution],
    newest_data: NewestData,
    guards: Guards,
    now: datetime,
    promoted_from: str | None = None,
) -> Start | Skip:
    """Whether `trigger` starts a training. `executions` are newest first; times are UTC.

    - `promoted_from`: versions are promoted from that environment, so no trigger trains.
    - A running execution skips every trigger.
    - Cool-down and new data apply to automatic triggers only: not to `manual` and `code`. A failed training counts as
      a training, because the same data would fail again.
    - After `max_failures` failed trainings, alarms start no more: a drift that training cannot fix must not train forever.
    """
    if promoted_from:
        return Skip(f"promote is `model`: versions come from {promoted_from}, and none is trained here")
    alarm = trigger.kind in ALARM_TRIGGERS
    last = executions[0] if executions else None
    if last and last.status in RUNNING:
        return Skip(f"a training is in flight since {_format(last.started)}")
    if alarm and (skip := _skip_alarm(trigger, executions, guards)):
        return skip
    since = last.started if last and trigger.kind in AUTOMATIC_TRIGGERS else None
    if since:
        remaining = guards.cooldown_seconds - (now - since).total_seconds()
        if remaining > 0:
            return Skip(f"cooling down for another {remaining:.0f} s after the training of {_format(since)}", alarm)
    newest = newest_data(since)
    if newest is None:
        return Skip("there is no data yet", alarm)
    if since and newest <= since:
        return Skip(f"no new data since the training of {_format(since)}", alarm)
    return Start()


def _skip_alarm(trigger: Trigger, executions: Sequence[Execution], guards: Guards) -> Skip | None:
    """The guards for trainings that alarms request."""
    if trigger.kind == "drift" and not guards.on_drift:
        return Skip("retrain.on_drift is off")
    if trigger.kind == "quality" and not guards.on_quality:
        return Skip("retrain.on_quality is off")
    failures = consecutive_failures(executions)
    if failures < guards.max_failures:
        return None
    number = "the last training" if failures == 1 else f"the last {failures} trainings"
    return Skip(
        f"{number} that drift or quality started failed; they start no more until a training succeeds: fix the "
        "data or the model, then run model-factory retrain",
        notify=True,
    )


def consecutive_failures(executions: Sequence[Execution]) -> int:
    """Number of failed trainings that alarms started since the last training of any kind that succeeded."""
    failures = 0
    for execution in executions:
        if execution.status == "Succeeded":
            break
        failures += execution.trigger in ALARM_TRIGGERS and execution.status == "Failed"
    return failures


def _format(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
