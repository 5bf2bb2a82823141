"""Processes that score and train start by a fork of one that has pandas and scikit-learn in memory, as containers of the
embedded AWS do: importing these is most of such a process's time.
"""

import atexit
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from local_aws.sagemaker.service import PRELOADED
from local_aws.warm import Starter

_popen, _run = subprocess.Popen, subprocess.run


@cache
def _starter() -> Starter:
    return Starter(atexit.register, PRELOADED)


def install(patch: pytest.MonkeyPatch) -> None:
    """Fork scripts and zips that this Python runs; other commands start as usual. Output and errors are one text."""
    patch.setattr(subprocess, "Popen", _Process)
    patch.setattr(subprocess, "run", _run_forked)


def _is_script(command: Any) -> bool:
    return (
        isinstance(command, Sequence)
        and len(command) > 1
        and command[0] == sys.executable
        and command[1].endswith((".py", ".zip"))
    )


def _environment(given: Mapping[str, str] | None) -> dict[str, str]:
    """Without what this process has from its user: Python's and OpenMP's own variables are read before a fork."""
    return {
        name: value
        for name, value in (os.environ if given is None else given).items()
        if not (name.startswith(("PYTHON", "OMP_")) and os.environ.get(name) == value)
    }


class _Process:
    """What `Popen` is of a forked process."""

    def __class_getitem__(cls, _: Any) -> type:
        return cls

    def __new__(cls, command: Any, **options: Any) -> Any:
        if not _is_script(command) or not options.keys() <= {"cwd", "env", "stdout", "stderr"}:
            return _popen(command, **options)
        return super().__new__(cls)

    def __init__(self, command: list[str], **options: Any) -> None:
        where, output = options.get("cwd") or Path.cwd(), options.get("stdout")
        assert output == options.get("stderr")
        self._process = _starter().start(command, where, _environment(options.get("env")), output)
        self.pid, self.returncode = self._process.pid, None

    def poll(self) -> int | None:
        self.returncode = self._process.poll()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self.returncode = self._process.wait(timeout)
        return self.returncode

    def kill(self) -> None:
        os.killpg(self.pid, signal.SIGKILL)


def _run_forked(command: Any, **options: Any) -> subprocess.CompletedProcess[Any]:
    taken = {"cwd", "env", "capture_output", "text", "errors", "check"}
    if not _is_script(command) or not options.keys() <= taken:
        return _original_run(command, **options)
    with tempfile.TemporaryFile() as output:
        process = _Process(command, cwd=options.get("cwd"), env=options.get("env"), stdout=output, stderr=output)
        code = process.wait()
        output.seek(0)
        content: Any = output.read()
    text = content.decode(errors=options.get("errors") or "strict") if options.get("text") else content
    done = subprocess.CompletedProcess(command, code, text, text)
    if options.get("check"):
        done.check_returncode()
    return done


def _original_run(command: Any, **options: Any) -> subprocess.CompletedProcess[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", _popen)  # which `run` calls
        return _run(command, **options)
