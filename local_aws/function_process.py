"""The process of one Lambda function: its code, variables, file system and time limits."""

import io
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import namespace
from .authorization import principals
from .interfaces import EmbeddedAws
from .processes import kill_group
from .warm import Starter

WORKER = Path(__file__).with_name("function_worker.py")
TASK_ROOT = "/var/task"
INIT_SECONDS, EXIT_SECONDS = 10, 5
"""Lambda developer guide, "Lambda execution environment lifecycle": time to load the handler before the first invocation; and how
long a process may take to end after it closed its answers."""


class Worker:
    """One warm process of one version of a function's code and configuration."""

    def __init__(self, local: EmbeddedAws, starter: Starter, function: Any) -> None:
        self.lock = threading.Lock()
        self.closed = False
        self.log_group = getattr(function, "logs_group_name", None) or f"/aws/lambda/{function.function_name}"
        self.log_stream = f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}"
        self._local, self._starter, self._function = local, starter, function
        self._folder = local.state_dir / "functions" / uuid.uuid4().hex
        self._folder.mkdir(parents=True)
        with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
            archive.extractall(self._folder)
        self._log = (self._folder.parent / f"{self._folder.name}.log").open("w+b")
        self._logged = 0
        self._loaded = False
        self._credentials = local.accounts.assume(
            function.role, function.function_name, _subnets(function), function.region
        )
        principals.call_as_function(self._credentials["AWS_ACCESS_KEY_ID"], function.function_arn)
        local.faults.add_process(self._credentials["AWS_ACCESS_KEY_ID"], lambda: kill_group(self._process.pid))
        self._start()

    def _start(self) -> None:
        """Start the process, which loads the handler."""
        event_fd, events = os.pipe()
        answers, answer_fd = os.pipe()
        self._events, self._answers = os.fdopen(events, "w"), os.fdopen(answers)
        mounts = _mounts(self._folder, self._function)
        task_root = TASK_ROOT if mounts else str(self._folder)
        self._process = self._starter.start(
            [sys.executable, str(WORKER)],
            task_root,
            self._environment(task_root),
            self._log,
            mounts,
            (event_fd, answer_fd),
        )
        os.close(event_fd)
        os.close(answer_fd)

    def _environment(self, task_root: str) -> dict[str, str]:
        """The variables of Lambda's runtime, and AWS_ENDPOINT_URL, which is not set on AWS."""
        function = self._function
        return {
            "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": function.handler,
            "LAMBDA_TASK_ROOT": task_root,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": self.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ENDPOINT_URL": self._local.endpoint_url,
            **self._credentials,
            **{key: str(value) for key, value in function.environment_vars.items()},
        }

    def alive(self) -> bool:
        """Whether the process runs."""
        return not self.closed and self._process.poll() is None

    def invoke(self, event: Any, request_id: str) -> dict[str, Any]:
        """`{"result": …}` or `{"error": {errorMessage, errorType, requestId, stackTrace}}`.

        Loading the handler has ten seconds. If that is not enough, it begins again as a part of the function's timeout.
        """
        timeout = float(self._function.timeout)
        deadline = time.monotonic() + timeout
        if not self._loaded:
            loaded = self._answer(INIT_SECONDS)
            if loaded is None and self.alive():
                self._log.write(
                    f"INIT_REPORT Init Duration: {INIT_SECONDS * 1000:.2f} ms\tPhase: init\tStatus: timeout\n".encode()
                )
                self._kill()
                self._start()
                loaded = self._answer(timeout)
            else:
                deadline = time.monotonic() + timeout
            if not loaded or loaded["init"]:
                return self._end(request_id, timeout, loaded["init"] | {"requestId": request_id} if loaded else None)
            self._loaded = True
        request = {"event": event, "request_id": request_id, "timeout": timeout, "arn": self._function.function_arn}
        try:
            print(json.dumps(request), file=self._events, flush=True)
        except BrokenPipeError:
            return self._end(request_id, timeout)
        return self._answer(deadline - time.monotonic()) or self._end(request_id, timeout)

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        """The next answer of the process; None when it has ended, or does not answer in time."""
        ready, _, _ = select.select([self._answers], [], [], max(seconds, 0))
        line = self._answers.readline() if ready else ""
        return json.loads(line) if line else None

    def _end(self, request_id: str, timeout: float, failure: dict[str, Any] | None = None) -> dict[str, Any]:
        """End the process, so that the next invocation starts another one; the error of this one."""
        code = self._exit_code()
        self.close()
        if failure:
            return {"error": failure}
        if code is None:
            message, kind = f"Task timed out after {timeout:.2f} seconds", "Sandbox.Timedout"
        else:
            reason = f"exit status {code}" if code > 0 else f"signal: {signal.Signals(-code).name}" if code else ""
            message = f"Runtime exited with error: {reason}" if reason else "Runtime exited without providing a reason"
            kind = "Runtime.ExitError"
        return {"error": {"errorMessage": f"RequestId: {request_id} Error: {message}", "errorType": kind}}

    def _exit_code(self) -> int | None:
        """The exit code of a process that has closed its answers; None for one that still works."""
        if not select.select([self._answers], [], [], 0)[0]:
            return None
        try:
            return self._process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def new_log(self) -> str:
        """The function's output since the last call."""
        self._log.flush()
        with Path(self._log.name).open("rb") as log:
            log.seek(self._logged)
            text = log.read()
        self._logged += len(text)
        return text.decode(errors="replace")

    def _kill(self) -> None:
        if self._process.poll() is None:
            kill_group(self._process.pid)
        self._process.wait()
        self._answers.close()
        with suppress(BrokenPipeError):  # an event that the process did not read
            self._events.close()

    def close(self) -> None:
        """End the process and remove its files."""
        self.closed = True
        self._kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def _mounts(folder: Path, function: Any) -> list[namespace.Mount]:
    """The code at /var/task, read-only, and a /tmp of the function's own; nothing where the system forbids mounts.

    /tmp stays this machine's if Python or the server's packages are there.
    """
    if not namespace.available(TASK_ROOT):
        return []
    mounts: list[namespace.Mount] = [(str(folder), TASK_ROOT, "ro")]
    if has_own_tmp():
        mounts.append((namespace.MEMORY, "/tmp", f"size={function.ephemeral_storage * 2**20}"))  # noqa: S108
    return mounts


def has_own_tmp() -> bool:
    """Whether nothing that a function's process needs is in this machine's /tmp."""
    needed = (sys.prefix, sys.base_prefix, str(WORKER), *sys.path)
    return not any(Path(path).is_relative_to("/tmp") for path in needed)  # noqa: S108 (Lambda's name for it)


def _subnets(function: Any) -> list[str]:
    return (function.vpc_config or {}).get("SubnetIds", [])
