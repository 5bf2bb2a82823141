"""The data of two versions: the objects that they were trained on, and how the columns' values differ."""

import io
from collections.abc import Mapping
from typing import Any

from ..wording import counted
from .changes import Change, Section
from .kept import Kept, PieceError

SHOWN_OBJECTS = 10
DIGITS = 12
"""Digits of a SHA-256 that are shown."""


def objects(before: Kept, after: Kept) -> Section:
    """The raw objects by content: the same bytes in another bucket, or as another version of the object, are the same."""
    section = Section("data")
    manifests, reports = [], []
    for kept in (before, after):
        try:
            manifests.append(kept.json("manifest"))
            reports.append(kept.json("report"))
        except PieceError as error:
            section.problems.append(str(error))
    if section.problems:
        return section
    digests = [each.get("content_digest") for each in manifests]
    one, other = ({each["key"]: each for each in manifest.get("objects", [])} for manifest in manifests)
    if digests[0] is not None and digests[0] == digests[1]:
        section.notes.append(f"the same content: {counted(len(one), 'object')}, digest {digests[0][:DIGITS]}…")
        return section
    section.changes = _counts(reports, one, other)
    listed = [_object(key, one.get(key), other.get(key)) for key in sorted({*one, *other})]
    found = [each for each in listed if each]
    section.changes += found[:SHOWN_OBJECTS]
    if hidden := len(found) - SHOWN_OBJECTS:
        section.notes += [f"and {hidden} more objects that differ; --json has all"] if hidden > 0 else []
    section.facts["objects"] = [each.to_json() for each in found]
    return section


def distribution(before: Kept, after: Kept, limits: Mapping[str, Any] | None) -> Section:
    """Columns whose values differ, by the measures of drift detection: `after`'s sample counted in `before`'s bins.

    `limits`: `monitoring.drift` of the newer version's configuration. Default: effects above 0.1 at a false-alarm rate of 0.001.
    """
    import pyarrow.parquet as pq

    from model_factory.jobs.drift import decision
    from model_factory.jobs.drift.profile import Profile

    section = Section("distribution of the columns")
    try:
        reference = Profile.from_dict(before.json("baseline/profile.json"))
        sample = pq.read_table(io.BytesIO(after.read("baseline/sample.parquet")))
        importance = after.json("evaluation/importance.json")
    except PieceError as error:
        section.problems.append(str(error))
        return section
    shared = [name for name in reference.columns if name in sample.column_names]
    current = reference.empty_like(shared)
    current.update(sample.select(shared))
    chosen = decision.DriftLimits.from_settings(
        limits or {"effect": 0.1, "false_alarm_rate": 0.001, "minimum_rows": 100}
    )
    report = decision.decide(reference, current, chosen, importance)
    if not report.decided:
        section.notes.append(report.reason)
        return section
    section.facts["columns"] = [vars(each) for each in report.columns]
    section.changes = [
        Change(
            each.name, _share(each.moved, 1), _share(each.moved, 2), f"effect {each.effect:.2f}, {each.share:.1%} moved"
        )
        for each in report.drifted
    ]
    section.notes.append(
        f"{len(section.changes)} of {len(report.columns)} columns differ by more than chance and by an effect of "
        f"{chosen.effect:g} or more, in {current.rows:,} sampled rows"
    )
    return section


def _counts(reports: list[dict[str, Any]], one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Change]:
    """Objects, rows, rows by part, and shares of the labels."""
    counted: list[dict[str, Any]] = []
    for report, found in zip(reports, (one, other), strict=True):
        labels: dict[str, int] = report.get("labels") or {}
        total = sum(labels.values())
        counted.append(
            {"objects": len(found), "rows": report.get("rows")}
            | {f"rows to {_PARTS.get(part, part)}": rows for part, rows in (report.get("parts") or {}).items()}
            | {f"label {label}": f"{count / total:.1%}" for label, count in labels.items()}
        )
    return [
        Change(what, counted[0].get(what), counted[1].get(what))
        for what in dict.fromkeys([*counted[0], *counted[1]])
        if counted[0].get(what) != counted[1].get(what)
    ]


_PARTS = {"train": "train", "validation": "validate", "test": "test"}


def _object(key: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Change | None:
    """An object that only one side has, or with other content. Manifests of old versions have no SHA-256."""
    contents = [each and (each.get("sha256") or each.get("etag")) for each in (before, after)]
    if contents[0] == contents[1]:
        return None
    return Change(key, _described(before), _described(after), "other content" if before and after else "")


def _described(entry: dict[str, Any] | None) -> str | None:
    return None if entry is None else f"{entry.get('rows', '?')} rows"


def _share(moved: list[tuple[str, float, float]], position: int) -> str:
    """The bin that moved most, with its share of the rows."""
    return f"{moved[0][0]}: {moved[0][position]:.1%}"
