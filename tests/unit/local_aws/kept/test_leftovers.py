"""A server that was killed with SIGKILL: its processes are ended at the next start, and what it lost is said."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from local_aws import processes
from local_aws.cli import history
from local_aws.kept.state_file import Saved
from local_aws.state_folder import StateFolder

DIE_WITH_PROCESS = """
import os, pathlib, signal, subprocess, sys
from local_aws import processes
from local_aws.state_folder import StateFolder
folder = StateFolder(pathlib.Path(sys.argv[1]))
sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
processes.record(sleeper.pid)
print(sleeper.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_of_killed_server_are_ended(tmp_path):
    died = subprocess.run([sys.executable, "-c", DIE_WITH_PROCESS, str(tmp_path)], capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL
    sleeper = int(died.stdout)
    folder = StateFolder(tmp_path)
    assert folder.left == 1
    assert not processes._start_time(sleeper)
    folder.release()


@pytest.fixture
def process():
    started = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield started
    processes.kill_group(started.pid)
    started.wait()


def test_number_of_another_process_is_not_ended(tmp_path, process):
    (tmp_path / str(process.pid)).write_text("the start of another process")
    assert processes.end_recorded(tmp_path) == 0
    assert process.poll() is None


def test_record_forgets_ended_processes(tmp_path, process):
    processes.record_in(tmp_path / "record")  # a folder that the first process makes
    ended = subprocess.Popen(["sleep", "600"], start_new_session=True)
    processes.record(ended.pid)
    os.killpg(ended.pid, signal.SIGKILL)
    ended.wait()
    processes.record(process.pid)
    processes.record_in(None)
    assert [path.name for path in (tmp_path / "record").iterdir()] == [str(process.pid)]


def test_history_says_what_killed_server_lost():
    time = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
    lines = history(SimpleNamespace(left=2, restored=Saved(b"", time, at_stop=False)))
    assert lines[0] == "Ended 2 processes of an embedded AWS that was killed."
    assert lines[-1] == "The embedded AWS before this one was killed: what changed after that is lost."
    assert len(history(SimpleNamespace(left=0, restored=Saved(b"", time, at_stop=True)))) == 1
    assert history(SimpleNamespace(left=0, restored=None)) == []
