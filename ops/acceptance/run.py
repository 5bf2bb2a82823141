"""Runs the steps of the loop in order, skips what a failure makes impossible, and always cleans up."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from model_factory.functions.shared.errors import is_missing

from ..project import EnvironmentSession, Project, UsageError
from ..repository.throw_away import check_throw_away
from .alerts import subscribed_queue
from .clean_up import clean_up
from .estimate import Estimate, estimate
from .loop import Loop

CLEAN_UP = "clean-up"

type Status = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class StepResult:
    """One step: what it does, how it ended, in how many seconds, and what it saw or why it failed."""

    name: str
    what: str
    status: Status
    seconds: float
    detail: str


@dataclass
class Result:
    """All steps of a run."""

    environment: str
    model: str
    estimate: Estimate
    steps: list[StepResult] = field(default_factory=list[StepResult])
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Whether every step passed."""
        return not self.interrupted and all(step.status == "passed" for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """Values that `json.dumps` accepts."""
        return {
            "environment": self.environment,
            "model": self.model,
            "passed": self.passed,
            "interrupted": self.interrupted,
            "seconds": round(sum(step.seconds for step in self.steps), 1),
            "estimate": self.estimate.to_json(),
            "steps": [asdict(step) | {"seconds": round(step.seconds, 1)} for step in self.steps],
        }


@dataclass(frozen=True)
class Step:
    """A step and the steps that have to pass before it."""

    name: str
    what: str
    action: Callable[[Loop], str]
    needs: tuple[str, ...] = ()


STEPS = (
    Step("data", "labelled records are uploaded", Loop.upload),
    Step("training", "a training is requested and succeeds", Loop.train, ("data",)),
    Step("gate", "the version that passed its gate is registered", Loop.gate, ("training",)),
    Step("live", "the version goes live", Loop.live, ("gate",)),
    Step("prediction", "requests are answered, an invalid one is refused", Loop.predict, ("live",)),
    Step("broken data", "a training on invalid data fails, the version stays", Loop.refuse_broken_data, ("live",)),
    Step("alert", "the failed training is an alert", Loop.receive_alert, ("broken data",)),
    Step("drift", "requests drift, the monitor runs", Loop.find_drift, ("prediction",)),
    Step("alarm", "the drift alarm is raised and is an alert", Loop.raise_alarm, ("drift",)),
    Step("retraining", "the alarm starts a training, which succeeds", Loop.retrain, ("alarm",)),
    Step("new version", "the new version goes live", Loop.replace, ("retraining",)),
    Step("roll-back", "rejecting it returns to the first version", Loop.roll_back, ("new version",)),
)


def prepare(project: Project, session: EnvironmentSession, model: str) -> Estimate:
    """Check that `model` is the throw-away model and is deployed; the estimate of a run. Raises UsageError."""
    config = project.model(model)
    check_throw_away(config)
    if source := project.factory.promoted_from(session.environment, config.promote):
        raise UsageError(
            f"{model} has `promote: model`; {session.environment.name} trains no versions, use {source.name}"
        )
    names, sagemaker = session.names.model(model), session.client("sagemaker")
    definitions: list[str] = []
    for pipeline in (names.training_pipeline, names.monitor_pipeline):
        try:
            definitions.append(sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"])
        except ClientError as error:
            if not is_missing(error):
                raise
            raise UsageError(
                f"{session.environment.name} has no pipeline {pipeline!r}; deploy the model first: cdk deploy '{names.stack}'"
            ) from None
    training, monitor = definitions
    return estimate(training, monitor, config.serving)


def run(session: EnvironmentSession, model: str, planned: Estimate, log: Callable[[str], None]) -> Result:
    """Run every step and clean up, also after Ctrl-C; a second Ctrl-C ends the clean-up. `log` gets lines of progress."""
    runner = _Runner(Result(session.environment.name, model, planned), log)
    runner.step("start", "nothing of an earlier run is left", lambda: clean_up(session, model))
    try:
        if runner.result.passed:
            with subscribed_queue(session.client, session.names) as alerts:
                loop = Loop(session, model, alerts, lambda line: log(f"  {line}"))
                for step in STEPS:
                    runner.step(step.name, step.what, lambda step=step: step.action(loop), step.needs)
    except KeyboardInterrupt:
        runner.result.interrupted = True
    except (ClientError, BotoCoreError) as error:
        runner.add("alerts queue", "a temporary queue is subscribed to the alerts topic", "failed", 0, str(error))
    finally:
        runner.result.interrupted, interrupted = False, runner.result.interrupted
        runner.step(CLEAN_UP, "everything that was made is removed", lambda: clean_up(session, model))
        runner.result.interrupted |= interrupted
    return runner.result


class _Runner:
    """Runs steps and collects their results."""

    def __init__(self, result: Result, log: Callable[[str], None]) -> None:
        self.result, self._log = result, log

    def step(self, name: str, what: str, action: Callable[[], str], needs: tuple[str, ...] = ()) -> None:
        """Run one step. Every error ends this step only; Ctrl-C also skips the next ones."""
        if reason := self._reason_to_skip(needs):
            self.add(name, what, "skipped", 0, reason)
            return
        self._log(f"{name}: {what}")
        started = time.monotonic()
        status: Status = "failed"
        try:
            detail, status = action(), "passed"
        except KeyboardInterrupt:
            self.result.interrupted, detail = True, "interrupted"
        except (UsageError, ClientError, BotoCoreError) as error:
            detail = str(error)
        except Exception as error:
            # One surprise must not leave an endpoint behind that costs money.
            detail = f"{type(error).__name__}: {error}"
        self.add(name, what, status, time.monotonic() - started, detail)

    def add(self, name: str, what: str, status: Status, seconds: float, detail: str) -> None:
        """Add a result."""
        self.result.steps.append(StepResult(name, what, status, seconds, detail))
        self._log(f"{name}: {status} after {seconds:.1f} s: {detail}" if status != "skipped" else f"{name}: {detail}")

    def _reason_to_skip(self, needs: tuple[str, ...]) -> str:
        if self.result.interrupted:
            return "skipped after the interruption"
        by_name = {step.name: step.status for step in self.result.steps}
        missing = [name for name in needs if by_name.get(name) != "passed"]
        return f"skipped because {missing[0]} did not pass" if missing else ""
