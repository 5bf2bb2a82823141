"""Changes of users' files that versions of the library need. The newest migration is the last.

A release that renames a key or changes a default adds a `Migration` here, with a test in tests/unit/ops/test_upgrade.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

type Version = tuple[int, ...]


@dataclass(frozen=True)
class Migration:
    """A change of a user's files.

    Attributes:
        version: The release that needs the change.
        description: The change, as an instruction if `apply` is None.
        apply: Changes the repository at the given path and returns a line for each change. Default: the user makes the change;
            the description is printed.
    """

    version: str
    description: str
    apply: Callable[[Path], list[str]] | None = None


MIGRATIONS: tuple[Migration, ...] = ()


def between(old: str, new: str, migrations: tuple[Migration, ...] = MIGRATIONS) -> list[Migration]:
    """The migrations of the releases after `old`, up to and including `new`."""
    return [each for each in migrations if parse(old) < parse(each.version) <= parse(new)]


def parse(version: str) -> Version:
    """The numbers of a version, for comparison: `0.10.2` is later than `0.9`."""
    return tuple(int(part) for part in version.split("."))
