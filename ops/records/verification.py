"""Verification of one chain: its records, markers and files, and the signed heads that name it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from model_factory.functions.shared.chain import (
    ENVIRONMENT,
    event_key,
    events_prefix,
    evidence_key,
    index_key,
    read_index_key,
)

from .chain import Entry, Progress, read_chain
from .checks import LATE, place_problems, version_problems, when
from .heads import Finding, SignedHeads
from .lineage_markers import listed, marker_findings
from .objects import Objects, Version

FORGETS = ("forgetting", "deletion")
"""Kinds of records whose `facts.evidence` lists SHA-256 of files that were deleted on purpose."""


@dataclass(frozen=True)
class ChainAudit:
    """What a verification found about the chain of a model, or of the environment.

    Args:
        model: Name of the model; empty for the environment.
        entries: Records and gaps, newest first.
        findings: What is wrong.
        files: Number of files that were compared with their SHA-256.
        signed: Number of the newest record that a signed head covers; 0: none.
        signed_on: Day of that head; empty: none.
    """

    model: str
    entries: list[Entry]
    findings: list[Finding]
    files: int
    signed: int
    signed_on: str

    @classmethod
    def of(cls, model: str, entries: list[Entry]) -> Self:
        """What the records say of each other; files, markers and heads are not verified."""
        return cls(
            model, entries, [Finding(model, each.key, each.problem) for each in entries if each.problem], 0, 0, ""
        )


def verify_chain(
    objects: Objects,
    model: str,
    heads: Sequence[SignedHeads],
    *,
    lineage: Mapping[str, list[Version]] | None = None,
    place: tuple[str, str],
    now: datetime,
    since: datetime | None = None,
    progress: Progress | None = None,
) -> ChainAudit:
    """Verify a chain.

    Args:
        objects: The records bucket.
        model: Name of the model; empty for the environment.
        heads: Signed heads, from the bucket and from the anchor, whose signatures are valid.
        lineage: Markers of objects that trainings read, by key. Default: they are listed.
        place: Names of the factory and the environment.
        now: The time, for records whose marker may not be written yet.
        since: Records that S3 wrote before are not read. Default: the whole chain is verified.
        progress: Gets the number of records that have been read so far.

    Raises ClientError.
    """
    # Before the chain: a marker that is there then has its record. Of younger records it may be missing for a while.
    index = list(objects.versions(f"{folder(model)}/index/"))
    entries = [
        each.also(place_problems(each.record, *place))
        for each in read_chain(objects, model, since=since, progress=progress)
    ]
    findings = [Finding(model, each.key, each.problem) for each in entries if each.problem]
    findings += _differences_from_heads(model, entries, heads, complete=since is None)
    findings += _marker_findings(index, model, entries, now, complete=since is None)
    findings += _event_findings(objects, model, entries, now, since)
    findings += marker_findings(
        objects, model, entries, listed(objects) if lineage is None else lineage, now, complete=since is None
    )
    files, more = _evidence_findings(objects, model, entries)
    covering = max(
        ((each.chains[folder(model)].sequence, each.date) for each in heads if folder(model) in each.chains),
        default=(0, ""),
    )
    return ChainAudit(model, entries, findings + more, files, *covering)


def folder(model: str) -> str:
    """Folder of a model's chain."""
    return model or ENVIRONMENT


def _differences_from_heads(
    model: str, entries: Sequence[Entry], heads: Iterable[SignedHeads], *, complete: bool
) -> Iterator[Finding]:
    """Heads whose record is missing or another one. Not `complete`: older records than the oldest entry are not judged."""
    by_sequence = {each.sequence: each for each in entries if each.sequence}
    oldest = 1 if complete else min(by_sequence, default=1)
    seen: set[tuple[int, str]] = set()
    for each in heads:
        head = each.chains.get(folder(model))
        if head is None or head.sequence < oldest or (head.sequence, head.digest) in seen:
            continue
        seen.add((head.sequence, head.digest))
        entry = by_sequence.get(head.sequence)
        if entry is None or not entry.digest:
            what = f"record {head.sequence} is missing, but is signed in {each.where}"
        elif entry.digest != head.digest:
            what = f"it is not the record {head.sequence} that is signed in {each.where}: the chain was written anew"
        else:
            continue
        yield Finding(model, entry.key if entry else f"{folder(model)}/chain/", what)


def _marker_findings(
    index: Iterable[list[Version]], model: str, entries: Sequence[Entry], now: datetime, *, complete: bool
) -> Iterator[Finding]:
    """Markers that are missing, that no record has, or that were changed."""
    expected = {key: each for each in entries if (key := _marker(each.record))}
    oldest = 1 if complete else min((each.sequence for each in entries if each.sequence), default=1)
    found: set[str] = set()
    for group in index:
        key = group[0].key
        found.add(key)
        try:
            sequence = read_index_key(key)[2]
        except ValueError:
            sequence = oldest
        if sequence >= oldest and key not in expected:
            yield Finding(model, key, "a marker without a record")
        elif key in expected and (problems := version_problems(group)):
            yield Finding(model, key, f"the marker of record {expected[key].sequence}: {'; '.join(problems)}")
    for key in expected.keys() - found:
        entry = expected[key]
        # The recorder writes the marker after the record; when it crashes between, SQS delivers the message again.
        if entry.modified is None or now - entry.modified > LATE:
            yield Finding(model, key, f"the marker of record {entry.sequence} is missing")


def _event_findings(
    objects: Objects, model: str, entries: Sequence[Entry], now: datetime, since: datetime | None
) -> Iterator[Finding]:
    """Events that two records have, or whose claim is missing, was changed, has no record, or is younger than its record.

    `since`: claims that S3 wrote before are not judged, because older records were not read. Default: all are.
    """
    expected: dict[str, Entry] = {}
    for each in reversed(entries):
        if (key := _event(each.record, model)) is None:
            continue
        first = expected.setdefault(key, each)
        if first is not each:
            yield Finding(model, each.key, f"record {each.sequence} is of the same event as record {first.sequence}")
    found: set[str] = set()
    for group in objects.versions(events_prefix(model)):
        key, written = group[0].key, group[-1].modified
        found.add(key)
        entry = expected.get(key)
        if entry is None:
            # The recorder claims an event before its record; when it crashes between, SQS delivers the message again.
            if now - written > LATE and (since is None or written >= since):
                yield Finding(model, key, f"an event without a record: claimed at {when(written)}")
            continue
        problems = version_problems(group)
        if entry.modified and written > entry.modified:
            problems.append(f"S3 wrote it at {when(written)}, after the record: it was put again")
        if problems:
            yield Finding(model, key, f"the claim of the event of record {entry.sequence}: {'; '.join(problems)}")
    for key in sorted(expected.keys() - found):
        yield Finding(model, key, f"the claim of the event of record {expected[key].sequence} is missing")


def _event(record: Mapping[str, Any], model: str) -> str | None:
    kind, identifier = record.get("kind"), record.get("id")
    return event_key(model, kind, identifier) if isinstance(kind, str) and isinstance(identifier, str) else None


def _marker(record: Mapping[str, Any]) -> str | None:
    try:
        return index_key(record)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _evidence_findings(objects: Objects, model: str, entries: Sequence[Entry]) -> tuple[int, list[Finding]]:
    """Number of files, and those that are gone, changed, or of another size than their record says."""
    named = [(entry, name, file) for entry in entries for name, file in _files(entry.record)]
    if not named:
        return 0, []
    forgotten = {each for entry in entries for each in _forgotten(entry.record)}
    stored = {group[0].key: group for group in objects.versions(evidence_key(folder(model), ""))}

    def check(sha256: str) -> list[str]:
        group = stored.get(evidence_key(folder(model), sha256))
        return _file_problems(objects, group, sha256, forgotten=sha256 in forgotten)

    digests = sorted({str(file.get("sha256")) for _, _, file in named})
    problems = dict(zip(digests, objects.map(check, digests), strict=True))
    findings: list[Finding] = []
    for entry, name, file in named:
        sha256 = str(file.get("sha256"))
        key = evidence_key(folder(model), sha256)
        found = list(problems[sha256])
        size = next((each.size for each in reversed(stored.get(key, [])) if not each.deleted), None)
        if size is not None and size != file.get("size"):
            found.append(f"it has {size} bytes, not {file.get('size')}")
        findings += [Finding(model, key, f"file {name!r} of record {entry.sequence}: {each}") for each in found]
    return len(digests), findings


def _file_problems(objects: Objects, group: Sequence[Version] | None, sha256: str, *, forgotten: bool) -> list[str]:
    if forgotten:
        kept = group and any(not each.deleted for each in group)
        return ["it is still there, although a record says that it was deleted"] if kept else []
    if group is None:
        return ["it is gone"]
    problems = version_problems(group)
    written = [each for each in group if not each.deleted]
    if written:
        found = objects.sha256(written[-1].key, written[-1].version_id)
        if found != sha256:
            problems.append("it is gone" if found is None else f"it was altered: its SHA-256 is {found[:12]}…")
    return problems


def _files(record: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    evidence: Any = record.get("evidence")
    for name, file in evidence.items() if isinstance(evidence, dict) else ():
        if isinstance(file, dict):
            yield name, file


def _forgotten(record: Mapping[str, Any]) -> Iterator[str]:
    facts: Any = record.get("facts")
    if record.get("kind") in FORGETS and isinstance(facts, dict) and isinstance(facts.get("evidence"), list):
        yield from (each for each in facts["evidence"] if isinstance(each, str))
