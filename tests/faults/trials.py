"""The machine of trials: new versions challenge the live one, and labels, time limits and people end the trials."""

import json

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from . import promises
from .deployments import ACTS, MODEL, NAME, Deployments
from .simulation.hosting import challenger_of, version_of
from .simulation.names import arn

DAYS = 86_400.0
CHALLENGERS = [
    {"mode": "shadow", "percent": 100, "limit": DAYS / 2, "undecided": "withdraw"},
    {"mode": "split", "percent": 20, "limit": DAYS / 2, "undecided": "promote"},
    None,
]
RESULTS = ("better", "worse", None)


class Trials(Deployments):
    """One model with `serving.challenger`, which the stack also changes and removes."""

    wanted = ("mistake", "storm", "told", "record", "untried", "trial", "verdict")
    somebody_sends_an_invalid_message = None
    """The machine of deployments sends some."""

    def __init__(self):
        super().__init__()
        self.acts = list(TRIAL_ACTS)
        self.tried = 0
        self.was_asked = False
        self.settings["serving"]["challenger"] = CHALLENGERS[0]
        self.world.configure(self.settings)
        pattern = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
        }
        send = lambda event: self.world.sqs.put("acme-prod-deploy.fifo", json.dumps(event), MODEL)  # noqa: E731
        self.world.bus.put_rule("monitor", pattern, send)

    @property
    def act_table(self):
        return TRIAL_ACTS

    @initialize(versions=st.integers(1, 3), acts=st.lists(st.sampled_from(range(20)), min_size=1, max_size=6))
    def begin(self, versions, acts):
        for _ in range(versions):
            ACTS["register"](self, 0)
            self.settle()
        self.world.tell(f"--- version {self.live} is live, version {self.challenger} is on trial")
        super().begin(live=False, acts=acts)

    @precondition(lambda self: self.challenger is not None)
    @rule(choice=st.integers(0, 2))
    def the_monitor_runs(self, choice):
        self.step()
        monitor_runs(self, choice)

    @property
    def live(self):
        return version_of(self.world.hosting, self.endpoint.config) if self.endpoint else None

    @property
    def challenger(self):
        return challenger_of(self.world.hosting, self.endpoint.config) if self.endpoint else None

    def failures(self):
        yield from promises.always(self.world)
        yield from (("untried", text) for text in self._untried())

    def failures_at_rest(self):
        yield from super(Deployments, self).failures_at_rest()
        yield from (("told", text) for text in promises._untold(self))
        yield from (("record", text) for text in promises._records(self))
        yield from (("trial", text) for text in self._at_rest())
        yield from (("verdict", text) for text in self._verdicts())

    def _untried(self):
        """Versions that replaced an approved older one without a verdict, or a person who asked."""
        hosting = self.world.hosting
        new, self.tried = hosting.deployments[self.tried :], len(hosting.deployments)
        for deployment in new:
            version, before = version_of(hosting, deployment.config), version_of(hosting, deployment.previous)
            if (
                deployment.by != "deploy"
                or before is None
                or version <= before
                or not self.settings["serving"]["challenger"]
            ):
                continue
            records = self.world.recorder.records(MODEL, "trial")
            promoted = any(record.version == version and record.facts["result"] == "promoted" for record in records)
            was_rejected = any(status != "Approved" for _, status in self._version(before).history)
            if not (promoted or was_rejected or self.was_asked):
                yield f"version {version} replaces version {before}, and no trial has promoted it"

    def _at_rest(self):
        """A trial that goes on is one of an approved version against an approved older one; else the newest approved is live."""
        newest = self.world.registry.newest_approved(NAME)
        if newest is None or self.endpoint is None or self.endpoint.status != "InService":
            return
        live, challenger = self.live, self.challenger
        if challenger is not None:
            statuses = [self._version(number).status for number in (live, challenger)]
            if (statuses != ["Approved"] * 2 or challenger < live) and not self._was_told():
                yield f"version {challenger} is on trial against version {live}, which are {statuses}"
            began = max(d.started for d in self.world.hosting.deployments if d.config == self.endpoint.config)
            for record in self.world.recorder.records(MODEL, "trial"):
                if record.version == challenger and record.time > began and not self._was_told():
                    yield f"version {challenger} is still on trial, although it was {record.facts['result']}"
            if self.settings["serving"]["challenger"] is None and not self._was_told():
                yield f"version {challenger} is on trial, and the settings have no challenger"
        elif live != newest.number and not self._was_told():
            yield f"version {newest.number} is approved, version {live} is live, there is no trial, and nobody was told"

    def _verdicts(self):
        """Each trial that ended by a verdict has an alert."""
        for record in self.world.recorder.records(MODEL, "trial"):
            cause = f"challenger-{record.facts['result']}"
            if not any(alert.cause == cause and alert.version == record.version for alert in self.world.alerts):
                yield f"the trial of version {record.version} was {record.facts['result']}, and nobody was told"

    def _was_told(self):
        """Whether a deployment of the newest settings failed, or something else kept the function from its work."""
        causes = ("deployment-", "trial-failed", "endpoint-", "dead letter")
        return any(alert.cause.startswith(causes) for alert in self.world.alerts)

    def _version(self, number):
        return next(version for version in self.versions if version.number == number)


def monitor_runs(machine, choice):
    """The monitor compares the versions, and its run ends."""
    result, started = RESULTS[choice % 3], machine.world.clock.now
    if machine.challenger is not None:
        content = {"live": machine.live, "challenger": machine.challenger, "result": result, "reason": "by labels"}
        machine.world.tell(f"the monitor finds version {machine.challenger}: {result}")
        body = json.dumps(content | {"written": started.isoformat()}).encode()
        machine.world.s3.put("acme-prod-artifacts", f"{MODEL}/monitor/trial.json", body)
    pipeline = arn("sagemaker", f"pipeline/{NAME}-monitor")
    detail = {"pipelineArn": pipeline, "currentPipelineExecutionStatus": "Succeeded"}
    machine.world.bus.emit(
        "aws.sagemaker", "SageMaker Model Building Pipeline Execution Status Change", detail, pipeline
    )


def skip_trial(machine, choice):
    """A person asks for the newest approved version without a trial."""
    newest = machine.world.registry.newest_approved(NAME)
    if newest:
        machine.world.tell(f"a person runs model-factory redeploy --without-trial for version {newest.number}")
        body = {
            "model": MODEL,
            "trigger": "manual",
            "reason": "x",
            "id": f"skip-{machine.steps}",
            "version": newest.number,
        }
        machine.world.sqs.put("acme-prod-deploy.fifo", json.dumps(body), MODEL)
        machine.ledger.asked(None)
        machine.was_asked = True


def change_challenger(machine, choice):
    """The stack is deployed with another challenger, or none."""
    machine.settings["serving"]["challenger"] = CHALLENGERS[choice % 3]
    machine.world.tell(f"the stack is deployed with challenger {CHALLENGERS[choice % 3]}")
    machine.world.configure(machine.settings)
    machine.ledger.asked(None)
    machine.was_asked = True


TRIAL_ACTS = {
    "monitor": monitor_runs,
    "monitor too": monitor_runs,
    "register": ACTS["register"],
    "register too": ACTS["register"],
    "decide": ACTS["decide"],
    "monitor again": monitor_runs,
    "delete": ACTS["delete"],
    "stack": ACTS["stack"],
    "alarm": ACTS["alarm"],
    "challenger": change_challenger,
    "skip": skip_trial,
    "redeploy": ACTS["redeploy"],
}
