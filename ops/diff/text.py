"""A comparison in a terminal: a table for each part that differs, and one line for those that do not."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from .changes import Change, Section
from .environments import EnvironmentComparison, ModelComparison, versions_of
from .versions import Comparison

_STYLES = {"+": "green", "-": "red", "@": "cyan"}
SHOWN = 40
"""Rows of a section that are shown; --json has all."""


def version_lines(found: Comparison) -> Iterator[RenderableType]:
    """Two versions: what each has of its own, then each part that differs."""
    before, after = found.before, found.after
    environments = [each.session.environment.name for each in (before, after)]
    same = environments[0] == environments[1]
    labels = [
        f"v{each.number}" if same else f"{name} v{each.number}"
        for each, name in zip((before, after), environments, strict=True)
    ]
    where = f" in {environments[0]}" if same else ""
    yield Text(f"{before.model}: {labels[0]} and {labels[1]}{where}", style="bold")
    yield table(found.about.changes, labels)
    for section in found.sections:
        yield from _section(section, labels)
    yield from _equal(found.sections)


def environment_lines(found: EnvironmentComparison) -> Iterator[RenderableType]:
    """Two environments: factory.yaml, what is live of each model, and the settings that differ."""
    labels = [each.environment.name for each in (found.before, found.after)]
    places = [
        f"{each.environment.name} ({each.environment.account}, {each.environment.region})"
        for each in (found.before, found.after)
    ]
    yield Text(f"{places[0]} and {places[1]}", style="bold")
    yield from _section(found.factory, labels)
    yield Text("\nlive versions, with the first digits of the artifact's SHA-256", style="bold")
    if found.models:
        yield table(
            versions_of(found.models), labels, styles=["green" if each.same else "yellow" for each in found.models]
        )
    else:
        yield Text("no models are deployed")
    for names, changes in _shared_changes(found.models):
        yield Text(f"\nsettings of {', '.join(names)}", style="bold")
        yield table(changes, labels)
    yield from _equal([found.factory])


def _shared_changes(models: Sequence[ModelComparison]) -> list[tuple[list[str], list[Change]]]:
    """The settings that differ, with the names of all models of which the same ones do."""
    found: dict[str, tuple[list[str], list[Change]]] = {}
    for each in models:
        if each.settings.differs:
            names, _ = found.setdefault(repr(each.settings.changes), ([], each.settings.changes))
            names.append(each.model)
    return list(found.values())


def table(changes: Sequence[Change], labels: Sequence[str], styles: Sequence[str] = ()) -> RenderableType:
    """The rows with a column for each side, and one for notes when there are some. Long values go on in further lines."""
    found = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    found.add_column("", overflow="fold", ratio=None)
    for label in labels:
        found.add_column(label, overflow="fold")
    if notes := any(each.note for each in changes):
        found.add_column("", overflow="fold")
    for index, each in enumerate(changes[:SHOWN]):
        cells = [Text(each.what), _value(each.before), _value(each.after)]
        found.add_row(*cells, *([Text(each.note)] if notes else []), style=styles[index] if styles else None)
    if len(changes) > SHOWN:
        found.add_row(Text(f"and {len(changes) - SHOWN} more", style="dim"))
    return found


def _section(section: Section, labels: Sequence[str]) -> Iterator[RenderableType]:
    if not section.changes and not section.problems:
        return
    yield Text(f"\n{section.title}", style="bold")
    if section.changes:
        yield table(section.changes, labels)
    for line in section.lines:
        yield Text(f"  {line}", style=_STYLES.get(line[:1], ""))
    for note in section.notes:
        yield Text(note, style="dim")
    for problem in section.problems:
        yield Text(problem, style="bold red")


def _equal(sections: Sequence[Section]) -> Iterator[RenderableType]:
    equal = [each for each in sections if not each.changes and not each.problems]
    if equal:
        yield Text(f"\nthe same: {'; '.join(each.title for each in equal)}", style="green")
        for note in (note for each in equal for note in each.notes):
            yield Text(f"  {note}", style="dim")


def _value(value: Any) -> Text:
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, bool):
        return Text(str(value).lower())
    return Text(", ".join(map(str, value)) if isinstance(value, list) else str(value))
