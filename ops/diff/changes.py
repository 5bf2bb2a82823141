"""Differences between two sides, in sections that can be printed and written as JSON."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..project import EnvironmentSession

_NAMED = ("Name", "InputName", "OutputName", "ChannelName", "name")
"""Members by which the elements of a list are told apart; without one, by their position."""
_KEY = re.compile(r"arn:[\w-]+:kms:[\w-]*:\d*:key/[\w-]+")
_NETWORK = re.compile(r"\b(subnet|sg|vpc|vpce)-[0-9a-f]{8,17}\b")


@dataclass(frozen=True)
class Change:
    """One thing that differs. None: the side does not have it. `note`: what there is to say about the two values."""

    what: str
    before: Any
    after: Any
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Values that `json.dumps` accepts."""
        return {"what": self.what, "before": self.before, "after": self.after, "note": self.note or None}


@dataclass
class Section:
    """The comparison of one part.

    Args:
        title: Name of the part.
        changes: What differs.
        lines: Text to print below them, such as a unified diff. Default: none.
        notes: Sentences about the comparison. Default: none.
        problems: What is missing, was altered or cannot be read, so that nothing is said about it. Default: none.
        facts: Further values for JSON. Default: none.
        counts: Whether changes are differences; False for what every version has of its own, such as its time. Default: True.
    """

    title: str
    changes: list[Change] = field(default_factory=list[Change])
    lines: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    counts: bool = True

    @property
    def differs(self) -> bool:
        """Whether the two sides differ in this part."""
        return self.counts and bool(self.changes)

    def to_json(self) -> dict[str, Any]:
        """Values that `json.dumps` accepts."""
        return {
            "title": self.title,
            "differs": self.differs,
            "changes": [each.to_json() for each in self.changes],
            "lines": self.lines,
            "notes": self.notes,
            "problems": self.problems,
            **self.facts,
        }


def flatten(value: Any, path: str = "") -> dict[str, Any]:
    """The values of nested objects and lists by their path: `serving.scaling.maximum`. A list of plain values is one value.

    An object without members has no values.
    """
    if isinstance(value, Mapping):
        members = [(str(name), each) for name, each in value.items()]
    elif isinstance(value, list) and any(isinstance(each, Mapping | list) for each in value):
        members = [(_name(each, index), each) for index, each in enumerate(value)]
    else:
        return {path: value}
    found: dict[str, Any] = {}
    for name, each in members:
        found |= flatten(each, f"{path}.{name}" if path else name)
    return found


def compare(before: Any, after: Any, ignored: Iterable[str] = ()) -> list[Change]:
    """What differs between two nested values, in the order of the paths of `before`, then of those that only `after` has.

    `ignored`: paths that are left out, with everything below them.
    """
    one, other = flatten(before), flatten(after)
    left_out = tuple(ignored)
    return [
        Change(path, one.get(path), other.get(path))
        for path in dict.fromkeys([*one, *other])
        if one.get(path) != other.get(path)
        and not any(path == each or path.startswith(f"{each}.") for each in left_out)
    ]


def neutral(session: EnvironmentSession) -> Callable[[Any], Any]:
    """A function that replaces what every environment has of its own in the texts of a nested value.

    `<prefix>`, `<account>`, `<region>`, `<key>` and `<subnet>` and its like stand for names, account, region, KMS keys and ids of
    networks, so that the same thing in two environments is equal.
    """
    names = session.names
    plain = [(names.prefix, "<prefix>"), (names.account, "<account>"), (names.region, "<region>")]

    def text(value: str) -> str:
        value = _NETWORK.sub(r"<\1>", _KEY.sub("<key>", value))
        for own, placeholder in plain:
            value = value.replace(own, placeholder)
        return value

    def replace(value: Any) -> Any:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, Mapping):
            return {name: replace(each) for name, each in value.items()}
        return [replace(each) for each in value] if isinstance(value, list) else value

    return replace


def _name(element: Any, index: int) -> str:
    named = (element.get(name) for name in _NAMED) if isinstance(element, Mapping) else iter(())
    return next((each for each in named if isinstance(each, str)), str(index))
