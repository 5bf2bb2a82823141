"""The answer to a clause, by the function that the framework names."""

# They add their functions to ANSWERS.
from . import file_answers, record_answers  # noqa: F401
from .answer import ANSWERS, Answer
from .framework import Clause
from .version_records import VersionRecords


def answer(clause: Clause, records: VersionRecords) -> Answer:
    """The answer to a clause."""
    if clause.answer is None:
        return Answer("not by the factory", clause.instead)
    return ANSWERS[clause.answer](records)
