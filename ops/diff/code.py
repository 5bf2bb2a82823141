"""The code of two versions: the files of the zips that their jobs ran."""

import difflib
import io
import zipfile
from collections.abc import Iterator, Mapping

from .changes import Change, Section
from .kept import Kept, PieceError

MODEL, LIBRARY = "project/", "jobs/"
SETTINGS, CONFIGURATION = "project/settings.json", "project/model.yaml"
"""The content of model.yaml with all defaults, and model.yaml itself: their values are compared as configuration."""
LINES = 60
"""Lines of a unified diff that are shown without `full`."""
LARGEST_TEXT = 1 << 20


def files(kept: Kept) -> dict[str, bytes]:
    """The files of the version's zip. Raises PieceError."""
    try:
        with zipfile.ZipFile(io.BytesIO(kept.read("code"))) as archive:
            return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except zipfile.BadZipFile as error:
        raise PieceError(f"the code of {kept.label} is no zip: {error}") from None


def compare(before: Mapping[str, bytes], after: Mapping[str, bytes], *, full: bool) -> tuple[Section, Section]:
    """The model's own files, and the library's. Without `full`, 60 lines of the first one's diff, and none of the second's."""
    own = [name for name in (*before, *after) if not name.startswith(LIBRARY) and name != SETTINGS]
    library = [name for name in (*before, *after) if name.startswith(LIBRARY)]
    return (
        _section("code of the model", own, before, after, None if full else LINES),
        _section("code of the library", library, before, after, None if full else 0),
    )


def _section(
    title: str, names: list[str], before: Mapping[str, bytes], after: Mapping[str, bytes], limit: int | None
) -> Section:
    section, lines = Section(title), list[str]()
    for name in sorted(set(names)):
        one, other = before.get(name), after.get(name)
        if one == other:
            continue
        found = [] if name == CONFIGURATION else list(_unified(name, one, other))
        section.changes.append(Change(name.removeprefix(MODEL), _size(one), _size(other), _note(name, found)))
        lines += found
    section.lines = lines if limit is None else lines[:limit]
    if hidden := len(lines) - len(section.lines):
        section.notes.append(f"{hidden} {'more ' if limit else ''}lines of the diff are not shown; --full shows all")
    return section


def _note(name: str, lines: list[str]) -> str:
    if name == CONFIGURATION:
        return "its values: see configuration"
    added, removed = (sum(line[:1] == sign and line[:3] != sign * 3 for line in lines) for sign in "+-")
    return f"+{added} -{removed} lines" if lines else ""


def _size(content: bytes | None) -> str | None:
    return None if content is None else f"{len(content):,} bytes"


def _unified(name: str, before: bytes | None, after: bytes | None) -> Iterator[str]:
    """The unified diff of a text file; nothing for a binary or very large one."""
    one, other = _text(before), _text(after)
    if one is None or other is None:
        return
    shown = name.removeprefix(MODEL)
    labels = ["/dev/null" if content is None else shown for content in (before, after)]
    yield from difflib.unified_diff(one, other, labels[0], labels[1], lineterm="")


def _text(content: bytes | None) -> list[str] | None:
    if content is None:
        return []
    if len(content) > LARGEST_TEXT:
        return None
    try:
        return content.decode().splitlines()
    except UnicodeDecodeError:
        return None
