"""What an answer is: it is there only when its record, and the file that it is in, are what was recorded.

Else it is a gap, with what closes it. The answers themselves are in file_answers.py and record_answers.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..records.chain import Entry
from .version_records import Document, File, VersionRecords

type Status = Literal["answered", "altered", "gap", "not by the factory"]
type Function = Callable[[VersionRecords], "Answer"]

ANSWERS: dict[str, Function] = {}
"""The functions by name."""


@dataclass(frozen=True)
class Answer:
    """What the records say about a clause.

    Args:
        status: `answered`, `altered` (a record or file is not what was recorded), `gap`, or `not by the factory`.
        text: The answer, what is wrong, or how to close the gap.
        entry: The record.
        file: The file of its evidence. Default: the record itself is the answer.
    """

    status: Status
    text: str
    entry: Entry | None = None
    file: File | None = None


def answers(function: Function) -> Function:
    """Decorator of a function that frameworks can name."""
    ANSWERS[function.__name__] = function  # ty: ignore[missing-attribute]
    return function


def record_answer(records: VersionRecords, entry: Entry | None, text: Callable[[Document], str], gap: str) -> Answer:
    """The answer that is a record. `text` gets its facts. `gap`: how to close it when there is no record."""
    if entry is None:
        missing = f" Its record may be one that is gone: {'; '.join(records.gaps)}." if records.gaps else ""
        return Answer("gap", gap + missing)
    if problem := records.problem(entry):
        return Answer("altered", problem, entry)
    return Answer("answered", text(entry.record.get("facts") or {}), entry)


def file_answer(records: VersionRecords, name: str, text: Callable[[File], str | None], gap: str) -> Answer:
    """The answer in a file of the registration's evidence. `text` gets the file; None from it is a gap."""
    entry = records.registration
    registered = record_answer(records, entry, lambda _: "", "There is no record of the version's registration.")
    if registered.status != "answered":
        return registered
    file = records.file(name)
    if file is None:
        why = (records.registered.get("missing") or {}).get(name)
        return Answer("gap", f"{gap} It was not kept: {why}." if why else gap)
    if file.problem:
        return Answer("altered", f"{name}: {file.problem}", entry, file)
    if file.forgotten:
        return Answer("gap", f"{name} was deleted on purpose: record {file.forgotten.sequence}.", file.forgotten)
    said = text(file)
    return Answer("answered", said, entry, file) if said else Answer("gap", gap)
