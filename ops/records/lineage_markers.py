"""Verification of the markers that say which trainings read an object: they follow from the manifests in the evidence."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from model_factory.functions.shared.chain import LINEAGE, SCORED_BY, digest, evidence_key, lineage_key, read_lineage_key

from .chain import Entry
from .checks import LATE, version_problems
from .heads import Finding
from .objects import Objects, Version

MANIFESTS = ("manifest", "inputs")
"""Files of the evidence that name the objects of a training; the first one that a record has counts."""
LARGEST_MANIFEST = 32 << 20
"""Bytes up to which lambda/recorder writes markers of a manifest's objects."""


def listed(objects: Objects) -> dict[str, list[Version]]:
    """All versions of all markers, by key: one list for the bucket."""
    return {group[0].key: group for group in objects.versions(f"{LINEAGE}/")}


def marker_findings(
    objects: Objects,
    model: str,
    entries: Sequence[Entry],
    found: Mapping[str, list[Version]],
    now: datetime,
    *,
    complete: bool,
) -> Iterator[Finding]:
    """Markers of a model that are missing, that no manifest has, or that were changed.

    Args:
        objects: The records bucket.
        model: Name of the model.
        entries: Its records.
        found: What `listed` has.
        now: The time: the markers of a record are written before it.
        complete: Whether `entries` are all records; otherwise no marker is called superfluous.

    A manifest that is gone or altered has its own finding; the markers that it alone has are not judged then.
    """
    trained = [(entry, name) for entry in entries if (name := _manifest(entry.record))]
    contents = objects.map(lambda each: _objects(objects, model, *each), trained)
    expected: dict[str, Entry] = {}
    unreadable = False
    for (entry, _), read in zip(trained, contents, strict=True):
        unreadable = unreadable or read is None
        expected |= dict.fromkeys(_keys(entry.record, model, read or ()), entry)
    for key, entry in expected.items():
        what = f"the marker of an object that record {entry.sequence} was trained on"
        if key not in found:
            yield Finding(model, key, f"{what} is missing")
        elif problems := version_problems(found[key]):
            yield Finding(model, key, f"{what}: {'; '.join(problems)}")
    if not complete or unreadable:
        return
    for key, group in found.items():
        if key not in expected and _model(key) == model and now - group[-1].modified > LATE:
            yield Finding(model, key, "a marker of an object that no recorded training of the model read")


def unknown(found: Mapping[str, list[Version]], models: Iterable[str]) -> Iterator[Finding]:
    """Markers of no model that has a chain, and objects whose keys are no marker's."""
    known = set(models)
    for key in found:
        if _model(key) not in known:
            yield Finding("", key, "no marker of a model that has records")


def _model(key: str) -> str | None:
    try:
        return read_lineage_key(key)[1]
    except ValueError:
        return None


def _manifest(record: Mapping[str, Any]) -> str | None:
    """Name of the file with the objects of a training, or of a version that a training of a pipeline made."""
    evidence: Any = record.get("evidence")
    if not isinstance(evidence, dict) or not _execution(record):
        return None
    return next((name for name in MANIFESTS if name in evidence), None)


def _execution(record: Mapping[str, Any]) -> str:
    """Id of the execution that a record is about, as the recorder writes it into markers."""
    facts: Any = record.get("facts")
    metadata: Any = cast(dict[str, Any], facts).get("CustomerMetadataProperties") if isinstance(facts, dict) else None
    arn = {
        "training": record.get("subject"),
        "scoring": record.get("subject"),
        "registration": cast(dict[str, Any], metadata).get("pipeline_execution")
        if isinstance(metadata, dict)
        else None,
    }.get(str(record.get("kind")))
    found = str(arn or "").rpartition("/")[2]
    return f"{SCORED_BY}{found}" if found and record.get("kind") == "scoring" else found


def _objects(objects: Objects, model: str, entry: Entry, name: str) -> list[dict[str, Any]] | None:
    """The objects of a manifest; None when it is gone or altered."""
    sha256 = str(entry.record["evidence"][name].get("sha256"))
    content = objects.read(evidence_key(model, sha256))
    if content is None or digest(content) != sha256:
        return None
    try:
        parsed: Any = json.loads(content[:LARGEST_MANIFEST])
    except ValueError:
        return []  # a job of the user's image may have written it: the recorder wrote no markers
    found: Any = cast(dict[str, Any], parsed).get("objects") if isinstance(parsed, dict) else None
    entries = cast(list[Any], found) if isinstance(found, list) else []
    return [cast(dict[str, Any], each) for each in entries if isinstance(each, dict)]


def _keys(record: Mapping[str, Any], model: str, entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for each in entries:
        if {"bucket", "key", "version_id"} <= set(each):
            uri, version = f"s3://{each['bucket']}/{each['key']}", str(each["version_id"])
            yield lineage_key(uri, version, model, _execution(record), cast(int | None, record.get("version")))
