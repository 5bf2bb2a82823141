"""The process that containers or functions are forked from: it has imported what most import first, and does nothing else.

`warm_template.py <socket> <package> …`: takes messages {command, cwd, env, mounts} with the file that gets the output and, if
any, the files of standard input and of answers; answers {pid} and, when that process has ended, {pid, code}. Only whole
packages are imported, whose content does not depend on the importer: a module that a process does not import is missing as on
AWS (docs/decisions/0014 lists the exceptions).
"""

import atexit
import gc
import importlib
import json
import os
import random
import runpy
import select
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

del sys.path[0]  # this file's folder, which no container sees

LARGE_MODELS = ("s3", "sagemaker", "lambda", "logs", "ssm")
NAMESPACE = Path(__file__).with_name("namespace.py")

for name in sys.argv[2:]:
    with suppress(ImportError):  # code that needs one which is not installed fails at its own import
        importlib.import_module(name)

enter_namespaces = runpy.run_path(str(NAMESPACE))["enter"]  # by its path: forked processes do not see the package

LONGEST_MESSAGE = 1 << 17
_wakeup: list[int] = []
"""The pipe that gets a byte when a process ends: endpoints run for hours, and looking for their end would take as long."""


def read_service_models() -> None:
    """Parse botocore's largest data files, which takes a process longer than its calls.

    A process gets each parsed file once and then parses the file itself, so nothing that changes one reaches another reader.
    """
    loaders = sys.modules["botocore.loaders"]
    loader, load = loaders.Loader(), loaders.JSONFileLoader.load_file
    names = ["endpoints"]
    for service in LARGE_MODELS:
        folder = f"{service}/{loader.determine_latest_version(service, 'service-2')}"
        names += [f"{folder}/service-2", f"{folder}/endpoint-rule-set-1"]
    parsed = {path: data for data, path in map(loader.load_data_with_path, names)}

    def load_file(self: Any, file_path: str) -> Any:
        return parsed.pop(file_path, None) or load(self, file_path)

    loaders.JSONFileLoader.load_file = load_file


def main(descriptor: int) -> None:
    """Fork the requested processes until the socket closes; then kill those that run."""
    connection = socket.socket(fileno=descriptor)
    running: set[int] = set()
    _wakeup.extend(os.pipe())
    for end in _wakeup:
        os.set_blocking(end, False)
    signal.set_wakeup_fd(_wakeup[1], warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with suppress(BrokenPipeError):
        _serve(connection, running)
    for pid in running:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _serve(connection: socket.socket, running: set[int]) -> None:
    while True:
        ready, _, _ = select.select([connection, _wakeup[0]], [], [])
        if _wakeup[0] in ready:
            os.read(_wakeup[0], 4096)
        if connection in ready:
            message, files, _, _ = socket.recv_fds(connection, LONGEST_MESSAGE, 3)
            if message == b"":
                return
            pid = _fork(connection, json.loads(message), files)
            running.add(pid)
            connection.send(json.dumps({"pid": pid}).encode())
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                running.remove(pid)
                connection.send(json.dumps({"pid": pid, "code": os.waitstatus_to_exitcode(status)}).encode())


def _fork(connection: socket.socket, request: dict[str, Any], files: list[int]) -> int:
    with warnings.catch_warnings():
        # BLAS has threads, which wait, and puts itself in order after a fork; nothing else here has any.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        connection.close()
        _become(request, *files)
    with suppress(PermissionError, ProcessLookupError):  # here too: the group must exist before it can be killed
        os.setpgid(pid, pid)
    for descriptor in files:
        os.close(descriptor)
    return pid


def _become(request: dict[str, Any], output: int, stdin: int | None = None, answers: int | None = None) -> None:
    """Be what `python <script or zip> <arguments>` would be. Does not return."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for end in _wakeup:
        os.close(end)
    if stdin is not None:
        os.dup2(stdin, 0)
        os.close(stdin)
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)
    sys.stdout.reconfigure(write_through=True)  # ty: ignore[missing-union-attribute]
    os.environ.clear()
    os.environ.update(request["env"])
    if answers is not None:
        os.environ["ANSWER_FD"] = str(answers)
    time.tzset()
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    _, script, *arguments = request["command"]
    sys.argv = [script, *arguments]
    if script.endswith(".py"):
        sys.path.insert(0, str(Path(script).parent))
    code = 1
    try:
        if request["mounts"]:
            enter_namespaces(request["mounts"])
        os.chdir(request["cwd"])
        runpy.run_path(script, run_name="__main__")
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        threading._shutdown()  # ty: ignore[missing-attribute]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the server, which then closes the socket
    if "botocore.loaders" in sys.modules:
        read_service_models()
    gc.freeze()  # a collection in a forked process would write to all of this memory, and copy it
    main(int(sys.argv[1]))
