"""Fast starts of Python processes: importing boto3, scipy and pandas would take most of the time of a small job or function.

A process is forked from a template that has them in memory (`warm_template`), or started as usual where that could
make a difference: other commands than a script of this Python, variables that the libraries read when they are imported,
and systems where forking is not safe.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import IO, Protocol

from . import namespace
from .processes import record

TEMPLATE = Path(__file__).with_name("warm_template.py")
LONGEST_MESSAGE = 1 << 17
_READ_AT_IMPORT = ("PYTHON", "OMP_", "OPENBLAS_", "MKL_", "ARROW_", "SKLEARN_", "LD_", "BOTO_", "PYDANTIC_")
# Variables that have this value in the template.
_SETTLED = {"PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0"}

# Threads of several containers that wait for each other on two cores take twenty times the processor time of the work. OpenMP
# reads this when it is loaded; containers do not see it.
_QUIET = {"OMP_WAIT_POLICY": "PASSIVE"}


class Process(Protocol):
    """A running process."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class _Forked:
    """A process that the template forked. It is the template's child, which reports its end."""

    def __init__(self) -> None:
        self.pid, self.code = 0, 0
        self.started, self.ended = threading.Event(), threading.Event()

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self.code if self.ended.is_set() else None

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises TimeoutExpired."""
        if not self.ended.wait(timeout):
            raise subprocess.TimeoutExpired("forked process", timeout or 0)
        return self.code


class Starter:
    """Starts processes from templates that have imported the packages `preloaded`; `on_stop` gets what ends the templates.

    The first `unforked` are started as usual: a template whose packages take seconds pays for those who run several. `images`:
    environments whose Python has a template of its own, besides the one of this process.
    """

    def __init__(
        self,
        on_stop: Callable[[Callable[[], None]], None],
        preloaded: Sequence[str],
        unforked: int = 0,
        images: Container[str] = (),
    ) -> None:
        self._on_stop, self._preloaded, self._unforked, self._images = on_stop, preloaded, unforked, images
        self._lock = threading.Lock()
        self._templates: dict[str, _Template] = {}

    def fork_all(self) -> None:
        """Fork the first processes too, because there will be many."""
        self._unforked = 0

    def start(
        self,
        command: list[str],
        cwd: Path | str,
        environment: dict[str, str],
        output: IO[bytes],
        mounts: Sequence[namespace.Mount] = (),
        channels: tuple[int, int] | None = None,
    ) -> Process:
        """Run `command` in a process group of its own, with this environment and nothing else, and its output in a file.

        `cwd` is a path inside of the `mounts`, which the process alone sees. `channels`: file descriptors of its standard
        input (default: empty), and of its answers, whose number there is in the variable ANSWER_FD.
        """
        request = json.dumps({"command": command, "cwd": str(cwd), "env": environment, "mounts": mounts}).encode()
        if (
            (command[0] == sys.executable or command[0] in self._images)
            and _can_fork(command, environment)
            and len(request) < LONGEST_MESSAGE
            and (forked := self._fork(command[0], request, [output.fileno(), *(channels or ())]))
        ):
            return forked
        stdin, *answers = channels or (subprocess.DEVNULL,)
        process = subprocess.Popen(
            namespace.command(mounts, str(cwd), command) if mounts else command,
            cwd=None if mounts else cwd,
            env=environment | ({"ANSWER_FD": str(answers[0])} if answers else {}),
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=answers,
            start_new_session=True,
        )
        record(process.pid)
        return process

    def _fork(self, python: str, request: bytes, descriptors: list[int]) -> Process | None:
        """A forked process; None for the first processes, and when the template has just ended."""
        with self._lock:
            if self._unforked:
                self._unforked -= 1
                return None
            template = self._templates.setdefault(python, _Template(python, self._preloaded, self._on_stop))
        return template.fork(request, descriptors)


class _Template:
    """The process of one Python that others are forked from, started with the first of them."""

    def __init__(self, python: str, preloaded: Sequence[str], on_stop: Callable[[Callable[[], None]], None]) -> None:
        self._python, self._preloaded, self._on_stop = python, preloaded, on_stop
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._requested: list[_Forked] = []
        self._running: dict[int, _Forked] = {}

    def fork(self, request: bytes, descriptors: list[int]) -> Process | None:
        """A forked process; None when the template has just ended."""
        process = _Forked()
        with self._lock:
            try:
                socket.send_fds(self._connection(), [request], descriptors)
            except OSError:
                return None
            self._requested.append(process)
        process.started.wait()
        if not process.pid:
            return None
        record(process.pid)
        return process

    def _connection(self) -> socket.socket:
        if self._socket is None:
            self._socket, template_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            process = subprocess.Popen(
                [self._python, str(TEMPLATE), str(template_socket.fileno()), *self._preloaded],
                env={"PATH": os.environ["PATH"], **_SETTLED, **_QUIET},
                stdin=subprocess.DEVNULL,
                pass_fds=[template_socket.fileno()],
                start_new_session=True,
            )
            record(process.pid)
            template_socket.close()
            threading.Thread(target=self._listen, args=(self._socket, process), daemon=True).start()
            self._on_stop(self._close)
        return self._socket

    def _close(self) -> None:
        with self._lock:
            if self._socket:
                self._socket.shutdown(socket.SHUT_RDWR)

    def _listen(self, template: socket.socket, process: subprocess.Popen[bytes]) -> None:
        """Process the template's messages until it ends; then every process that it started counts as ended."""
        while message := _received(template):
            message_content = json.loads(message)
            if "code" in message_content:
                ended = self._running.pop(message_content["pid"])
                ended.code = message_content["code"]
                ended.ended.set()
                continue
            with self._lock:
                begun = self._requested.pop(0)
            begun.pid = message_content["pid"]
            self._running[begun.pid] = begun
            begun.started.set()
        process.wait()
        with self._lock:
            template.close()
            self._socket = None
            for lost in [*self._requested, *self._running.values()]:
                lost.code = -1
                lost.started.set()
                lost.ended.set()
            self._requested.clear()
            self._running.clear()


def _received(template: socket.socket) -> bytes:
    try:
        return template.recv(LONGEST_MESSAGE)
    except OSError:  # closed
        return b""


def _can_fork(command: list[str], environment: dict[str, str]) -> bool:
    """Whether a forked process would behave as a new one."""
    script = command[1] if len(command) > 1 else ""
    read = {k: v for k, v in environment.items() if k.startswith(_READ_AT_IMPORT) or k.endswith("_NUM_THREADS")}
    return (
        sys.platform == "linux"
        and script.endswith((".py", ".zip"))
        and all(_SETTLED.get(key) == value for key, value in read.items())
    )
