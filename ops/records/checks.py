"""What is wrong with one object of a chain, in words. Decides only; reads nothing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from model_factory.functions.shared.chain import ENVIRONMENT, encode

from .objects import Version
from .schema import mistakes, time_of

LATE = timedelta(minutes=15)
"""Longest time between `recorded` and the time at which S3 wrote a record: Lambda ends every invocation by then."""
SKEW = timedelta(minutes=5)
"""Difference between the clocks of a function, of the service that an event is from, and of S3."""


def version_problems(group: Sequence[Version]) -> list[str]:
    """Of an object that is written once: more than one version, and delete markers."""
    problems: list[str] = []
    written = [each for each in group if not each.deleted]
    if not written:
        problems.append("it was deleted: only a delete marker is left")
    elif len(written) > 1:
        later = ", ".join(f"{each.version_id} of {when(each.modified)}" for each in written[:-1])
        problems.append(f"it was put over: {len(written)} versions, where one is written; later ones: {later}")
    markers = [each for each in group if each.deleted] if written else []
    return problems + [f"it was marked deleted at {when(each.modified)}" for each in markers]


def content_problems(content: bytes, record: Mapping[str, Any], model: str, sequence: int) -> list[str]:
    """Schema, bytes, and whether the record belongs into this chain under this number."""
    found = mistakes(content)
    if not record:
        return found
    if content != encode(record):
        found.append("its bytes are not those that the recorder writes for this content")
    if record.get("sequence") != sequence:
        found.append(f"it says that it is record {record.get('sequence')}, but its key says {sequence}")
    if record.get("model") != model:
        folder = model or ENVIRONMENT
        found.append(f"it is about the model {record.get('model')!r}, but is in the chain of {folder}")
    return found


def time_problems(record: Mapping[str, Any], modified: datetime) -> list[str]:
    """Times that contradict the time at which S3 wrote the record, which nobody can choose."""
    recorded, time = time_of(record, "recorded"), time_of(record)
    problems: list[str] = []
    if recorded and not -SKEW <= modified - recorded <= LATE:
        problems.append(f"it says that it was recorded at {when(recorded)}, but S3 wrote it at {when(modified)}")
    if recorded and time and time - recorded > SKEW:
        problems.append(f"its event is of {when(time)}, after it was recorded ({when(recorded)})")
    return problems


def place_problems(record: Mapping[str, Any], factory: str, environment: str) -> list[str]:
    """A record of another factory or environment."""
    found = (record.get("factory"), record.get("environment"))
    if not record or found == (factory, environment):
        return []
    return [f"it is a record of {found[0]}-{found[1]}, not of {factory}-{environment}"]


def when(time: datetime) -> str:
    """`2026-11-26 03:00:00 UTC`."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
