"""How good two versions were measured to be, and what the gate and people decided."""

from typing import Any

from ..records.decisions import newest_decision
from ..records.schema import time_of
from .changes import Change, Section
from .kept import Kept, PieceError


def evaluations(before: Kept, after: Kept) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """evaluation.json of both, empty when it cannot be used, and why."""
    found, problems = list[dict[str, Any]](), list[str]()
    for kept in (before, after):
        try:
            found.append(kept.json("evaluation"))
        except PieceError as error:
            found.append({})
            problems.append(str(error))
    return found[0], found[1], problems


def metrics(before: dict[str, Any], after: dict[str, Any], gate_metric: str | None) -> Section:
    """Every metric with its 95 % interval, each version on its own test rows; the gate's metric first."""
    section = Section("metrics on each version's own test rows")
    one, other = before.get("metrics") or {}, after.get("metrics") or {}
    section.facts["metrics"] = {"before": one, "after": other}
    if before and after and before.get("rows") != after.get("rows"):
        section.changes.append(Change("test rows", before.get("rows"), after.get("rows")))
    for name in sorted({*one, *other}, key=lambda each: (each != gate_metric, each)):
        if one.get(name) != other.get(name):
            section.changes.append(
                Change(name, _interval(one.get(name)), _interval(other.get(name)), _apart(one, other, name))
            )
    return section


def decisions(before: Kept, after: Kept, evaluated: tuple[dict[str, Any], dict[str, Any]]) -> tuple[Section, Section]:
    """What differs of gate and approval; and the reasons in words, which every version has of its own."""
    section, about = Section("gate and approval"), Section("reasons", counts=False)
    gates = [each.get("gate") or {} for each in evaluated]
    verdicts = [None if not each else "passed" if each.get("passed") else "not passed" for each in gates]
    rows = ["too few" if each.get("too_few_rows") else "enough" for each in gates]
    states, people = list[str](), list[str]()
    for kept in (before, after):
        bucket = kept.session.names.bucket("records")
        entry = newest_decision(kept.session, bucket, kept.model, kept.number, time_of(kept.record))
        if entry and entry.problem:
            section.problems.append(
                f"{entry.key}, the decision on {kept.label}, is not what was written: {entry.problem}"
            )
        states.append(_state(kept, entry.record if entry and not entry.problem else None))
        people.append(_person(entry.record) if entry and not entry.problem else "by the environment's approval policy")
    for what, values in (("gate", verdicts), ("test rows", rows), ("approval", states)):
        if values[0] != values[1]:
            section.changes.append(Change(what, values[0], values[1]))
    approvals = [f"{state} {person}" for state, person in zip(states, people, strict=True)]
    about.changes = [
        Change("gate", gates[0].get("reason"), gates[1].get("reason")),
        Change("approval", approvals[0], approvals[1]),
    ]
    return section, about


def _state(kept: Kept, record: dict[str, Any] | None) -> str:
    if record is None:
        return str(kept.facts.get("ModelApprovalStatus") or "unknown")
    # A version that was set back to PendingManualApproval has a record of the kind `rejection`.
    by_kind = "Approved" if record["kind"] == "approval" else "Rejected"
    return str((record.get("facts") or {}).get("decision") or by_kind)


def _person(record: dict[str, Any]) -> str:
    by, reason = record.get("by") or {}, (record.get("facts") or {}).get("reason")
    who = by.get("claimed") or by.get("identity") or "unknown"
    return f"by {who}{f': {reason}' if reason else ''}"


def _interval(measured: dict[str, float] | None) -> str | None:
    if measured is None:
        return None
    return f"{measured['value']:.4f} ({measured['low']:.4f} to {measured['high']:.4f})"


def _apart(one: dict[str, Any], other: dict[str, Any], name: str) -> str:
    """The difference, and whether it is within the intervals: each value in the interval of the other."""
    before, after = one.get(name), other.get(name)
    if before is None or after is None:
        return ""
    difference = f"{after['value'] - before['value']:+.4f}"
    if before["low"] <= after["value"] <= before["high"] and after["low"] <= before["value"] <= after["high"]:
        return f"{difference}, within the intervals"
    overlap = before["low"] <= after["high"] and after["low"] <= before["high"]
    return f"{difference}, {'intervals overlap' if overlap else 'intervals apart'}"
