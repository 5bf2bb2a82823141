"""What changed between versions of the library in the files that a user owns. The newest migration comes last.

A release that renames a key or changes a default adds a `Migration` here, with a test in tests/unit/ops/test_upgrade.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

type Version = tuple[int, ...]


@dataclass(frozen=True)
class Migration:
    """A change of the user's files.

    Attributes:
        version: The release that needs it.
        description: What changed, and what to do by hand if `apply` is None.
        apply: Makes the change in the repository at the given path and returns a line per changed place. Default: the change
            is not mechanical; the description is printed.
    """

    version: str
    description: str
    apply: Callable[[Path], list[str]] | None = None


MIGRATIONS: tuple[Migration, ...] = ()


def between(old: str, new: str, migrations: tuple[Migration, ...] = MIGRATIONS) -> list[Migration]:
    """The migrations of the releases after `old`, up to and including `new`."""
    return [each for each in migrations if parse(old) < parse(each.version) <= parse(new)]


def parse(version: str) -> Version:
    """The release numbers of a version: `0.10.2` is later than `0.9`."""
    return tuple(int(part) for part in version.split("."))
