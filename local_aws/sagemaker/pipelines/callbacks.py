"""Callback steps: a message to a queue, and the answer of whoever receives it.

Source: SageMaker developer guide, "Callback step", and API reference, SendPipelineExecutionStepSuccess.
"""

import json
import random
import string
import threading
from collections.abc import Iterator
from typing import Any

from ...json_api import Record, ServiceError
from ..state import State

_TYPES = {"Integer": int, "Float": float, "Boolean": lambda text: text.lower() == "true"}
WAIT_SECONDS = 0.1


class Callback:
    """One callback step that waits for its answer."""

    def __init__(self, step: Record, queue_url: str, arguments: Any, execution_arn: str) -> None:
        self.token = "".join(random.choices(string.ascii_letters + string.digits, k=10))  # noqa: S311 (a name)
        self._step, self.queue_url, self._arguments, self._execution_arn = step, queue_url, arguments, execution_arn
        self._answered = threading.Event()
        self._outputs: dict[str, str] = {}
        self._failure: str | None = None

    def message(self, status: str) -> str:
        """The body of the message; `status` is Executing, and Stopping when the execution is to stop."""
        content = {"token": self.token, "pipelineExecutionArn": self._execution_arn, "arguments": self._arguments}
        return json.dumps(content | {"status": status})

    def wait(self, stop: threading.Event) -> bool:
        """Wait for the answer, or until the execution is to stop; whether there is an answer."""
        while not self._answered.wait(WAIT_SECONDS):
            if stop.is_set():
                return False
        return True

    def wait_for_answer(self, ended: threading.Event) -> None:
        """Wait for the answer of an execution that stops: 'Only when SageMaker Pipelines receives one … will it stop'."""
        while not self._answered.wait(WAIT_SECONDS) and not ended.is_set():
            pass

    def answer(self, outputs: dict[str, str], failure: str | None) -> None:
        """Take the answer. Raises ServiceError for a second one."""
        if self._answered.is_set():
            raise ServiceError(f"The callback token {self.token} was answered before", "ConflictException")
        self._outputs, self._failure = outputs, failure
        self._answered.set()

    @property
    def failure(self) -> str | None:
        """Why the step failed; None when it did not."""
        if self._failure is not None:
            return self._failure
        names = [output["OutputName"] for output in self._step.get("OutputParameters", [])]
        missing = [name for name in names if name not in self._outputs]
        return f"the answer has no {', '.join(missing)}" if missing else None

    def outputs(self) -> dict[str, Any]:
        """The output parameters with the types that the step declares."""
        declared = {output["OutputName"]: output["OutputType"] for output in self._step.get("OutputParameters", [])}
        return {name: _TYPES.get(kind, str)(self._outputs[name]) for name, kind in declared.items()}

    def metadata(self) -> Record:
        """The step's metadata."""
        shown = [{"Name": name, "Value": value} for name, value in self._outputs.items()]
        return {"CallbackToken": self.token, "SqsQueueUrl": self.queue_url, "OutputParameters": shown}


def succeed(service: Any, state: State, request: Record) -> Record:
    """SendPipelineExecutionStepSuccess."""
    outputs = {each["Name"]: each["Value"] for each in request.get("OutputParameters", [])}
    return _answer(state, request, outputs, None)


def fail(service: Any, state: State, request: Record) -> Record:
    """SendPipelineExecutionStepFailure."""
    return _answer(state, request, {}, request.get("FailureReason", "the callback step failed without a reason"))


def _answer(state: State, request: Record, outputs: dict[str, str], failure: str | None) -> Record:
    for execution, callback in _callbacks(state):
        if callback.token == request["CallbackToken"]:
            callback.answer(outputs, failure)
            return {"PipelineExecutionArn": execution.record["PipelineExecutionArn"]}
    raise ServiceError(f"There is no callback step with the token {request['CallbackToken']}", "ResourceNotFound")


def _callbacks(state: State) -> Iterator[tuple[Any, Callback]]:
    for execution in list(state.executions.values()):
        for callback in list(getattr(execution, "callbacks", ())):
            yield execution, callback


OPERATIONS = {"SendPipelineExecutionStepSuccess": succeed, "SendPipelineExecutionStepFailure": fail}
