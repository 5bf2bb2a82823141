"""What is kept of a version: the verified record of its registration, and its files in evidence, each by its SHA-256.

A piece that is missing, altered or unreadable is a problem with its name, and does not stop the comparison of the rest.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared import chain
from model_factory.functions.shared.s3 import split_uri

from ..project import EnvironmentSession, UsageError
from ..records.chain import newest, recorded_versions
from ..records.files import FileError, chunks


class PieceError(Exception):
    """A piece of a version cannot be used; the message names it and says why."""


@dataclass
class Kept:
    """A registered version of a model in an environment.

    Args:
        session: The environment.
        model: Name of the model.
        number: Number of the version.
        record: The record of its registration.
    """

    session: EnvironmentSession
    model: str
    number: int
    record: dict[str, Any]
    _read: dict[str, bytes | PieceError] = field(default_factory=dict[str, bytes | PieceError])

    @property
    def label(self) -> str:
        """`v7 in prod`."""
        return f"v{self.number} in {self.session.environment.name}"

    @property
    def facts(self) -> dict[str, Any]:
        """Facts of the registration."""
        return self.record.get("facts") or {}

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata that the version was registered with."""
        return self.facts.get("CustomerMetadataProperties") or {}

    @property
    def files(self) -> dict[str, dict[str, Any]]:
        """Entries of the record's files by name: copies in evidence, and files with rows where the jobs wrote them."""
        return (self.facts.get("rows") or {}) | (self.record.get("evidence") or {})

    def digest(self, name: str) -> str | None:
        """Recorded SHA-256 of a file; None when the record has no such file."""
        return self.files.get(name, {}).get("sha256")

    def names(self, prefix: str) -> list[str]:
        """Names of the files that begin with `prefix`, in order."""
        return sorted(name for name in self.files if name.startswith(prefix))

    def read(self, name: str) -> bytes:
        """Content of a file, read once. Raises PieceError when it is missing, altered or unreadable."""
        if name not in self._read:
            try:
                self._read[name] = b"".join(self._chunks(name))
            except PieceError as error:
                self._read[name] = error
        found = self._read[name]
        if isinstance(found, PieceError):
            raise found
        return found

    def json(self, name: str) -> dict[str, Any]:
        """Content of a JSON file. Raises PieceError."""
        try:
            parsed: Any = json.loads(self.read(name))
        except ValueError as error:
            raise PieceError(f"{self._what(name)} is no JSON: {error}") from None
        if not isinstance(parsed, dict):
            raise PieceError(f"{self._what(name)} is no JSON object")
        return parsed

    def download(self, name: str, target: Path) -> None:
        """Write a file of any size to `target`. Raises PieceError."""
        with target.open("wb") as file:
            file.writelines(self._chunks(name))

    def absent(self, name: str) -> PieceError:
        """The error of a file that the record does not have, with the recorded reason."""
        why = (self.facts.get("missing") or {}).get(name)
        return PieceError(f"{self._what(name)} was not kept{f': {why}' if why else ''}")

    def _chunks(self, name: str) -> Iterator[bytes]:
        entry = self.files.get(name)
        if entry is None:
            raise self.absent(name)
        try:
            yield from chunks(self.session.client("s3"), self.digest(name), **self._place(name, entry))
        except FileError as error:
            raise PieceError(f"{self._what(name)} {error}") from error

    def _place(self, name: str, entry: dict[str, Any]) -> dict[str, str]:
        """Arguments of GetObject."""
        if name in (self.record.get("evidence") or {}):
            key = chain.evidence_key(self.model, entry["sha256"])
            return {"Bucket": self.session.names.bucket("records"), "Key": key}
        bucket, key = split_uri(entry["source"])
        version = {"VersionId": entry["version_id"]} if entry.get("version_id") else {}
        return {"Bucket": bucket, "Key": key, **version}

    def _what(self, name: str) -> str:
        return f"{name!r} of {self.label}"


def find(session: EnvironmentSession, model: str, number: int) -> Kept:
    """The version, from the newest record of its registration. Raises UsageError with the nearest versions, or what is wrong."""
    bucket = session.names.bucket("records")
    try:
        entry = newest(session, bucket, model, "registration", number)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise session.not_deployed(f"bucket {bucket}") from None
    where = f"version {number} of {model} in {session.environment.name}"
    if entry is None:
        raise UsageError(f"there is no record of {where}{_nearest(session, model, number)}")
    if entry.problem:
        raise UsageError(f"the record of {where}, {entry.key}, is not what was written: {entry.problem}")
    return Kept(session, model, number, entry.record)


def _nearest(session: EnvironmentSession, model: str, number: int) -> str:
    numbers = recorded_versions(session, session.names.bucket("records"), model)
    near = sorted(sorted(numbers, key=lambda each: abs(each - number))[:3])
    return f"; the nearest are {', '.join(map(str, near))}" if near else f"; there is none of {model}"
