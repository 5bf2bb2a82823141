"""Reading the chain of a model, newest record first, with what is wrong at each record."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import batched
from typing import Any

from model_factory.functions.shared.chain import (
    FIRST,
    chain_prefix,
    digest,
    index_key,
    index_prefix,
    read_index_key,
    record_key,
    sequence_of,
)
from model_factory.functions.shared.clients import ClientProvider

from .checks import content_problems, time_problems, version_problems, when
from .objects import Objects, S3Objects, Version
from .schema import parse, time_of

_BATCH = 256
"""Records that are read ahead."""
_COMPARED = 50
"""Records of a kind among which one is searched."""

type Progress = Callable[[int], None]
"""Gets the number of records that have been read so far."""


@dataclass(frozen=True)
class Entry:
    """A record of a chain, or a gap in it.

    Args:
        model: Name of the model; empty for the chain of the environment.
        sequence: Number of the record; of a gap the greatest missing one; 0 for an object whose key is no record's.
        key: Key of the object; of a gap the key that is missing.
        record: The record; empty when it is missing or cannot be read.
        digest: SHA-256 of its bytes; empty for a gap.
        problem: What is wrong, in words; None: nothing.
        version_id: Version of the object that was read; empty for a gap.
        modified: When S3 wrote that version; None for a gap.
    """

    model: str
    sequence: int
    key: str
    record: dict[str, Any]
    digest: str = ""
    problem: str | None = None
    version_id: str = ""
    modified: datetime | None = None

    def also(self, problems: Sequence[str]) -> "Entry":
        """This entry with further problems."""
        found = [*([self.problem] if self.problem else []), *problems]
        return replace(self, problem="; ".join(found) or None)


def records(
    session: ClientProvider,
    bucket: str,
    model: str,
    *,
    kinds: Collection[str] | None = None,
    since: datetime | None = None,
    progress: Progress | None = None,
) -> Iterator[Entry]:
    """Records of a model (empty: of the environment), newest first, each verified against its neighbours.

    Gaps, and entries with a problem, are never left out. Lists object versions, and reads a page of them at a time.

    Args:
        session: Gives a client of S3. Needs s3:ListBucketVersions, s3:GetObject and s3:GetObjectVersion.
        bucket: The records bucket.
        model: Name of the model.
        kinds: Kinds to yield. Default: all.
        since: Time of the oldest event to yield. Default: all.
        progress: Gets the number of records that have been read so far. Default: nothing.

    Raises ClientError.
    """
    for entry in read_chain(S3Objects(session, bucket), model, since=since, progress=progress):
        time = time_of(entry.record)
        recent = since is None or time is None or time >= since
        wanted = kinds is None or str(entry.record.get("kind")) in kinds
        if entry.problem or (recent and wanted):
            yield entry


def recorded_versions(session: ClientProvider, bucket: str, model: str) -> set[int]:
    """Numbers of the versions of a model whose registration is recorded: one list of markers. Raises ClientError."""
    pages = session.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=bucket, Prefix=index_prefix(model, "registration"))
    keys = [each["Key"] for page in listed for each in page.get("Contents", [])]
    return {read_index_key(key)[1] for key in keys if _is_marker(key)}


def newest(
    session: ClientProvider,
    bucket: str,
    model: str,
    kind: str,
    version: int | None = None,
    until: datetime | None = None,
) -> Entry | None:
    """The newest record of a kind, by the time of its event; None without one.

    `version`: of this version of the model; default: of any. `until`: of events at this time or before; default: of all times;
    with it, all markers of the kind are listed. The number of calls does not depend on the length of the chain: the
    markers of the kind are listed by day, then one day's (with `version`: all of the kind, 1,000 in one call), then the record,
    its object versions and its successor are read. Raises ClientError.
    """
    s3: Any = session.client("s3")
    prefix: str | None = index_prefix(model, kind)
    if version is None and until is None:
        prefix = _newest_day(s3, bucket, index_prefix(model, kind))
    markers = _markers(s3, bucket, prefix, version) if prefix else []
    found = [((time, sequence), key) for key in markers for time, _, sequence in [read_index_key(key)]]
    found = [each for each in found if until is None or each[0][0] <= until]
    if not found:
        return None
    return _marked(S3Objects(session, bucket), model, max(found)[1])


def find(
    session: ClientProvider,
    bucket: str,
    model: str,
    kind: str,
    within: tuple[datetime, datetime],
    matches: Callable[[dict[str, Any]], bool],
) -> Entry | None:
    """The newest record of a kind that matches, among the first 50 whose events are `within` two times; None without one.

    The number of calls does not depend on the length of the chain: one list of markers, at most 50 records, and what `newest`
    reads of the one that is found. Raises ClientError.
    """
    s3: Any = session.client("s3")
    prefix, (first, last) = index_prefix(model, kind), within
    listed = s3.list_objects_v2(
        Bucket=bucket, Prefix=prefix, StartAfter=f"{prefix}{first.astimezone(UTC):%Y%m%dT%H%M%SZ}", MaxKeys=_COMPARED
    )
    markers = [each["Key"] for each in listed.get("Contents", []) if _is_marker(each["Key"])]
    markers = [each for each in reversed(markers) if read_index_key(each)[0] <= last]
    objects = S3Objects(session, bucket)
    contents = objects.map(lambda marker: objects.read(record_key(model, read_index_key(marker)[2])), markers)
    for marker, content in zip(markers, contents, strict=True):
        if matches(parse(content or b"")):
            return _marked(objects, model, marker)
    return None


def of_kind(session: ClientProvider, bucket: str, model: str, kind: str, version: int | None = None) -> list[Entry]:
    """All records of a kind, for kinds that are rare: four calls for each. Raises ClientError.

    `version`: those about this version of the model. Default: about all.
    """
    markers = _markers(session.client("s3"), bucket, index_prefix(model, kind), version)
    objects = S3Objects(session, bucket)
    return list(objects.map(lambda marker: _marked(objects, model, marker), markers))


def _marked(objects: Objects, model: str, marker: str) -> Entry:
    """The record that a marker is of, verified against its successor."""
    sequence = read_index_key(marker)[2]
    key = record_key(model, sequence)
    group = next(objects.versions(key), None)
    if group is None:
        return Entry(model, sequence, key, {}, problem=f"record {sequence} is missing; its marker {marker} is there")
    successor = parse(objects.read(record_key(model, sequence + 1)) or b"").get("previous")
    entry = _entry(objects, model, group, successor)
    if not entry.problem and index_key(entry.record) != marker:
        return entry.also([f"its marker is {marker}"])
    return entry


def read_chain(
    objects: Objects, model: str, *, since: datetime | None = None, progress: Progress | None = None
) -> Iterator[Entry]:
    """The chain of a model, newest first; gaps are entries.

    `since`: reading stops at the first record that S3 wrote before it (an event is never later than its record), but not before
    the newest one. Default: the whole chain is read. Raises ClientError.
    """
    done = 0
    successor: Entry | None = None
    for batch in batched(objects.versions(chain_prefix(model)), _BATCH):
        for entry in objects.map(lambda group: _entry(objects, model, group), batch):
            if since and successor and entry.modified and entry.modified < since:
                return
            if not entry.sequence:
                yield entry
                continue
            if successor is not None and entry.sequence != successor.sequence - 1:
                yield _gap(model, entry.sequence + 1, successor.sequence - 1)
            yield _linked(entry, successor)
            successor = entry
        done += len(batch)
        if progress:
            progress(done)
    if successor is not None and successor.sequence != FIRST:
        yield _gap(model, FIRST, successor.sequence - 1)


def _entry(objects: Objects, model: str, group: list[Version], expected: str | None = None) -> Entry:
    """The record in the oldest version of an object: a record is written once, so every later version is a change of it.

    `expected`: the digest that its successor names. Default: not compared.
    """
    key = group[0].key
    written = [each for each in group if not each.deleted]
    problems = version_problems(group)
    try:
        sequence = sequence_of(key)
    except ValueError:
        return Entry(
            model, 0, key, {}, problem="; ".join(["the key is no record's", *problems]), modified=group[0].modified
        )
    if not written:
        return Entry(model, sequence, key, {}, problem="; ".join(problems), modified=group[0].modified)
    version = written[-1]
    content = objects.read(key, version.version_id)
    if content is None:
        problems.append("it was deleted while it was read")
        return Entry(model, sequence, key, {}, problem="; ".join(problems), modified=version.modified)
    record = parse(content)
    problems += content_problems(content, record, model, sequence)
    problems += time_problems(record, version.modified)
    entry = Entry(model, sequence, key, record, digest(content), None, version.version_id, version.modified)
    return entry.also(problems + (_altered(sequence, entry.digest, expected) if expected else []))


def _linked(entry: Entry, successor: Entry | None) -> Entry:
    """The entry with what its successor says of it."""
    if successor is None or successor.sequence != entry.sequence + 1:
        return entry
    problems: list[str] = []
    if entry.digest and successor.record:
        problems += _altered(entry.sequence, entry.digest, successor.record.get("previous"))
    if entry.modified and successor.modified and entry.modified > successor.modified:
        problems.append(
            f"S3 wrote it at {when(entry.modified)}, after record {successor.sequence} ({when(successor.modified)}): it was "
            "put again"
        )
    return entry.also(problems)


def _altered(sequence: int, found: str, expected: str | None) -> list[str]:
    if found == expected:
        return []
    named = f"{expected[:12]}…" if expected else "none"
    return [f"its SHA-256 is {found[:12]}…, but record {sequence + 1} names {named} as its previous one"]


def _gap(model: str, first: int, last: int) -> Entry:
    what = f"record {last} is missing" if first == last else f"records {first} to {last} are missing"
    return Entry(model, last, record_key(model, last), {}, problem=what)


def _newest_day(s3: Any, bucket: str, prefix: str) -> str | None:
    """Prefix of the markers of the newest day; None without a marker.

    Keys start with <date>T: with this delimiter S3 answers with the days, 1,000 in a page.
    """
    listed = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="T")
    return max((each["Prefix"] for page in listed for each in page.get("CommonPrefixes", [])), default=None)


def _markers(s3: Any, bucket: str, prefix: str, version: int | None = None) -> list[str]:
    """Keys of the markers below a prefix, of a version or of all."""
    listed = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [each["Key"] for page in listed for each in page.get("Contents", [])]
    return [key for key in keys if _is_marker(key) and version in (None, read_index_key(key)[1])]


def _is_marker(key: str) -> bool:
    try:
        read_index_key(key)
    except ValueError:
        return False
    return True
