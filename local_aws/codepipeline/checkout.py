"""A build's source on disk: the files of an artifact, or a clone with its history where the artifact only names a commit."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from .artifacts import CLONE_REF, extract
from .repositories import Repositories, git


def checkout(
    archive: zipfile.ZipFile, target: Path, repositories: Repositories, may_clone: Callable[[str, str], None]
) -> str:
    """Put the source into `target`; the commit, where it is known. `may_clone` raises for a repository or connection."""
    if archive.namelist() != [CLONE_REF]:
        extract(archive, target)
        return ""
    reference = json.loads(archive.read(CLONE_REF))
    may_clone(reference["repository"], reference["connection"])
    git("clone", "--quiet", str(repositories.path(reference["repository"])), str(target))
    git("checkout", "--quiet", "--detach", reference["commit"], at=target)
    return reference["commit"]
