"""The graph of a pipeline definition's steps: which step waits for which, and what a selective execution runs and reuses.

Sources: SageMaker developer guide, "Selective execution of pipeline steps"; API reference, SelectiveExecutionConfig. A step in a
branch waits for its condition, as in the graph of the SageMaker SDK.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

type Step = Mapping[str, Any]
type Graph = Mapping[str, set[str]]
"""Of each step, the steps that it waits for itself."""

BRANCHES = ("IfSteps", "ElseSteps")


def waits_for(step: Step) -> set[str]:
    """Names of the steps that a step refers to or depends on; the steps inside of a condition are not looked at."""
    inner = BRANCHES if step["Type"] == "Condition" else ()
    values = [value for key, value in step.get("Arguments", {}).items() if key not in inner]
    names = {name.partition("[")[0] for name in step.get("DependsOn", [])}
    return (names | _references(values)) - {step["Name"]}


def graph(steps: Iterable[Step], condition: str | None = None) -> Graph:
    """The steps of a definition with those of branches, each with the steps that it waits for."""
    found: dict[str, set[str]] = {}
    for step in steps:
        found[step["Name"]] = waits_for(step) | ({condition} if condition else set())
        if step["Type"] == "Condition":
            for branch in BRANCHES:
                found |= graph(step.get("Arguments", {}).get(branch, []), step["Name"])
    return found


def reused(steps: Graph, selected: Collection[str]) -> set[str]:
    """The steps whose results a selective execution takes from its source: those that selected steps wait for."""
    return _before(steps, selected) - set(selected)


def left_out(steps: Graph, selected: Collection[str]) -> set[str]:
    """Steps on a path between two selected steps that are not selected themselves."""
    return {name for name in reused(steps, selected) if _before(steps, [name]) & set(selected)}


def apart(steps: Graph, selected: Collection[str]) -> set[str]:
    """Selected steps that no chain of selected steps connects with the first one."""
    first, *_ = selected
    joined, new = set(), {first}
    while new:
        joined |= new
        neighbours = {name for name in selected if steps[name] & new} | set().union(*(steps[name] for name in new))
        new = neighbours & set(selected) - joined
    return set(selected) - joined


def _before(steps: Graph, names: Iterable[str]) -> set[str]:
    """All steps that these wait for, also through others."""
    found: set[str] = set()
    new = set().union(*(steps[name] for name in names))
    while new:
        found |= new
        new = set().union(*(steps[name] for name in new)) - found
    return found


def _references(value: Any) -> set[str]:
    """Names of the steps that a value refers to."""
    if isinstance(value, Mapping):
        if set(value) == {"Get"} and str(value["Get"]).startswith("Steps."):
            return {re.split(r"[.\[]", value["Get"])[1]}
        return set().union(*(_references(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_references(item) for item in value))
    return set()
