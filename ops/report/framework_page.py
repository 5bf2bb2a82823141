"""The page of a framework: its clauses for each version, and the record that answers each one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from htpy import Node, Renderable, a, code, h2, h3, li, p, section, span, ul

from ..frameworks.answers import Answer, answer
from ..frameworks.framework import Clause, Framework
from ..frameworks.version_records import VersionRecords
from ..records.chain import Entry
from .document import document
from .elements import note, sheet, when, worded

_WORDS = {
    "answered": "answered",
    "altered": "not answered: altered",
    "gap": "not answered",
    "not by the factory": "not answered by the factory",
}
_TITLES = ("answered", "altered", "gap", "not by the factory")
_KINDS = {"answered": "good", "altered": "bad", "gap": "warn", "not by the factory": "note"}


def framework_page(factory: str, framework: Framework, versions: Sequence[VersionRecords], now: datetime) -> str:
    """The page as HTML: no script, and nothing that is loaded from elsewhere. `now`: UTC."""
    answers = [[(clause, answer(clause, records)) for clause in framework.clauses] for records in versions]
    pairs = list(zip(versions, answers, strict=True))
    return document(
        f"{framework.title}: {factory}",
        f"records read and verified at {when(now)}; texts and dates of {framework.as_of}",
        [
            _about(framework),
            _glance(pairs),
            (_section(records, answered) for records, answered in pairs),
        ],
    )


def _about(framework: Framework) -> Renderable:
    return section(aria_labelledby="about")[
        h2("#about")["About this page"],
        p[
            "A clause is answered when a record says so that is in the chain of its model and, like the file that it names, is "
            "what was recorded. That is evidence, and no judgement that the clause is met."
        ],
        (p[text] for text in framework.notes),
        h3["Sources"],
        ul[(li[a(href=each.url)[each.title], f" ({each.date}). {each.read}"] for each in framework.sources)],
    ]


def _glance(pairs: Sequence[tuple[VersionRecords, list[tuple[Clause, Answer]]]]) -> Renderable:
    if not pairs:
        return section(aria_labelledby="glance")[h2("#glance")["At a glance"], note("No model is deployed.")]
    rows = [(_link(records), *_counts(answered)) for records, answered in pairs]
    return section(aria_labelledby="glance")[
        h2("#glance")["At a glance"],
        sheet("Clauses by version", ("version", *_TITLES), rows, numbers=(1, 2, 3, 4)),
    ]


def _link(records: VersionRecords) -> Node:
    return a(href=f"#{_key(records)}")[_title(records)]


def _counts(answered: Sequence[tuple[Clause, Answer]]) -> list[Node]:
    found: list[str] = [each.status for _, each in answered]
    return [
        span(class_="bad")[str(found.count(s))] if s == "altered" and s in found else str(found.count(s))
        for s in _WORDS
    ]


def _key(records: VersionRecords) -> str:
    return f"{records.environment}-{records.model}-v{records.version or 0}"


def _title(records: VersionRecords) -> str:
    return (
        f"{records.model} {f'v{records.version}' if records.version else 'without a version'} in {records.environment}"
    )


def _section(records: VersionRecords, answered: Sequence[tuple[Clause, Answer]]) -> Renderable:
    used = {each.entry.sequence: each.entry for _, each in answered if each.entry}
    return section(aria_labelledby=_key(records))[
        h2(id=_key(records))[_title(records)],
        [p(".bad")[f"Records: {each}"] for each in records.gaps],
        sheet(
            f"Clauses of {_title(records)}",
            ("clause", "it asks for", "state", "answer, or what closes the gap", "record"),
            [_row(records, clause, each) for clause, each in answered],
            stacked=True,
        ),
        list(_records(records, [used[number] for number in sorted(used)])),
    ]


def _row(records: VersionRecords, clause: Clause, found: Answer) -> tuple[Node, ...]:
    return (
        clause.id,
        clause.asks,
        span(class_=_KINDS[found.status])[_WORDS[found.status]],
        worded(found.text),
        _evidence(records, found),
    )


def _evidence(records: VersionRecords, found: Answer) -> Node:
    """Link to the record, with its digest and date, and the file that was read."""
    entry = found.entry
    if entry is None:
        return "-"
    file = f", file {found.file.name}" if found.file else ""
    return [
        a(href=f"#{_anchor(records, entry)}")[f"record {entry.sequence}"],
        f" of {when(_time(entry))}{file}, SHA-256 ",
        code[(found.file.sha256 if found.file else entry.digest)[:16]],
    ]


def _anchor(records: VersionRecords, entry: Entry) -> str:
    return f"{_key(records)}-{entry.sequence}"


def _time(entry: Entry) -> str | None:
    return entry.record.get("time")


def _records(records: VersionRecords, entries: Sequence[Entry]) -> Any:
    """The records that were used, in full enough to find each one in the bucket."""
    if not entries:
        return
    yield h3[f"Records of {_title(records)}"]
    rows = [
        (
            span(id=_anchor(records, each))[str(each.sequence)],
            str(each.record.get("kind")),
            when(_time(each)),
            str((each.record.get("by") or {}).get("identity") or "-"),
            code[each.key],
            code[each.digest],
            records.problem(each) or "verified",
        )
        for each in entries
    ]
    titles = ("record", "kind", "time", "by", "key", "SHA-256", "state")
    yield sheet(f"Records of {_title(records)}", titles, rows)
