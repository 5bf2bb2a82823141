"""A versioned bucket in memory with chains of records, for tests of ops/records. S3's clock is the bucket's `now`."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from model_factory.functions.shared.chain import SCHEMA, digest, encode, event_key, evidence_key, index_key, record_key
from model_factory.ops.records.objects import Version

START = datetime(2026, 11, 1, 3, tzinfo=UTC)
FACTORY, ENVIRONMENT = "acme", "prod"


class MemoryObjects:
    """`Objects`, and what an administrator can do: put over, mark deleted, delete versions."""

    def __init__(self) -> None:
        self.now = START
        self.objects: dict[str, list[tuple[Version, bytes]]] = {}
        self._count = 0

    def put(self, key: str, content: bytes) -> None:
        self._add(Version(key, self._id(), self.now, len(content)), content)

    def mark_deleted(self, key: str) -> None:
        self._add(Version(key, self._id(), self.now, deleted=True), b"")

    def erase(self, key: str) -> None:
        """Delete all versions, as with s3:BypassGovernanceRetention."""
        del self.objects[key]

    def versions(self, prefix: str) -> Iterator[list[Version]]:
        for key in sorted(key for key in self.objects if key.startswith(prefix)):
            yield [version for version, _ in reversed(self.objects[key])]

    def folders(self) -> list[str]:
        return sorted({key.partition("/")[0] for key in self.objects})

    def read(self, key: str, version_id: str | None = None) -> bytes | None:
        found = [each for each in self.objects.get(key, []) if version_id in (None, each[0].version_id)]
        return found[-1][1] if found and not found[-1][0].deleted else None

    def sha256(self, key: str, version_id: str | None = None) -> str | None:
        content = self.read(key, version_id)
        return None if content is None else digest(content)

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        return map(function, items)

    def _add(self, version: Version, content: bytes) -> None:
        self.objects.setdefault(version.key, []).append((version, content))

    def _id(self) -> str:
        self._count += 1
        return f"v{self._count}"


def record(model: str, sequence: int, previous: str | None, time: datetime, **more: Any) -> dict[str, Any]:
    """A complete record."""
    return {
        "schema": SCHEMA,
        "sequence": sequence,
        "previous": previous,
        "id": f"{model}-{sequence}",
        "kind": "deployment",
        "time": time.isoformat(),
        "recorded": time.isoformat(),
        "factory": FACTORY,
        "environment": ENVIRONMENT,
        "model": model,
        "version": 1,
        "subject": None,
        "by": {"identity": "arn:aws:iam::123456789012:role/deploy", "source": "sqs-sender", "claimed": None},
        "facts": {"outcome": "succeeded"},
        "evidence": {},
    } | more


def event_of(record: dict[str, Any]) -> str:
    """Key of the claim of a record's event."""
    return event_key(record["model"], record["kind"], record["id"])


def write(
    objects: Any, model: str, *changes: dict[str, Any], step: timedelta = timedelta(hours=1)
) -> list[dict[str, Any]]:
    """Append a record for each of `changes` to the chain of a model, as the recorder does; the records."""
    written: list[dict[str, Any]] = []
    chain = sorted(key for key in objects.objects if key.startswith(f"{model or '_environment'}/chain/"))
    previous, sequence = (digest(objects.read(chain[0])), len(chain)) if chain else (None, 0)
    for change in changes:
        objects.now += step
        sequence += 1
        files: dict[str, bytes] = dict(change.get("evidence", {}))
        evidence = {
            name: {"sha256": digest(content), "size": len(content), "source": f"s3://b/{name}", "version_id": None}
            for name, content in files.items()
        }
        found = record(model, sequence, previous, objects.now, **{**change, "evidence": evidence})
        for content in files.values():
            if evidence_key(model, digest(content)) not in objects.objects:
                objects.put(evidence_key(model, digest(content)), content)
        previous = digest(encode(found))
        objects.put(event_of(found), b"{}")
        objects.put(record_key(model, sequence), encode(found))
        objects.put(index_key(found), b"")
        written.append(found)
    return written
