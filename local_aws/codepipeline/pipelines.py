"""Pipelines of one account and region: declarations, triggers, and the executions in each stage."""

import copy
import threading
from collections.abc import Iterator
from typing import Any

from ..events import emit
from ..interfaces import EmbeddedAws, Regional
from ..json_api import Record, ServiceError, now
from .engine import Execution
from .jobs import Jobs
from .repositories import Push, Repositories, matches

SUPPORTED = {
    ("Source", "CodeStarSourceConnection"), ("Source", "CodeCommit"), ("Build", "CodeBuild"), ("Test", "CodeBuild"),
    ("Deploy", "CloudFormation"), ("Invoke", "Lambda"), ("Approval", "Manual"),
}  # fmt: skip


class Pipeline:
    """One deployed pipeline and its executions, oldest first."""

    def __init__(self, declaration: Record) -> None:
        self.declaration = declaration
        self.versions: dict[int, Record] = {declaration["version"]: declaration}
        self.created = self.updated = now()
        self.executions: list[Execution] = []
        self.changed = threading.Condition()
        self.holders: dict[str, Execution] = {}
        self.waiting: dict[str, list[Execution]] = {}

    def enter(self, stage: str, execution: Execution) -> bool:
        """Wait until `execution` has the stage; False when it was superseded, cancelled or stopped meanwhile.

        One execution is in a stage at a time. In mode SUPERSEDED a newer one that waits takes an older one's place.
        """
        with self.changed:
            queue = self.waiting.setdefault(stage, [])
            if self.declaration.get("executionMode", "SUPERSEDED") == "SUPERSEDED":
                for older in queue:
                    older.superseded = True
                queue.clear()
            queue.append(execution)
            self.changed.notify_all()
            while execution.goes_on and (stage in self.holders or queue[:1] != [execution]):
                self.changed.wait(0.5)
            if execution in queue:
                queue.remove(execution)
            if execution.goes_on:
                self.holders[stage] = execution
            return execution.goes_on

    def leave(self, stage: str) -> None:
        """Release the stage for the next execution."""
        with self.changed:
            self.holders.pop(stage, None)
            self.changed.notify_all()


class Pipelines:
    """CodePipeline in one account and region."""

    def __init__(
        self, local: EmbeddedAws, repositories: Repositories, builds: Regional, account: str, region: str
    ) -> None:
        self.local, self.repositories, self.builds = local, repositories, builds
        self.account, self.region = account, region
        self.pipelines: dict[str, Pipeline] = {}
        self.jobs = Jobs()
        self.stopping = threading.Event()

    def stop(self) -> None:
        """End every execution."""
        self.stopping.set()
        for pipeline in self.pipelines.values():
            for execution in pipeline.executions:
                execution.join()

    def restarted(self) -> None:
        """End the executions that ran when the embedded AWS ended."""
        for pipeline in self.pipelines.values():
            pipeline.holders.clear()
            pipeline.waiting.clear()
            for execution in pipeline.executions:
                execution.restarted()

    def find(self, name: str) -> Pipeline:
        """The pipeline called `name`. Raises ServiceError."""
        if name not in self.pipelines:
            raise ServiceError(
                f"Account '{self.account}' does not have a pipeline with name '{name}'", "PipelineNotFoundException"
            )
        return self.pipelines[name]

    def start(self, name: str, trigger: Record, **options: Any) -> Execution:
        """Start an execution."""
        pipeline = self.find(name)
        execution = Execution(self, pipeline, trigger, **options)
        pipeline.executions.append(execution)
        execution.start()
        return execution

    def emit(self, kind: str, detail: Record) -> None:
        """Put one of the service's events on the account's bus."""
        arn = f"arn:aws:codepipeline:{self.region}:{self.account}:{detail['pipeline']}"
        name = f"CodePipeline {kind} Execution State Change"
        emit(self.account, self.region, "aws.codepipeline", name, detail, [arn])

    def pushed(self, push: Push) -> Iterator[str]:
        """Start the pipelines that a push triggers; ids of the executions."""
        for name, pipeline in self.pipelines.items():
            detail = {"triggerType": "WebhookV2", "triggerDetail": push.commit}
            if _is_triggered_by(pipeline.declaration, push):
                yield f"{name} {self.start(name, detail).identifier}"

    def pull_request(self, request: Push) -> Iterator[str]:
        """Start the pipelines that a pull request triggers."""
        for name, pipeline in self.pipelines.items():
            for trigger, action in _triggers(pipeline.declaration, request.repository):
                rules = trigger["gitConfiguration"].get("pullRequest", [])
                if any(_matches(rule, request) for rule in rules):
                    detail = {"triggerType": "WebhookV2", "triggerDetail": request.commit}
                    started = self.start(name, detail, revisions={action["name"]: request.commit})
                    yield f"{name} {started.identifier}"


def _is_triggered_by(declaration: Record, push: Push) -> bool:
    triggers = list(_triggers(declaration, push.repository))
    if triggers:
        return any(
            _matches(rule, push) for trigger, _ in triggers for rule in trigger["gitConfiguration"].get("push", [])
        )
    # Without triggers the source's default applies: every push to its branch.
    return any(
        _repository(action) == push.repository
        and action["configuration"]["BranchName"] == push.branch
        and action["configuration"].get("DetectChanges", "true") != "false"
        for action in declaration["stages"][0]["actions"]
    )


def _triggers(declaration: Record, repository: str) -> Iterator[tuple[Record, Record]]:
    actions = {action["name"]: action for action in declaration["stages"][0]["actions"]}
    for trigger in declaration.get("triggers", []):
        action = actions[trigger["gitConfiguration"]["sourceActionName"]]
        if _repository(action) == repository:
            yield trigger, action


def _matches(rule: Record, push: Push) -> bool:
    branch = matches([push.branch], rule.get("branches", {}))
    return branch and ("filePaths" not in rule or matches(push.files, rule["filePaths"]))


def _repository(action: Record) -> str | None:
    """The repository of a connection; CodeCommit sources start by an event."""
    return action.get("configuration", {}).get("FullRepositoryId")


def _check(declaration: Record) -> None:
    """Refuse declarations that would not be executed as on AWS."""
    for stage in declaration["stages"]:
        if unknown := set(stage) & {"beforeEntry", "onSuccess"} or set(stage.get("onFailure", {})) - {"result"}:
            names = ", ".join(sorted(unknown))
            raise ServiceError(f"stage {stage['name']}: the embedded AWS does not support {names}")
        for action in stage["actions"]:
            kind = action["actionTypeId"]
            if (kind["category"], kind["provider"]) not in SUPPORTED:
                raise ServiceError(
                    f"action {action['name']}: the embedded AWS does not support {kind['category']}/{kind['provider']}"
                )
            if kind["provider"] == "CodeCommit" and action["configuration"].get("PollForSourceChanges") != "false":
                raise ServiceError(
                    f"action {action['name']}: the embedded AWS does not poll; use a rule of EventBridge"
                )


def _create(state: Pipelines, request: Record) -> Record:
    declaration = copy.deepcopy(request["pipeline"])
    if declaration["name"] in state.pipelines:
        raise ServiceError(
            f"A pipeline with the name '{declaration['name']}' already exists in account '{state.account}'",
            "PipelineNameInUseException",
        )
    _check(declaration)
    state.pipelines[declaration["name"]] = Pipeline(declaration | {"version": 1})
    # A new pipeline runs at once.
    state.start(declaration["name"], {"triggerType": "CreatePipeline", "triggerDetail": request["CallerArn"]})
    return {"pipeline": declaration | {"version": 1}}


def _update(state: Pipelines, request: Record) -> Record:
    declaration = copy.deepcopy(request["pipeline"])
    pipeline = state.find(declaration["name"])
    _check(declaration)
    declaration["version"] = pipeline.declaration["version"] + 1
    pipeline.declaration, pipeline.updated = declaration, now()
    pipeline.versions[declaration["version"]] = declaration
    for execution in pipeline.executions:
        execution.cancel()
    return {"pipeline": declaration}


def _get(state: Pipelines, request: Record) -> Record:
    pipeline = state.find(request["name"])
    arn = f"arn:aws:codepipeline:{state.region}:{state.account}:{request['name']}"
    metadata = {"pipelineArn": arn, "created": pipeline.created, "updated": pipeline.updated}
    version = request.get("version", pipeline.declaration["version"])
    return {"pipeline": pipeline.versions[version], "metadata": metadata}


def _list(state: Pipelines, _: Record) -> Record:
    keys = ("name", "version", "pipelineType", "executionMode")
    return {
        "pipelines": [
            {key: pipeline.declaration[key] for key in keys if key in pipeline.declaration}
            | {"created": pipeline.created, "updated": pipeline.updated}
            for pipeline in state.pipelines.values()
        ]
    }


def _delete(state: Pipelines, request: Record) -> None:
    pipeline = state.pipelines.pop(request["name"], None)
    for execution in pipeline.executions if pipeline else []:
        execution.cancel()


OPERATIONS = {
    "CreatePipeline": _create,
    "UpdatePipeline": _update,
    "GetPipeline": _get,
    "ListPipelines": _list,
    "DeletePipeline": _delete,
}
