"""Decides what a message of the retrain queue leads to. Pure: no AWS here.

Requests for a training that arrive while one is running wait for its end, as the follow-up of that execution.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.executions import MOST_REQUESTS, Execution, Request
from shared.triggers import LONGEST_DESCRIBED_REASON

ALARM_TRIGGERS = ("drift", "quality")
"""Triggers of an alarm's state change. It is sent once, so a training that is skipped then needs a person's attention."""
AUTOMATIC_TRIGGERS = ("schedule", *ALARM_TRIGGERS)
STRENGTH = ("schedule", "quality", "drift", "manual", "code")
"""Triggers that one training answers together count as the last one here; guards apply to automatic triggers only."""


@dataclass(frozen=True)
class Guards:
    """Limits for automatic trainings, from the model's configuration."""

    on_drift: bool
    cooldown_seconds: float
    on_quality: bool = True
    max_failures: int = 1


@dataclass(frozen=True)
class Start:
    """Start a training that answers `request`."""

    request: Request


@dataclass(frozen=True)
class Remember:
    """Write `follow_up` into the description of the running `execution`."""

    execution: Execution
    follow_up: Request

    @property
    def reason(self) -> str:
        """Why no training starts now, and what follows."""
        return (
            f"a training is in flight since {_format(self.execution.started)}; the request is remembered, and decided when "
            "that training ends"
        )


@dataclass(frozen=True)
class Skip:
    """Start no training for `request`.

    `notify`: a person has to know, because an alarm or a person asked. `forget`: executions with the request as their
    follow-up.
    """

    request: Request
    reason: str
    notify: bool = False
    forget: tuple[Execution, ...] = ()


@dataclass(frozen=True)
class Nothing:
    """There is nothing to do. `answered`: the execution that the request started, when it is delivered again."""

    reason: str
    answered: bool = False


Decision = Start | Remember | Skip | Nothing
NewestData = Callable[[datetime | None], datetime | None]
"""Modification time of the newest data, or of any data newer than the given time; None without data. Slow: called last."""


def decide(
    request: Request | None,
    executions: Sequence[Execution],
    newest_data: NewestData,
    guards: Guards,
    now: datetime,
    promoted_from: str | None = None,
) -> Decision:
    """What follows from `request`, or without one from the end of a training. Times are UTC.

    - `promoted_from`: versions are promoted from that environment, so no trigger trains.
    - A request that is delivered again after its training started has no effect, nor has a further one of the same delivery.
    - While any execution runs, every request is remembered with it. After its end, the guards decide.
    - Cool-down and new data apply to automatic triggers only: not to `manual` and `code`. The cool-down counts trainings that
      automatic triggers started, failed ones as well, because the same data would fail again.
    - After `max_failures` failed trainings, alarms start no more: a drift that training cannot fix must not train forever.
    """
    answered = {identifier for each in executions for identifier in each.requests}
    repeated = request is not None and (answered.issuperset(request.ids) or _is_of_same_delivery(request, executions))
    waiting = tuple(each for each in executions if _waits(each, answered))
    wanted = merge(*(each.description.follow_up for each in waiting), None if repeated else request)
    if wanted is None:
        return Nothing("the training of this request has started already" if repeated else "no request waits", repeated)
    if promoted_from:
        reason = f"promote is `model`: versions come from {promoted_from}, and none is trained here"
        return Skip(wanted, reason, forget=waiting)
    if running := next((each for each in executions if each.running), None):
        before = running.description.follow_up
        follow_up = merge(before, wanted) or wanted
        return Nothing("the request is remembered already") if follow_up == before else Remember(running, follow_up)
    reason, notify = _guards(wanted, executions, waiting, newest_data, guards, now)
    return Skip(wanted, reason, notify, waiting) if reason else Start(wanted)


def _is_of_same_delivery(request: Request, executions: Sequence[Execution]) -> bool:
    """Whether a training answers a delivery, which asks again while it sees none; the reason has the delivery's id."""
    return request.kind == "code" and any(request.reason in each.description.reason for each in executions)


def merge(*requests: Request | None) -> Request | None:
    """One request in place of several, or None: the strongest trigger, and the ids and reasons in their order."""
    merged: Request | None = None
    for each in requests:
        if each is None or merged is None:
            merged = merged or each
            continue
        ids = tuple(dict.fromkeys((*merged.ids, *each.ids)))[:MOST_REQUESTS]
        is_new = not set(merged.ids).issuperset(each.ids) and each.reason not in merged.reason
        reason = f"{merged.reason}; {each.reason}"[:LONGEST_DESCRIBED_REASON] if is_new else merged.reason
        merged = Request(max(merged.kind, each.kind, key=STRENGTH.index), reason, ids)
    return merged


def _waits(execution: Execution, answered: set[str]) -> bool:
    """Whether the execution ended with a follow-up that has not started."""
    follow_up = execution.description.follow_up
    return bool(follow_up) and not execution.running and not answered.issuperset(follow_up.ids)


def _guards(
    request: Request,
    executions: Sequence[Execution],
    waiting: Sequence[Execution],
    newest_data: NewestData,
    guards: Guards,
    now: datetime,
) -> tuple[str, bool]:
    """The reason that skips a request while no training runs, and whether to notify; empty when it starts."""
    alarm = request.kind in ALARM_TRIGGERS
    if alarm and (reason := _alarm_reason(request, executions, guards)):
        return reason, True
    last = max(executions, key=lambda each: each.started, default=None)
    since = last.started if last and request.kind in AUTOMATIC_TRIGGERS else None
    cooling = _cooling_reason(request, executions, guards, now)
    if cooling and last not in waiting:
        return cooling, alarm
    newest = newest_data(since)
    if newest is None:
        return "there is no data yet", request.kind != "schedule"
    if since and newest <= since:
        # A request that waited for the training is answered by it, when it succeeded with the same data.
        answered = last in waiting and last is not None and last.status == "Succeeded"
        return f"no new data since the training of {_format(since)}", alarm and not answered
    return cooling, alarm


def _alarm_reason(request: Request, executions: Sequence[Execution], guards: Guards) -> str:
    """The guards for trainings that alarms request."""
    if request.kind == "drift" and not guards.on_drift:
        return "retrain.on_drift is off"
    if request.kind == "quality" and not guards.on_quality:
        return "retrain.on_quality is off"
    failures = consecutive_failures(executions)
    if failures < guards.max_failures:
        return ""
    number = "the last training" if failures == 1 else f"the last {failures} trainings"
    return (
        f"{number} that drift or quality started failed; they start no more until a training succeeds: fix the "
        "data or the model, then run model-factory retrain"
    )


def _cooling_reason(request: Request, executions: Sequence[Execution], guards: Guards, now: datetime) -> str:
    """Why an automatic trigger has to wait: another one started a training less than the cool-down ago."""
    if request.kind not in AUTOMATIC_TRIGGERS:
        return ""
    last = max(
        (each for each in executions if each.trigger in AUTOMATIC_TRIGGERS), key=lambda each: each.started, default=None
    )
    if last is None:
        return ""
    end = last.started + timedelta(seconds=guards.cooldown_seconds)
    if now >= end:
        return ""
    return (
        f"cooling down until {_format(end)} after the training that {last.trigger} started at {_format(last.started)}"
    )


def consecutive_failures(executions: Sequence[Execution]) -> int:
    """Number of failed trainings that alarms started since the last training of any kind that succeeded.

    `executions` are newest first.
    """
    failures = 0
    for execution in executions:
        if execution.status == "Succeeded":
            break
        failures += execution.trigger in ALARM_TRIGGERS and execution.status == "Failed"
    return failures


def _format(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
