"""A folder that a container may only read, where this system gives the container no mounts of its own.

Without write permission an unprivileged process gets a PermissionError, where a mount would give "Read-only file system". Root
writes nevertheless, and is found out afterwards.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_BYTECODE = "__pycache__"
"""Python writes it beside modules where it can, and goes on without it where it cannot."""

type _State = dict[str, tuple[int, int]]


class ReadOnlyFolder:
    """Takes the write permission from a folder and all that is in it until `release`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = self._state()
        for path in [folder, *folder.rglob("*")]:
            path.chmod(path.stat().st_mode & ~WRITE)

    def written(self) -> str | None:
        """The path in the folder of the first file that a process has created, changed or removed; None without one."""
        now = self._state()
        return next((path for path in sorted({*self._before, *now}) if self._before.get(path) != now.get(path)), None)

    def release(self) -> None:
        """Give its owner the write permission again, without which nobody but root can remove the folder."""
        if not self._folder.exists():
            return
        for path in [self._folder, *(path for path in self._folder.rglob("*") if path.is_dir())]:
            path.chmod(path.stat().st_mode | stat.S_IWUSR)

    def _state(self) -> _State:
        return {
            str(path.relative_to(self._folder)): (found.st_mtime_ns, found.st_size)
            for path in _files(self._folder)
            if (found := path.lstat())
        }


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != _BYTECODE]
        yield from (Path(root, name) for name in names)
