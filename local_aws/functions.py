"""Runs deployed Lambda functions: each one's zip in a separate process, with the credentials of its role."""

import json
import logging
import threading
import time
import uuid
from functools import partial
from typing import Any

from moto.core.exceptions import JsonRESTError

from .authorization import AccessDeniedError
from .function_concurrency import Concurrency, TooManyRequestsError, set_quota, when_free
from .function_process import Worker
from .interfaces import EmbeddedAws
from .warm import Starter

_module_log = logging.getLogger(__name__)
KEPT_WARM = 2
"""Idle processes of a function. Lambda keeps as many execution environments as a burst needed, for some minutes."""
PRELOADED = ("boto3", "asyncio", "pydantic.main", "pydantic.networks", "pydantic.type_adapter", "zoneinfo")
"""Packages that functions import first. Powertools is not one: its import adds to the user agent of every boto3 client."""
RESPONSE_BYTES = 6_291_556
"""Lambda developer guide, "Lambda quotas", and API reference, Invoke (Payload)."""


class Functions:
    """Invokes deployed functions, and reuses their processes."""

    def __init__(self, local: EmbeddedAws) -> None:
        self._local = local
        self._lock = threading.Lock()
        self._workers: dict[str, tuple[str, list[Worker]]] = {}
        self._retired: list[Worker] = []
        self._concurrency = Concurrency()
        self._starter = Starter(local.on_stop, PRELOADED)
        self.stopping = threading.Event()
        local.on_stop(self.close)
        local.on_stop(self.stopping.set)

    def invoke(self, function: Any, event: Any) -> tuple[dict[str, Any], str]:
        """The answer (see Worker.invoke) and the log lines of one invocation; logs also go to the function's log group.

        Raises TooManyRequestsError when the function's reserved concurrency is used up.
        """
        with self._concurrency.invocation(function):
            return self._invoke(function, event)

    def _invoke(self, function: Any, event: Any) -> tuple[dict[str, Any], str]:
        try:
            worker = self._worker(function)
        except AccessDeniedError as refusal:
            message = f"The role defined for the function cannot be assumed by Lambda. {refusal}"
            return {"error": {"errorMessage": message, "errorType": "AccessDeniedException"}}, ""
        except LookupError as error:
            return {"error": {"errorMessage": str(error), "errorType": "InvalidSubnetIDException"}}, ""
        request_id = str(uuid.uuid4())
        try:
            answer = worker.invoke(event, request_id)
            log = worker.new_log()
        finally:
            worker.lock.release()
            self._end_idle(function.function_arn, worker)
        if len(json.dumps(answer.get("result"))) > RESPONSE_BYTES:
            message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES} bytes)."
            answer = {"error": {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}}
        log = f"START RequestId: {request_id} Version: $LATEST\n{log}END RequestId: {request_id}\n"
        self._write_log(function, worker, log)
        return answer, log

    def _worker(self, function: Any) -> Worker:
        """A process that handles no event, as Lambda's execution environments handle one at a time; its lock is acquired."""
        key = function.function_arn
        version = json.dumps(
            [function.code_sha_256, function.environment_vars, function.role, function.handler, function.timeout]
        )
        with self._lock:
            known, workers = self._workers.get(key, (version, []))
            if known != version:
                self._retire(workers)
                workers = []
            workers = [each for each in workers if each.alive()]
            self._workers[key] = (version, workers)
            for each in workers:
                if each.lock.acquire(blocking=False):
                    return each
            self._local.authorization.take_role("lambda.amazonaws.com", function.role)
            worker = Worker(self._local, self._starter, function)
            worker.lock.acquire()
            workers.append(worker)
            return worker

    def _retire(self, workers: list[Worker]) -> None:
        """End the processes of a version before an update; one that handles an event ends after it, as on AWS."""
        for each in workers:
            if each.lock.acquire(blocking=False):
                each.close()
            else:
                self._retired.append(each)

    def _end_idle(self, key: str, worker: Worker) -> None:
        """End the processes that a burst of invocations has left, and `worker` if it is retired; KEPT_WARM stay."""
        with self._lock:
            if worker in self._retired:
                self._retired.remove(worker)
                worker.close()
            _, workers = self._workers.get(key, ("", []))
            idle = [each for each in workers if not each.lock.locked()]
            for each in idle[KEPT_WARM:]:
                each.close()
                workers.remove(each)

    def _write_log(self, function: Any, worker: Worker, log: str) -> None:
        """Write the log as the function's role; lines that it may not write are lost, as on AWS."""
        where = {"logGroupName": worker.log_group, "logStreamName": worker.log_stream}
        try:
            for operation in ("CreateLogStream", "PutLogEvents"):
                self._local.authorization.check_call(function.role, "logs", operation, where, function.region)
        except AccessDeniedError as refusal:
            _module_log.warning("the log of %s is lost: %s", function.function_name, refusal)
            return
        backend = function.logs_backend
        backend.ensure_log_group(worker.log_group)
        group = backend.groups[worker.log_group]
        if worker.log_stream not in group.streams:
            backend.create_log_stream(worker.log_group, worker.log_stream)
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in log.splitlines() if line.strip()]
        backend.put_log_events(worker.log_group, worker.log_stream, events)

    def close(self) -> None:
        """End every process."""
        for _, workers in self._workers.values():
            for worker in workers:
                worker.close()
        for worker in self._retired:
            worker.close()
        self._workers.clear()


def install(local: EmbeddedAws) -> Functions:
    """Run functions in moto's place, which needs Docker for it."""
    functions = Functions(local)
    set_quota(local)

    def invoke(self: Any, event: Any = None) -> tuple[str, bool, str]:
        result, log = functions.invoke(self, event)
        failed = "error" in result
        return json.dumps(result["error"] if failed else result["result"]), failed, log

    def install_in(module: Any) -> None:
        local.replace(module.LambdaFunction, "_invoke_lambda", invoke)
        local.replace(module.LambdaFunction, "invoke", _as_lambda(module.LambdaFunction.invoke, functions.stopping))

    local.when_imported("moto.awslambda.models", install_in)
    return functions


def _as_lambda(invoke: Any, stopping: threading.Event) -> Any:
    """Moto's `LambdaFunction.invoke` for requests without a payload too, and with the header of a failed invocation.

    A payload that is no JSON is refused. A throttled event is not refused: it waits.
    """

    def invoke_as_lambda(self: Any, body: Any, request_headers: Any, response_headers: Any) -> Any:
        try:
            json.loads(body or "{}")
        except ValueError as error:
            raise JsonRESTError(
                "InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from None
        try:
            answer = invoke(self, body or "{}", request_headers, response_headers)
        except TooManyRequestsError:
            if request_headers.get("X-Amz-Invocation-Type") != "Event":
                raise
            when_free(partial(invoke, self, body or "{}", dict(request_headers), {}), stopping)
            return ""
        if "x-amz-function-error" in response_headers:
            response_headers["x-amz-function-error"] = (
                "Unhandled"  # moto writes Handled, which the Python runtime never is
            )
        return answer

    return invoke_as_lambda
