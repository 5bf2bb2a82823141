"""State of a model in one environment: what runs, what waits and for whom, what went wrong and why. Pure: no AWS here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from model_factory.functions.shared.endpoints import CHANGING
from model_factory.functions.shared.executions import RUNNING, Description
from model_factory.functions.shared.leftovers import remove_command

from ..refusals import principal
from .facts import ModelFacts
from .versions import gate_metric, version_in

AUTOMATIC = ("schedule", "drift", "quality")
"""Triggers whose trainings begin a cool-down."""
BROKEN = ("Failed", "OutOfService", "UpdateRollbackFailed")
"""Statuses of an endpoint that SageMaker does not leave by itself."""
NOT_SERVING = ("Creating", "Deleting", "Failed", "OutOfService")
FAILED_OUTCOMES = ("rolled back", "failed")

STATES = (
    "endpoint gone",
    "endpoint failed",
    "left over",
    "rolled back",
    "deploying",
    "deployment waits",
    "version rejected",
    "needs approval",
    "training",
    "training failed",
    "on trial",
    "live",
    "no version yet",
    "not deployed",
    "cooling down",
)
"""The first one that applies is the model's state; the findings have all of them."""


@dataclass(frozen=True)
class Finding:
    """Something to know about a model. `command`: what a person can do about it, if anything."""

    state: str
    what: str
    command: str = ""


@dataclass(frozen=True)
class ModelStatus:
    """One model in one environment. A value is None when AWS has no such resource.

    `state` is one of STATES. `version` is live. `training` is the status of the newest training, `trained` its start.
    `alarms` are those in ALARM, without their prefix, and `monitor-missed` where checks have not reported.
    """

    environment: str
    model: str
    state: str
    endpoint: str | None
    version: int | None
    metric: str | None
    training: str | None
    training_reason: str | None
    trained: datetime | None
    trigger: str | None
    alarms: list[str]
    waiting_versions: list[int]
    deploying_version: int | None
    cooling_down_until: datetime | None
    findings: list[Finding]

    def to_json(self) -> dict[str, Any]:
        """Values that `json.dumps` accepts; times are ISO 8601, UTC."""
        values = {name: _json(getattr(self, name)) for name in self.__dataclass_fields__}
        return values | {"findings": [vars(each) for each in self.findings]}


def judge(facts: ModelFacts, now: datetime) -> ModelStatus:
    """The state that the facts amount to. `now`: UTC."""
    view = _View(facts, now)
    findings = list(view.findings())
    states = {each.state for each in findings}
    training = view.training or {}
    return ModelStatus(
        environment=facts.environment,
        model=facts.model,
        state=next(state for state in STATES if state in states or state == view.rest),
        endpoint=facts.endpoint["EndpointStatus"] if facts.endpoint else None,
        version=view.live_version,
        metric=gate_metric((facts.live or {}).get("CustomerMetadataProperties", {})),
        training=training.get("PipelineExecutionStatus"),
        training_reason=training.get("PipelineExecutionFailureReason"),
        trained=training.get("StartTime"),
        trigger=trigger(training) if training else None,
        alarms=view.alarms(),
        waiting_versions=view.waiting,
        deploying_version=view.deploying_version,
        cooling_down_until=view.cooling_down_until,
        findings=findings,
    )


def trigger(execution: dict[str, Any]) -> str | None:
    """What started a training, from the name that lambda/retrain gives it; None for one that a person started."""
    kind, _, rest = execution.get("PipelineExecutionDisplayName", "").partition("-")
    return kind if rest.startswith("retrain-") else None


class _View:
    """What follows from the facts of one model."""

    def __init__(self, facts: ModelFacts, now: datetime) -> None:
        self.facts, self._now = facts, now
        record = facts.deployment or {}
        self._endpoint, self._deployment = facts.endpoint, record.get("facts", {}) | record
        self._arguments = f"{facts.model} --env {facts.environment}"
        self.changing = (self._endpoint or {}).get("EndpointStatus") in CHANGING and not facts.is_scaling
        self.training = facts.executions[0] if facts.executions else None
        approved = [each["ModelPackageVersion"] for each in facts.versions if _status(each) == "Approved"]
        self._newest_approved = max(approved, default=None)

    @property
    def rest(self) -> str:
        """The state of a model without findings that say more."""
        if self.facts.settings is None:
            return "not deployed"
        return "live" if (self._newest_approved if self.facts.is_batch else self._endpoint) else "no version yet"

    @property
    def live_version(self) -> int | None:
        """Number of the version that the endpoint serves, or that scores files; None while the endpoint does not serve."""
        serves = self._endpoint is not None and self._endpoint["EndpointStatus"] not in NOT_SERVING
        live = self.facts.live["ModelPackageVersion"] if self.facts.live and serves else None
        return self._newest_approved if self.facts.is_batch else live

    @property
    def deploying_version(self) -> int | None:
        """Number of the version whose deployment is in progress."""
        if self._endpoint is None or not self.changing:
            return None
        pending = self._endpoint.get("PendingDeploymentSummary", self._endpoint)
        return version_in(pending["EndpointConfigName"])

    @property
    def waiting(self) -> list[int]:
        """Versions that wait for approval and are newer than the newest approved one."""
        pending = (each["ModelPackageVersion"] for each in self.facts.versions if _status(each).startswith("Pending"))
        return [number for number in pending if number > (self._newest_approved or 0)]

    @property
    def cooling_down_until(self) -> datetime | None:
        """Time until which schedule and alarms start no training; None when they may."""
        settings = (self.facts.settings or {}).get("retrain", {})
        started = [each["StartTime"] for each in self.facts.executions if trigger(each) in AUTOMATIC]
        if not started or "cooldown_seconds" not in settings:
            return None
        until = max(started) + timedelta(seconds=settings["cooldown_seconds"])
        return until if until > self._now else None

    def findings(self) -> Iterator[Finding]:
        """Everything to know, the most urgent first."""
        if self.facts.settings is None:
            command = f"cdk deploy '*{self.facts.prefix}'"  # with `delivery` the stack belongs to a stage
            yield Finding("not deployed", f"{self.facts.environment} has no stack of this model", command)
            return
        if not self.facts.in_repository:
            yield Finding(
                "left over",
                "it is deployed, but not in models/: its endpoint, schedules and alarms go on",
                remove_command(self.facts.model, self.facts.environment),
            )
        if not self.facts.is_batch:
            yield from self._of_endpoint() if self._endpoint else self._without_endpoint()
        yield from self._of_versions()
        yield from self._of_trainings()

    def _without_endpoint(self) -> Iterator[Finding]:
        outcome, number = self._deployment.get("outcome"), self._deployment.get("version")
        redeploy = f"model-factory redeploy {self._arguments}"
        if outcome == "failed":
            yield Finding("endpoint failed", f"v{number} could not be deployed: {self._reason()}", redeploy)
        elif outcome == "deleted":
            who = f"{self._ended()} by {self._requester()}"
            yield Finding("endpoint gone", f"the endpoint was deleted {who}; calls fail", redeploy)
        elif number:
            yield Finding(
                "endpoint gone", f"there is no endpoint, although v{number} was deployed; calls fail", redeploy
            )
        elif self._newest_approved:
            yield Finding(
                "deployment waits", f"v{self._newest_approved} is approved, and its deployment has not begun", redeploy
            )

    def _of_endpoint(self) -> Iterator[Finding]:
        endpoint = self._endpoint or {}
        status, live, number = endpoint["EndpointStatus"], self.live_version, self._deployment.get("version")
        reached = self._deployment.get("configuration") == endpoint["EndpointConfigName"]
        redeploy = f"model-factory redeploy {self._arguments}"
        if status in BROKEN:
            reason = endpoint.get("FailureReason") or self._reason()
            yield Finding("endpoint failed", f"the endpoint is {status}: {reason}", redeploy)
        elif self.changing:
            since = endpoint.get("PendingDeploymentSummary", {}).get("StartTime", endpoint["LastModifiedTime"])
            version = f"v{self.deploying_version}" if self.deploying_version else "a change of the endpoint"
            serves = f"; v{live} serves until then" if live else ""
            yield Finding("deploying", f"{version} is on its way ({status} since {_format(since)}){serves}")
        elif self._deployment.get("outcome") in FAILED_OUTCOMES and not reached:
            serves = f"; the endpoint serves v{live} as before" if live else ""
            yield Finding(
                "rolled back",
                f"v{number} was {self._deployment['outcome']} {self._ended()}: {self._reason()}{serves}",
                redeploy if number == self._newest_approved else "",
            )
        elif live and reached and (trial := self._deployment.get("challenger")):
            started = _format(datetime.fromisoformat(self._deployment["started"]))
            waits = f"; v{self._newest_approved} waits for its end" if trial != self._newest_approved else ""
            yield Finding("on trial", f"v{trial} is on trial against v{live} since {started}{waits}")
        elif live and (self._newest_approved or 0) > live:
            yield Finding(
                "deployment waits", f"v{self._newest_approved} is approved, and its deployment has not begun", redeploy
            )

    def _of_versions(self) -> Iterator[Finding]:
        live = self.facts.live
        if live and self.live_version and not self.changing and _status(live) != "Approved":
            instead = f"v{self._newest_approved} is approved" if self._newest_approved else "no version is approved"
            command = f"model-factory redeploy {self._arguments}" if self._newest_approved else ""
            yield Finding(
                "version rejected",
                f"the endpoint serves v{self.live_version}, which is {_status(live)}; {instead}",
                command,
            )
        for number in self.waiting:
            yield Finding(
                "needs approval",
                f"v{number} waits for approval",
                f'model-factory approve {self._arguments} --version {number} --reason "…"',
            )

    def _of_trainings(self) -> Iterator[Finding]:
        training = self.training
        if training is None:
            return
        status, by = training["PipelineExecutionStatus"], trigger(training) or "by hand"
        started = _format(training["StartTime"])
        if status in RUNNING:
            waiting = Description.parse(training.get("PipelineExecutionDescription", "")).follow_up
            then = f"; a request waits for its end ({waiting.kind}: {waiting.reason})" if waiting else ""
            yield Finding("training", f"a training is in flight since {started} ({by}){then}")
        elif status != "Succeeded":
            reason = training.get("PipelineExecutionFailureReason", "no reason given")
            yield Finding("training failed", f"the training of {started} ({by}) {status.lower()}: {reason}")
        if until := self.cooling_down_until:
            yield Finding("cooling down", f"schedule and alarms start no training until {_format(until)}")

    def alarms(self) -> list[str]:
        """Purposes (drift, data-violations …) of the model's alarms that call for somebody."""
        return [
            alarm["AlarmName"].removeprefix(f"{self.facts.prefix}-")
            for alarm in self.facts.alarms
            if alarm["StateValue"] == "ALARM" or self._without_checks(alarm)
        ]

    def _without_checks(self, alarm: dict[str, Any]) -> bool:
        """Whether checks are missing: their alarm has no data although the endpoint is older than what it evaluates."""
        if not alarm["AlarmName"].endswith("-monitor-missed") or self._endpoint is None:
            return False
        if alarm["StateValue"] != "INSUFFICIENT_DATA":
            return False
        # CloudWatch evaluates a few periods more than EvaluationPeriods.
        evaluated = timedelta(seconds=alarm["Period"] * (alarm["EvaluationPeriods"] + 2))
        return self._endpoint["CreationTime"] < self._now - evaluated

    def _reason(self) -> str:
        given = self._deployment.get("reason") or (self._endpoint or {}).get("FailureReason")
        return str(given or "no reason given")

    def _ended(self) -> str:
        return _format(datetime.fromisoformat(self._deployment["time"]))

    def _requester(self) -> str:
        return principal(self._deployment.get("requested_by") or "hand")


def _status(package: dict[str, Any]) -> str:
    return package["ModelApprovalStatus"]


def _format(time: datetime) -> str:
    return f"{time.astimezone(UTC):%m-%d %H:%M}"


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
