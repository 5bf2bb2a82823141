"""What a container sees of this machine: /opt/ml, its environment variables, and the signals that end it.

Sources: SageMaker developer guide, "How Amazon SageMaker AI runs your training image", "How Amazon SageMaker Processing
configures your processing container" and "Use your own inference code with hosting services". On AWS the rest of the file
system and PATH, HOME and the like are the image's; here they are this machine's, without a variable of the server's process. The
libraries that Python finds are the image's (image_environments.py).
"""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from ... import namespace
from ...processes import kill_group
from ...warm import Process

ML = "/opt/ml"
MODEL = f"{ML}/model"
STOP_SECONDS = 120
"""Time between SIGTERM and SIGKILL. Source: API reference, StopTrainingJob and StopProcessingJob."""


class ContainerView:
    """The folder `root` as /opt/ml.

    Where this system lets a process have mounts of its own, the folder really is at /opt/ml. Elsewhere LOCAL_AWS_ML_ROOT
    (FACTORY_ML_ROOT too, Model Factory's name for it) has its path, and paths below /opt/ml in commands are rewritten.
    `python`: the Python of the container's image.
    """

    def __init__(self, root: Path, python: str = sys.executable) -> None:
        self._root = root
        self._python = python
        self._mounted = namespace.available(ML)
        self.mounts: list[namespace.Mount] = [(str(root), ML, "")] if self._mounted else []
        self.cwd = self.path(ML)

    def make_read_only(self, path: str) -> bool:
        """Mount a folder below /opt/ml read-only; False where this system has no mounts."""
        if self._mounted:
            self.mounts.append((str(self._root) + path[len(ML) :], path, "ro"))
        return self._mounted

    def path(self, text: str) -> str:
        """A path below /opt/ml as the container's process has to write it; another text is unchanged."""
        below = text == ML or text.startswith(f"{ML}/")
        return str(self._root) + text[len(ML) :] if below and not self._mounted else text

    def command(self, command: list[str]) -> list[str]:
        """A command of the container as one of this machine."""
        first, *arguments = map(self.path, command)
        return [self._python if Path(first).name in ("python", "python3") else first, *arguments]

    def environment(self, region: str, endpoint_url: str, credentials: dict[str, str]) -> dict[str, str]:
        """The variables of every container. There is no AWS_DEFAULT_REGION, the only one from which boto3 takes a region.

        On AWS credentials come from a metadata service, and AWS_ENDPOINT_URL is not set.
        """
        fallback = {} if self._mounted else {"LOCAL_AWS_ML_ROOT": str(self._root), "FACTORY_ML_ROOT": str(self._root)}
        return {
            "PATH": f"{Path(self._python).parent}{os.pathsep}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": self.cwd,
            "PYTHONUNBUFFERED": "1",
            **fallback,
            "AWS_REGION": region,
            "AWS_ENDPOINT_URL": endpoint_url,
            **credentials,
        }


def terminate(process: Process) -> bool:
    """Send SIGTERM to a container that handles it; whether it does.

    The first process of a container ignores SIGTERM unless it has a handler, so that SageMaker ends it after STOP_SECONDS.
    Nobody has to wait for that here.
    """
    handles = _handles_sigterm(process.pid)
    if handles:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(process.pid, signal.SIGTERM)
    return handles


def kill(process: Process) -> None:
    """Kill a process and its children, as the end of a container does."""
    if process.poll() is None:
        kill_group(process.pid)


def _handles_sigterm(pid: int) -> bool:
    """Whether a process has a handler; assumed on systems without /proc."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return sys.platform != "linux"
    caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(caught >> (signal.SIGTERM - 1) & 1)
