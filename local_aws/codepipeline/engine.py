"""One execution of a pipeline: its stages in order, in a stage the actions of a run order together."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..json_api import Record, now
from .action import ActionExecution, ActionFailed, resolve
from .artifacts import Artifact
from .interfaces import PipelineService, RunningPipeline
from .providers import PROVIDERS

RESTARTED = "Internal error: the embedded AWS was restarted while the action ran. Start the pipeline again."


class Execution:
    """One execution; `start` runs it in a thread of its own.

    `revisions` overrides commits by source action. A rollback runs one stage only, with the artifacts of `target`.
    """

    def __init__(
        self,
        state: PipelineService,
        pipeline: RunningPipeline,
        trigger: Record,
        *,
        revisions: dict[str, str] | None = None,
        rollback: "tuple[str, Execution] | None" = None,
    ) -> None:
        self.state, self.pipeline, self.trigger = state, pipeline, trigger
        self.declaration = pipeline.declaration
        self.identifier = str(uuid.uuid4())
        self.status, self.summary = "InProgress", ""
        self.started = self.updated = now()
        self.overrides = revisions or {}
        self.rollback = rollback
        self.superseded = self.cancelled = False
        self.stages: dict[str, str] = {}
        self.actions: list[ActionExecution] = []
        self.artifacts: dict[str, Artifact] = dict(rollback[1].artifacts) if rollback else {}
        self.revisions: list[Record] = list(rollback[1].revisions) if rollback else []
        self.variables: dict[str, dict[str, str]] = dict(rollback[1].variables) if rollback else {}
        self.variables["codepipeline"] = {"PipelineExecutionId": self.identifier}
        self._thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.declaration["name"]

    @property
    def goes_on(self) -> bool:
        """Whether nothing has ended it from outside."""
        return not (self.superseded or self.cancelled or self.state.stopping.is_set())

    def start(self) -> None:
        """Run."""
        self._thread = threading.Thread(target=self._run, name=f"pipeline {self.name}", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the end, after the service was stopped."""
        if self._thread:
            self._thread.join(timeout=10)

    def restarted(self) -> None:
        """End an execution that ran when the embedded AWS ended; called when that has started again."""
        if self.status != "InProgress":
            return
        for action in self.actions:
            if action.status == "InProgress":
                action.fail("InternalError", RESTARTED)
                action.token, action.updated = None, now()
                self.summary = f"{action.stage}: {action.name}: {RESTARTED}"
                self._action_event(action, "FAILED")
        for stage, status in self.stages.items():
            if status == "InProgress":
                self.stages[stage] = "Failed"
                self._emit("Stage", "FAILED", stage=stage)
        self._end("Failed")

    def cancel(self) -> None:
        """The pipeline was changed: what runs ends, nothing new begins."""
        if self.status == "InProgress":
            self.cancelled = True

    def _run(self) -> None:
        self._emit("Pipeline", "STARTED")
        for stage in self.declaration["stages"]:
            if self.rollback and stage["name"] != self.rollback[0]:
                continue
            if not self.pipeline.enter(stage["name"], self):
                break
            try:
                status = self._stage(stage)
            finally:
                self.pipeline.leave(stage["name"])
            self.stages[stage["name"]] = status
            self._emit("Stage", status.upper(), stage=stage["name"])
            if status == "Failed" and self.goes_on:
                self._end("Failed")
                self._roll_back(stage)
                return
            if not self.goes_on:
                break
        if self.superseded:
            self._end("Superseded")
        elif self.cancelled:
            self.summary = "The pipeline's definition was updated before the pipeline execution could be completed."
            self._end("Cancelled")
        else:
            self._end("Stopped" if self.state.stopping.is_set() else "Succeeded")

    def _end(self, status: str) -> None:
        self.status, self.updated = status, now()
        self._emit("Pipeline", status.upper())

    def _stage(self, stage: Record) -> str:
        self.stages[stage["name"]] = "InProgress"
        self._emit("Stage", "STARTED", stage=stage["name"])
        for order in sorted({action.get("runOrder", 1) for action in stage["actions"]}):
            if not self.goes_on:
                return "Cancelled"
            together = [action for action in stage["actions"] if action.get("runOrder", 1) == order]
            with ThreadPoolExecutor(len(together)) as pool:
                ended = list(pool.map(lambda action: self._action(stage["name"], action), together))
            if not all(ended):
                return "Failed"
        return "Succeeded"

    def _action(self, stage: str, action: Record) -> bool:
        done = ActionExecution(self, stage, action)
        self.actions.append(done)
        self._action_event(done, "STARTED")
        try:
            done.take_role()
            done.configuration = resolve(action.get("configuration", {}), self.variables)
            PROVIDERS[action["actionTypeId"]["provider"]](done)
        except ActionFailed as failure:
            done.fail(failure.code, failure.message)
        except Exception as error:
            done.fail("JobFailed", f"{type(error).__name__}: {error}")
        else:
            done.status = "Succeeded"
        done.updated = self.updated = now()
        if namespace := action.get("namespace"):
            self.variables[namespace] = done.variables
        if done.status == "Failed":
            self.summary = f"{stage}: {done.name}: {done.error['message']}"
        self._action_event(done, done.status.upper())
        return done.status == "Succeeded"

    def _roll_back(self, stage: Record) -> None:
        """Run the stage with its last successful artifacts, if onFailure is ROLLBACK; a failed rollback is not rolled back."""
        if stage.get("onFailure", {}).get("result") != "ROLLBACK" or self.rollback:
            return
        # Only to executions of the same version of the pipeline, and not to a rollback.
        done = [
            execution
            for execution in self.pipeline.executions
            if execution.stages.get(stage["name"]) == "Succeeded"
            and execution.rollback is None
            and execution.declaration["version"] == self.pipeline.declaration["version"]
        ]
        if done:
            trigger = {"triggerType": "AutomatedRollback", "triggerDetail": self.identifier}
            self.state.start(self.name, trigger, rollback=(stage["name"], done[-1]))

    def _emit(self, kind: str, status: str, **more: Any) -> None:
        detail = {"pipeline": self.name, "execution-id": self.identifier, "state": status, "version": self._version}
        self.state.emit(kind, detail | more)

    def _action_event(self, action: ActionExecution, status: str) -> None:
        kind = action.declaration["actionTypeId"]
        detail: Record = {
            "stage": action.stage,
            "action": action.name,
            "region": action.region,
            "type": {key: kind[key] for key in ("owner", "provider", "category", "version")},
        }
        if status == "FAILED":
            detail["execution-result"] = {
                "external-execution-summary": action.error["message"],
                "external-execution-id": action.external_id,
                "error-code": action.error["code"],
            }
        self._emit("Action", status, **detail)

    @property
    def _version(self) -> float:
        return float(self.declaration["version"])
