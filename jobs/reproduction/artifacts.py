"""Where the files of two artifacts differ: by their bytes, then by what JSON files and pickles hold."""

import hashlib
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .differences import Difference, differences
from .pickles import Unreadable, read

MOST = 20
"""Differences that a verdict lists of each file."""


@dataclass
class FileDifferences:
    """Files that differ, and where.

    Args:
        places: Places that differ in files that can be read, by the file's name.
        unread: Files with other bytes that are neither JSON nor a pickle, or are in one artifact only, with the reason.
    """

    places: dict[str, list[Difference]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def meaningless(self) -> bool:
        """Whether nothing but numbers of threads differs."""
        return not self.unread and all(each.of_threads for places in self.places.values() for each in places)

    def to_dict(self) -> dict[str, Any]:
        """By file: at most `MOST` places as text, and how many there are."""
        read_files = {
            name: {"count": len(places), "places": [str(each) for each in places[:MOST]]}
            for name, places in self.places.items()
        }
        return read_files | {name: {"count": 1, "places": [reason]} for name, reason in self.unread.items()}


def unpack(archive: Path, target: Path) -> Path:
    """The folder with the files of model.tar.gz."""
    with tarfile.open(archive) as opened:
        opened.extractall(target, filter="data")
    return target


def compare(original: Path, rebuilt: Path) -> FileDifferences:
    """Where the files of two unpacked artifacts differ. Times and owners of files are no part of them."""
    found = FileDifferences()
    names = {name: (original / name, rebuilt / name) for folder in (original, rebuilt) for name in _names(folder)}
    for name, (one, other) in sorted(names.items()):
        if not (one.exists() and other.exists()):
            found.unread[name] = "is in the original alone" if one.exists() else "is in the rebuilt one alone"
        elif _digest(one) != _digest(other):
            try:
                # Without a place that differs, the files are equal but for the order in which they were written.
                found.places[name] = list(differences(_content(one), _content(other)))
            except Unreadable as error:
                found.unread[name] = f"has other bytes; {error}"
    return found


def _names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _content(path: Path) -> Any:
    """What a file holds. Raises Unreadable when it is neither JSON nor a pickle."""
    content = path.read_bytes()
    if path.suffix == ".json":
        try:
            return json.loads(content)
        except ValueError as error:
            raise Unreadable(f"it is no JSON: {error}") from error
    return read(content)
