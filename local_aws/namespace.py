"""Folders at the paths that AWS documents (/opt/ml, /var/task), seen by one process and its children alone: Linux only.

A process enters a user namespace and a mount namespace of its own, which needs no privilege, and binds the folders there. The
process is root in its user namespace, as in AWS's images; outside of it, it stays the user of the server. Where the
system forbids it (macOS, some containers' seccomp profiles, AppArmor's restriction of user namespaces), `available` says so.

Run as a script, `namespace.py <mounts as JSON> <working directory> <command> …`, it enters and then becomes the command.
It is loaded by its path in processes that do not have this package, so it imports nothing of it; and little else,
because each import is part of the start of every container.
"""

# ruff: noqa: PTH102, PTH110, PTH115, PTH120, PTH123, PTH211 (importing pathlib would be part of every start)

import ctypes
import json
import os
import sys
from collections.abc import Sequence
from functools import cache

type Mount = tuple[str, str, str]
"""The folder, file or MEMORY, the path at which it appears, and `ro` for a read-only folder or `size=<bytes>` for MEMORY."""

MEMORY = "tmpfs"

_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x40000
_LOCKED = 0x2 | 0x4 | 0x8 | 0x400 | 0x800
_RELATIVE_TIMES, _RELATIVE_TIMES_OF_STATVFS = 1 << 21, 1 << 12
_PROBE_SECONDS = 10


@cache
def available(target: str) -> bool:
    """Whether a process on this system can bind a folder at the path `target`; tried once."""
    if sys.platform != "linux" or not hasattr(os, "unshare"):
        return False
    import subprocess  # not before a process that becomes a container has to wait for it
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        _touch(f"{folder}/seen")
        look = [sys.executable, "-I", "-S", "-c", f"import os; os.stat({target + '/seen'!r})"]
        probe = command([(folder, target, "")], target, look)
        return subprocess.run(probe, capture_output=True, timeout=_PROBE_SECONDS, check=False).returncode == 0


def command(mounts: Sequence[Mount], cwd: str, inner: Sequence[str]) -> list[str]:
    """The command that runs `inner` in `cwd` with the mounts."""
    return [sys.executable, "-I", "-S", __file__, json.dumps(mounts), cwd, *inner]


def enter(mounts: Sequence[Mount]) -> None:
    """Move this process, which has one thread, into its namespaces. Raises OSError when the system forbids it."""
    user, group = os.getuid(), os.getgid()
    os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w") as mapping:
            mapping.write(text)
    _mount("none", "/", _RECURSIVE | _PRIVATE)
    for folder, target, option in mounts:
        if folder == MEMORY:
            _mount(MEMORY, target, 0, MEMORY, f"mode=1777,{option}")
            continue
        source = os.open(folder, os.O_PATH)  # `folder` itself may be hidden by a mount
        try:
            _make_folder(target)
            _mount(f"/proc/self/fd/{source}", target, _BIND | _RECURSIVE)
        finally:
            os.close(source)
        if option == "ro":
            _mount("none", target, _BIND | _REMOUNT | _READ_ONLY | _locked_flags(target))


def _locked_flags(target: str) -> int:
    """Flags of the file system (nosuid, nodev, noexec, times) that a remount in a user namespace must not clear."""
    flags = os.statvfs(target).f_flag
    return flags & _LOCKED | (_RELATIVE_TIMES if flags & _RELATIVE_TIMES_OF_STATVFS else 0)


def _make_folder(target: str) -> None:
    """Make the folder, in this namespace only: below a new file system that shows what is in its parent as well.

    A file that is there can have another one in its place.
    """
    if os.path.exists(target):
        return
    parent = os.path.dirname(target)
    _make_folder(parent)
    hidden = os.open(parent, os.O_PATH)
    try:
        entries = list(os.scandir(parent))
        _mount(MEMORY, parent, 0, MEMORY)
        for entry in entries:
            here, there = f"{parent}/{entry.name}", f"/proc/self/fd/{hidden}/{entry.name}"
            if entry.is_symlink():
                os.symlink(os.readlink(there), here)
                continue
            os.mkdir(here) if entry.is_dir() else _touch(here)
            _mount(there, here, _BIND | _RECURSIVE)
    finally:
        os.close(hidden)
    os.mkdir(target)


def _touch(path: str) -> None:
    with open(path, "w"):
        pass


def _mount(source: str, target: str, flags: int, kind: str = "", data: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), kind.encode() or None, flags, data.encode() or None):
        code = ctypes.get_errno()
        raise OSError(code, f"mount {source}: {os.strerror(code)}", target)


if __name__ == "__main__":
    enter(json.loads(sys.argv[1]))
    os.chdir(sys.argv[2])
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606 (the command of the request)
