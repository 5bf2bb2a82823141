"""The hosts of a training job: one on each instance, and model.py divides the work among them.

Source: SageMaker developer guide, "How Amazon SageMaker AI Provides Training Information" (distributed training configuration).
"""

import json
from dataclasses import dataclass

from . import paths

ALONE = "algo-1"


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
