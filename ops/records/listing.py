"""An audit's report as lines of text and as JSON."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from ..wording import counted
from .audit import Report
from .chain import Entry
from .heads import Finding
from .request import Request
from .schema import time_of
from .verification import ChainAudit, folder

_LONGEST_FACTS = 72


def record_lines(report: Report, request: Request, width: int) -> Iterator[str]:
    """One line for each listed record, oldest first: time, chain, number, kind, version, facts, and who."""
    entries = _listed(report, request)
    names = max((len(folder(each.model)) for each in entries), default=0)
    for each in entries:
        record, time = each.record, time_of(each.record)
        at = f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if time else f"{'no time':<19}"
        version = f"v{record['version']}" if record.get("version") else ""
        start = f"{at}  {folder(each.model):<{names}} {each.sequence:>5}  {record.get('kind')!s:<13} {version:<5}"
        line = f"{start} {_facts(record)}".rstrip()
        yield line if len(line) <= width else f"{line[: width - 1]}…"


def finding_lines(report: Report) -> list[str]:
    """One line for each thing that is wrong: the object, and what."""
    return [f"{each.key}: {each.what}" for each in _findings(report)]


def summary_lines(report: Report, request: Request) -> Iterator[str]:
    """One line for each chain, and the verdict."""
    since = f" since {request.since:%Y-%m-%d %H:%M} UTC" if request.since else ""
    for chain in report.chains:
        count = counted(sum(1 for each in chain.entries if each.record), "record")
        wrong = f"{len(chain.findings)} wrong" if chain.findings else "intact"
        if not request.verify:
            yield f"{folder(chain.model)}: {count}{since}, {wrong}; files, markers and heads not verified"
            continue
        files = counted(chain.files, "file")
        yield f"{folder(chain.model)}: {count}{since}, {files}, {wrong}; {_signed(chain)}"
    if request.verify:
        days = sorted({each.date for each in report.heads})
        yield f"signed heads: {counted(len(days), 'day')}, newest {days[-1]}" if days else "signed heads: none"
    found = len(finding_lines(report))
    yield f"{counted(found, 'thing')} wrong" if found else "nothing is wrong"


def to_json(report: Report, request: Request, environment: str) -> dict[str, Any]:
    """The report as JSON: `records` in full, with key and digest, and `findings`."""
    return {
        "environment": environment,
        "intact": report.intact,
        "verified": request.verify,
        "since": request.since.isoformat() if request.since else None,
        "findings": [{"model": each.model, "key": each.key, "what": each.what} for each in _findings(report)],
        "chains": [
            {
                "model": chain.model,
                "records": sum(1 for each in chain.entries if each.record),
                "files": chain.files,
                "signed": chain.signed,
                "signed_on": chain.signed_on or None,
                "intact": not chain.findings,
            }
            for chain in report.chains
        ],
        "heads": sorted({each.date for each in report.heads}),
        "records": [
            {"key": each.key, "digest": each.digest, "problem": each.problem, "record": each.record}
            for each in _listed(report, request)
        ],
    }


def _findings(report: Report) -> list[Finding]:
    return [*report.findings, *(each for chain in report.chains for each in chain.findings)]


def _listed(report: Report, request: Request) -> list[Entry]:
    """Listed records, oldest first."""
    found = [each for chain in report.chains for each in chain.entries if request.lists(each)]
    return sorted(found, key=lambda each: (str(each.record.get("recorded")), each.model, each.sequence))


def _facts(record: dict[str, Any]) -> str:
    """The short facts of a record: `outcome=succeeded reason=…`, and who."""
    facts: Any = record.get("facts")
    short = (
        {key: value for key, value in facts.items() if not isinstance(value, dict | list)}
        if isinstance(facts, dict)
        else {}
    )
    text = " ".join(f"{key}={value}" for key, value in short.items() if value is not None)
    by: Any = record.get("by")
    who = by.get("claimed") or by.get("identity") if isinstance(by, dict) else None
    text = text if len(text) <= _LONGEST_FACTS else f"{text[: _LONGEST_FACTS - 1]}…"
    return f"{text}  by {who}" if who else text


def _signed(chain: ChainAudit) -> str:
    """How far a chain is signed, in words."""
    newest = max((each.sequence for each in chain.entries), default=0)
    if not chain.signed:
        return "not signed yet"
    if chain.signed >= newest:
        return f"all signed on {chain.signed_on}"
    return f"signed up to record {chain.signed} on {chain.signed_on}"
