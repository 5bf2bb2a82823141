"""The folder of an embedded AWS: one instance at a time uses it, and what a dead one left is removed: files and processes."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import TextIO

from . import processes

RUN = "local-aws-run"
KEPT = "local-aws-kept"
"""What outlives an instance that keeps its state; nothing here removes it."""
_MARK = ".local-aws"
_LOCK = "local-aws.lock"
_PROCESSES = "processes"


class StateInUseError(OSError):
    """Another embedded AWS uses the folder."""


class StateFolder:
    """Files of one instance, in the folder `local-aws-run` of `path`. Nothing else in `path` is ever removed.

    The lock is the operating system's: it ends with the process, however that ends. `left`: how many processes of an
    instance that was killed ran on, and have been ended. Raises StateInUseError.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.run, self.kept = path.resolve() / RUN, path.resolve() / KEPT
        self._path = path / _LOCK
        self._lock = self._take(path)
        while not self._is_in_place():  # the instance before removed the file between opening and locking it
            self._lock.close()
            self._lock = self._take(path)
        self.left = processes.end_recorded(self.run / _PROCESSES) if (self.run / _MARK).exists() else 0
        self._clean()
        if not self.run.exists():  # a folder of this name that nobody marked is a user's, and stays
            self.run.mkdir()
            (self.run / _MARK).touch()
        processes.record_in(self.run / _PROCESSES)
        self.announce("starting")

    def _take(self, path: Path) -> TextIO:
        lock = self._path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            other = lock.read().strip() or "another process"
            lock.close()
            raise StateInUseError(
                f"an embedded AWS uses the folder {path} already ({other}). Use that one, stop it, or choose another folder"
            ) from None
        return lock

    def _is_in_place(self) -> bool:
        return self._path.exists() and os.path.samestat(os.fstat(self._lock.fileno()), self._path.stat())

    @property
    def lock(self) -> int:
        """The file descriptor of the lock."""
        return self._lock.fileno()

    def announce(self, text: str) -> None:
        """Say to others, such as a second instance, which process uses the folder; `text`: where it is reached."""
        self._lock.truncate(0)
        self._lock.write(f"process {os.getpid()}, {text}")
        self._lock.flush()

    def release(self) -> None:
        """Remove the files and let another instance use the folder. Calling it again does nothing."""
        if not self._lock.closed:
            processes.record_in(None)
            self._clean()
            self._path.unlink(missing_ok=True)
            self._lock.close()

    def _clean(self) -> None:
        if (self.run / _MARK).exists():
            shutil.rmtree(self.run, ignore_errors=True)
