"""Hosts of a training job with several instances: their names, and a file in place of /etc/hosts in each container.

Each name leads to a loopback address of its own, so that servers of two hosts can have the same port when each listens on its own
name: the containers share this machine's network. The addresses differ from job to job.
"""

import hashlib
from pathlib import Path

from ... import namespace
from ..containers.container_view import ML
from .host import FIRST, JobError

SYSTEM = Path("/etc/hosts")


def names(count: int) -> list[str]:
    """algo-1, algo-2, …: the names of `count` hosts."""
    return [FIRST, *(f"algo-{number}" for number in range(2, count + 1))]


def mounts(count: int, folder: Path) -> tuple[namespace.Mount, ...]:
    """What lets containers resolve the names.

    Nothing where a process of this system has no mounts of its own: one host has nobody to talk to. Several raise JobError there.
    """
    if not namespace.available(ML) or not SYSTEM.is_file():
        if count == 1:
            return ()
        raise JobError(
            f"ClientError: the embedded AWS trains on {count} instances only where a process can have mounts of its own (Linux, "
            f"with user namespaces): elsewhere the names of the hosts, such as {names(count)[-1]}, lead nowhere"
        )
    path = folder / "hosts"
    path.write_text(f"{SYSTEM.read_text().rstrip()}\n{_lines(count, folder)}")
    return ((str(path), str(SYSTEM), ""),)


def _lines(count: int, folder: Path) -> str:
    """The job's own folder chooses the addresses."""
    first, second, *_ = hashlib.sha256(str(folder).encode()).digest()
    network = f"127.{first or 1}.{second}"
    return "".join(f"{network}.{number}\t{name}\n" for number, name in enumerate(names(count), start=1))
