"""References to versions on the command line: `employment` for what is live, `employment@7` for version 7."""

import re
from dataclasses import dataclass

from .project import Project, UsageError

_REFERENCE = re.compile(r"^(?P<model>[^@]+)(@v?(?P<version>\d+))?$")


@dataclass(frozen=True)
class Reference:
    """A model, and a version of it; None: the version that is live."""

    model: str
    version: int | None


def parse_reference(project: Project, text: str) -> Reference:
    """The reference that `text` is. Raises UsageError for a model that the repository does not have, with the nearest name."""
    found = _REFERENCE.match(text)
    if found is None:
        raise UsageError(f"{text!r} is no version of a model; write MODEL for what is live, or MODEL@7 for version 7")
    project.model(found["model"])
    return Reference(found["model"], int(found["version"]) if found["version"] else None)
