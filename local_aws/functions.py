"""Runs deployed Lambda functions: each one's zip in a separate process, with the credentials of its role."""

import io
import json
import logging
import os
import select
import shutil
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from pathlib import Path
from typing import Any

from .authorization import AccessDeniedError, principals
from .interfaces import EmbeddedAws

_module_log = logging.getLogger(__name__)
WORKER = Path(__file__).with_name("function_worker.py")


class Worker:
    """One warm process of one version of a function's code and configuration."""

    def __init__(self, local: EmbeddedAws, function: Any) -> None:
        self.lock = threading.Lock()
        self.log_group = getattr(function, "logs_group_name", None) or f"/aws/lambda/{function.function_name}"
        self.log_stream = f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}"
        self._local, self._function = local, function
        self._folder = local.state_dir / "functions" / uuid.uuid4().hex
        self._folder.mkdir(parents=True)
        with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
            archive.extractall(self._folder)
        self._log = (self._folder.parent / f"{self._folder.name}.log").open("w+b")
        self._logged = 0
        answers, answer_fd = os.pipe()
        self._answers = os.fdopen(answers)
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER)],
            cwd=self._folder,
            env=self._environment() | {"ANSWER_FD": str(answer_fd)},
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            pass_fds=[answer_fd],
            text=True,
        )
        os.close(answer_fd)

    def _environment(self) -> dict[str, str]:
        function = self._function
        credentials = self._local.accounts.assume(
            function.role, function.function_name, _subnets(function), function.region
        )
        principals.call_as_function(credentials["AWS_ACCESS_KEY_ID"], function.function_arn)
        return {
            "PATH": os.environ["PATH"],
            "PYTHONUNBUFFERED": "1",
            "_HANDLER": function.handler,
            "LAMBDA_TASK_ROOT": str(self._folder),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": self.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ENDPOINT_URL": self._local.endpoint_url,
            **credentials,
            **{key: str(value) for key, value in function.environment_vars.items()},
        }

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def invoke(self, event: Any, request_id: str) -> dict[str, Any]:
        """`{"result": …}` or `{"error": {errorMessage, errorType, stackTrace}}`."""
        timeout = float(self._function.timeout)
        request = {"event": event, "request_id": request_id, "timeout": timeout, "arn": self._function.function_arn}
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
            ready, _, _ = select.select([self._answers], [], [], timeout)
            line = self._answers.readline() if ready else ""
        except BrokenPipeError:
            ready, line = [True], ""
        if line:
            return json.loads(line)
        self.close()
        message = "Runtime exited" if ready else f"Task timed out after {timeout:.2f} seconds"
        kind = "Runtime.ExitError" if ready else "Sandbox.Timedout"
        return {"error": {"errorMessage": f"RequestId: {request_id} Error: {message}", "errorType": kind}}

    def new_log(self) -> str:
        """The function's output since the last call."""
        self._log.flush()
        with Path(self._log.name).open("rb") as log:
            log.seek(self._logged)
            text = log.read()
        self._logged += len(text)
        return text.decode(errors="replace")

    def close(self) -> None:
        """End the process and remove its files."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _subnets(function: Any) -> list[str]:
    return (function.vpc_config or {}).get("SubnetIds", [])


class Functions:
    """Invokes deployed functions, and reuses their processes."""

    def __init__(self, local: EmbeddedAws) -> None:
        self._local = local
        self._lock = threading.Lock()
        self._workers: dict[str, tuple[str, Worker]] = {}
        local.on_stop(self.close)

    def invoke(self, function: Any, event: Any) -> tuple[dict[str, Any], str]:
        """The answer (see Worker.invoke) and the log lines of one invocation; logs also go to the function's log group."""
        try:
            worker = self._worker(function)
        except AccessDeniedError as refusal:
            message = f"The role defined for the function cannot be assumed by Lambda. {refusal}"
            return {"error": {"errorMessage": message, "errorType": "AccessDeniedException"}}, ""
        except LookupError as error:
            return {"error": {"errorMessage": str(error), "errorType": "InvalidSubnetIDException"}}, ""
        request_id = str(uuid.uuid4())
        with worker.lock:
            answer = worker.invoke(event, request_id)
            log = worker.new_log()
        log = f"START RequestId: {request_id} Version: $LATEST\n{log}END RequestId: {request_id}\n"
        self._write_log(function, worker, log)
        return answer, log

    def _worker(self, function: Any) -> Worker:
        key = function.function_arn
        version = json.dumps(
            [function.code_sha_256, function.environment_vars, function.role, function.handler, function.timeout]
        )
        with self._lock:
            found = self._workers.get(key)
            if found and found[0] == version and found[1].alive():
                return found[1]
            if found:
                found[1].close()
            self._local.authorization.take_role("lambda.amazonaws.com", function.role)
            worker = Worker(self._local, function)
            self._workers[key] = (version, worker)
            return worker

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
        for _, worker in self._workers.values():
            worker.close()
        self._workers.clear()


def install(local: EmbeddedAws) -> Functions:
    """Run functions in moto's place, which needs Docker for it."""
    functions = Functions(local)

    def invoke(self: Any, event: Any = None) -> tuple[str, bool, str]:
        content = json.loads(event or "{}") if isinstance(event, str | bytes | None) else event
        result, log = functions.invoke(self, content)
        failed = "error" in result
        return json.dumps(result["error"] if failed else result["result"]), failed, log

    local.when_imported(
        "moto.awslambda.models", lambda module: local.replace(module.LambdaFunction, "_invoke_lambda", invoke)
    )
    return functions
