"""The sentences of alerts that come from events of AWS services. Pure: no AWS here."""

from dataclasses import dataclass

from shared.alerts import Alert


@dataclass(frozen=True)
class Place:
    """The environment that alerts are about; in the delivery account it is called `delivery`."""

    factory: str
    environment: str

    @property
    def prefix(self) -> str:
        """The beginning of the names of the environment's resources."""
        return f"{self.factory}-{self.environment}"


@dataclass(frozen=True)
class _AlarmText:
    """What follows from an alarm. `done` and `command` have {model}, {environment} and {monitor} as placeholders."""

    command: str
    done: str = ""
    told_in: str = "ALARM"


_STATUS = "model-factory status --env {environment}"
_TRAINING = "With `retrain.on_drift` a training is started, unless one is in flight, the cool-down lasts or there is no new data."
_ROLLBACK = "SageMaker rolls back a deployment that is in progress; otherwise the deployed version stays."
# Not those of challengers, retrain-not-started and training-failed: other alerts have their reason.
_ALARMS = {
    "drift": _AlarmText(_STATUS, _TRAINING),
    "model-quality": _AlarmText(_STATUS, _TRAINING),
    "data-violations": _AlarmText(_STATUS),
    "monitor-missed": _AlarmText(
        "aws sagemaker list-pipeline-executions --pipeline-name {monitor} --max-results 3", told_in="INSUFFICIENT_DATA"
    ),
    "endpoint-errors": _AlarmText(_STATUS, _ROLLBACK),
    "endpoint-latency": _AlarmText(_STATUS, _ROLLBACK),
    "requests-expired": _AlarmText(_STATUS),
}


def alarm_of(name: str, place: Place) -> tuple[str, str] | None:
    """Model and purpose of an alarm by its name `<factory>-<environment>-<model>-<purpose>`; None for other alarms."""
    start = f"{place.prefix}-"
    for purpose in _ALARMS:
        model = name.removeprefix(start).removesuffix(f"-{purpose}")
        if name == f"{start}{model}-{purpose}":
            return model, purpose
    return None


def told_in(purpose: str) -> str:
    """The state of an alarm that people are notified of."""
    return _ALARMS[purpose].told_in


def alarm(model: str, purpose: str, description: str, place: Place) -> Alert:
    """The alert of an alarm, without its reason. `description` is the alarm's own."""
    text = _ALARMS[purpose]
    names = {"model": model, "environment": place.environment, "monitor": f"{place.prefix}-{model}-monitor"}
    what = description.removeprefix(f"{model}: ").removeprefix("INSUFFICIENT_DATA: ") or "The alarm changed its state."
    return Alert(
        model=model,
        cause=purpose,
        what=what,
        why="",
        done=text.done,
        command=text.command.format(**names),
    )


def failed_step(pipeline: str, step: str, execution: str, reason: str, place: Place) -> Alert:
    """The alert of a failed step of a model's training or monitor pipeline."""
    stem, _, kind = pipeline.rpartition("-")
    model = stem.removeprefix(f"{place.prefix}-")
    what = f"Step {step} of {pipeline} failed (execution {execution.rpartition('/')[2]})."
    if kind == "monitor":
        done = "The endpoint answers as before; the next scheduled check runs."
        return Alert(
            model, "monitor-step-failed", what, reason, done, f"model-factory status --env {place.environment}"
        )
    done = "The deployed version stays."
    command = f"model-factory retrain {model} --env {place.environment}"
    return Alert(model, "training-step-failed", what, reason, done, command)


def failed_action(pipeline: str, stage: str, action: str, execution: str, reason: str) -> Alert:
    """The alert of a failed action of a delivery pipeline."""
    what = f"{pipeline} stopped in {stage} at {action} (execution {execution})."
    done = "Nothing after that action was delivered."
    return Alert("", "delivery-failed", what, reason, done, "model-factory deliveries")


def waiting_action(pipeline: str, stage: str, action: str, execution: str) -> Alert:
    """The alert of a delivery that waits for approval."""
    what = f"{pipeline} waits for an approval: {action} (execution {execution})."
    done = "The delivery continues after the approval."
    command = f"model-factory approve --delivery --env {stage}"
    return Alert("", "delivery-waiting", what, f"The stage {stage} begins with an approval.", done, command)


def unknown_event(reason: str) -> Alert:
    """The alert of an event that cannot be read."""
    return Alert("", "unreadable-event", "An event on the alerts queue cannot be read.", reason)
