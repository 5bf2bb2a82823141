"""Processes with a session of their own, functions and containers, and the record of those that run.

The record is files in the server's folder: a server that was killed ends nothing, and the next one in the folder has to.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_recorded_in: Path | None = None


def kill_group(process_id: int) -> None:
    """SIGKILL to a process and its children, if it still runs."""
    with suppress(ProcessLookupError):
        os.killpg(process_id, signal.SIGKILL)


def record_in(folder: Path | None) -> None:
    """Record in this folder; None: nowhere. A process has one embedded AWS."""
    global _recorded_in
    _recorded_in = folder


def record(process_id: int) -> None:
    """Record a process that has just started a session; those that have ended are removed from the record."""
    if _recorded_in is None or not _recorded_in.parent.exists():
        return
    _recorded_in.mkdir(exist_ok=True)
    for entry in _entries(_recorded_in):
        if not _runs(entry):
            entry.unlink(missing_ok=True)
    if started := _start_time(process_id):
        (_recorded_in / str(process_id)).write_text(started)


def end_recorded(folder: Path) -> int:
    """Kill the processes that are recorded in the folder and still run; how many there were."""
    left = [entry for entry in _entries(folder) if _runs(entry)]
    for entry in left:
        kill_group(int(entry.name))
    return len(left)


def _entries(folder: Path) -> list[Path]:
    return [entry for entry in folder.iterdir() if entry.name.isdigit()] if folder.is_dir() else []


def _runs(entry: Path) -> bool:
    """Whether this very process runs: the system gives the number of one that has ended to another one."""
    with suppress(FileNotFoundError):
        return _start_time(int(entry.name)) == entry.read_text()
    return False


def _start_time(process_id: int) -> str:
    """When a process started, in the system's own form; empty for one that has ended."""
    if sys.platform == "linux":
        try:
            after_name = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if after_name[0] in "ZX" else after_name[19]
    command = ["ps", "-o", "lstart=", "-p", str(process_id)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
