"""The attempts of a step: an earlier result in its place, and further attempts as its retry policies say."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from ...json_api import Record, ServiceError, now
from ..state import State
from .function_step import StepFailed
from .retries import exception_type, waits
from .selection import EVERYTHING, Selection
from .step_cache import earlier_result, signature
from .values import Scope


class StepAttempts:
    """The part of an execution that runs one step. `results`: of each cached step that succeeded, its signature and values."""

    record: Record
    results: dict[str, tuple[str, Any]]
    selection: Selection = EVERYTHING
    steps: dict[str, Record]
    _state: State
    _scope: Scope
    _stop: threading.Event

    def _attempt(self, run: Callable[[Record, Record], None], step: Record, record: Record) -> None:
        """Take an earlier result, or run the step until it succeeds or no retry policy tries it again."""
        if step["Type"] in ("Condition", "Fail"):
            return run(step, record)
        if self._reuse(step, record):
            return None
        key = signature(step, self._scope.resolve(step.get("Arguments", {}))) if "CacheConfig" in step else None
        if key and self._take_earlier_result(step, record, key):
            return None
        waiting: dict[str | None, Iterator[float]] = {}
        while True:
            try:
                run(step, record)
                break
            except (StepFailed, ServiceError, ClientError) as error:
                kind = exception_type(error)
                times = waiting.setdefault(kind, waits(step.get("RetryPolicies", []), kind))
                if (seconds := next(times, None)) is None or self._stop.wait(seconds):
                    raise
                record["AttemptCount"] += 1
        if key and not self._stop.is_set():
            self.results[step["Name"]] = key, self._scope.steps.get(step["Name"])
        return None

    def _reuse(self, step: Record, record: Record) -> bool:
        """Take the result of the execution that a selective execution names, for a step that is not selected."""
        name, source = step["Name"], self.selection.source
        if source is None or not self.selection.reuses(name):
            return False
        self._scope.steps[name] = source._scope.steps.get(name)
        record["Metadata"] = source.steps[name].get("Metadata", {})
        record["SelectiveExecutionResult"] = {"SourcePipelineExecutionArn": source.record["PipelineExecutionArn"]}
        return True

    def _take_earlier_result(self, step: Record, record: Record, key: str) -> bool:
        """Take the newest result of an execution of this pipeline with the same signature; whether there is one."""
        own = [
            each for each in self._state.executions.values() if each.record["PipelineArn"] == self.record["PipelineArn"]
        ]
        if not (found := earlier_result(step, key, own, now())):
            return False
        source, earlier, self._scope.steps[step["Name"]] = found
        record |= {"Metadata": earlier["Metadata"], "CacheHitResult": {"SourcePipelineExecutionArn": source}}
        return True
