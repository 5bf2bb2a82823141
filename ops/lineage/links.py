"""Links of a lineage: what was made from what, and what of it is missing or was altered."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Link:
    """One thing in a lineage, with what it was made from.

    Args:
        kind: What it is: endpoint, version, approval, execution, job, code, data, object and so on.
        name: Short name, such as `employment v7`.
        id: ARN, or S3 URI with `?versionId=`; empty where it has none.
        facts: What is known about it, by name.
        problem: What is missing or was altered; empty when everything was found as recorded.
        below: What it was made from.
    """

    kind: str
    name: str
    id: str = ""
    facts: dict[str, str] = field(default_factory=dict[str, str])
    problem: str = ""
    below: list["Link"] = field(default_factory=list["Link"])

    def walk(self) -> Iterator["Link"]:
        """This link and all below it."""
        yield self
        for each in self.below:
            yield from each.walk()

    def problems(self) -> list["Link"]:
        """The links below, and this one, that are missing or were altered."""
        return [each for each in self.walk() if each.problem]

    def to_json(self) -> dict[str, Any]:
        """Values that `json.dumps` accepts."""
        return {
            "kind": self.kind,
            "name": self.name,
            "id": self.id,
            "facts": self.facts,
            "problem": self.problem or None,
            "below": [each.to_json() for each in self.below],
        }


def known(**facts: Any) -> dict[str, str]:
    """The facts that have a value, as text; names with spaces in place of underscores."""
    return {name.replace("_", " "): str(value) for name, value in facts.items() if value not in (None, "")}
