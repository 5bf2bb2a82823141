"""The hosts of a training job: one on each instance, and model.py divides the work among them.

Source: SageMaker developer guide, "How Amazon SageMaker AI Provides Training Information" (distributed training configuration).
"""

import json
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from . import paths
from .failures import JobFailure

ALONE = "algo-1"
RESOLVED_SECONDS = 15 * 60
"""Names lead nowhere while the cluster starts; AWS's training toolkit looks them up for as long."""
WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class Hosts:
    """The hosts of this training job, which reach each other by their names.

    Args:
        names: Names of all hosts, in the same order on each.
        current: Name of this host.
    """

    names: list[str]
    current: str

    @property
    def index(self) -> int:
        """Place of this host in `names`; 0 for the first one, which saves the model."""
        return self.names.index(self.current)


def read() -> Hosts:
    """The hosts of resourceconfig.json; one without the file."""
    path = paths.root() / "input" / "config" / "resourceconfig.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    return Hosts(sorted(found.get("hosts", [ALONE])), found.get("current_host", ALONE))


def wait_until_resolved(names: Sequence[str]) -> None:
    """Wait until all hosts can be reached by their names. Raises JobFailure after RESOLVED_SECONDS."""
    end = time.monotonic() + RESOLVED_SECONDS
    for name in names:
        while not _is_resolved(name):
            if time.monotonic() > end:
                raise JobFailure(f"the host {name} of this training cannot be resolved after {RESOLVED_SECONDS} s")
            time.sleep(WAIT_SECONDS)


def _is_resolved(name: str) -> bool:
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        return False
    return True
