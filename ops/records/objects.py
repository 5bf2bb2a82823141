"""What a chain is read from: the versions of the objects of a bucket, and their contents."""

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from botocore.exceptions import ClientError

from model_factory.functions.shared.chain import digest
from model_factory.functions.shared.clients import ClientProvider
from model_factory.functions.shared.s3 import is_gone

PARALLEL = 16
"""Objects that are read at a time."""


@dataclass(frozen=True)
class Version:
    """One version of an object, or a delete marker, as ListObjectVersions has it.

    Args:
        key: Key of the object.
        version_id: Id of the version.
        modified: When S3 wrote it. Nobody can choose this time.
        size: Bytes; 0 for a delete marker.
        deleted: Whether it is a delete marker.
    """

    key: str
    version_id: str
    modified: datetime
    size: int = 0
    deleted: bool = False


class Objects(Protocol):
    """The objects of one bucket."""

    def versions(self, prefix: str) -> Iterator[list[Version]]:
        """All versions of each object below `prefix`, the newest version first; objects in the order of their keys."""
        ...

    def folders(self) -> list[str]:
        """The first parts of the keys, without the `/`, in order."""
        ...

    def read(self, key: str, version_id: str | None = None) -> bytes | None:
        """Content of a version, by default of the newest; None when it does not exist."""
        ...

    def sha256(self, key: str, version_id: str | None = None) -> str | None:
        """SHA-256 of a version, by default of the newest, in hexadecimal digits; None when it does not exist."""
        ...

    def map[Item, Result](self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The results of a function that reads objects, in the order of `items`; several may run at a time."""
        ...


class S3Objects:
    """A bucket of S3. `session` gives a client of S3, which threads may share.

    Needs s3:ListBucket, s3:ListBucketVersions, s3:GetObject and s3:GetObjectVersion.
    """

    def __init__(self, session: ClientProvider, bucket: str) -> None:
        self.bucket = bucket
        self._s3: Any = session.client("s3")
        self._threads = ThreadPoolExecutor(PARALLEL)

    def versions(self, prefix: str) -> Iterator[list[Version]]:
        """See `Objects.versions`. One call for 1,000 versions; pages are read as they are needed."""
        group: list[Version] = []
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix):
            # A page has versions and delete markers in two lists, each in the order of keys, then from new to old.
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            found.sort(key=lambda each: (each["Key"], -each["LastModified"].timestamp(), not each["IsLatest"]))
            for each in map(_version, found):
                if group and group[0].key != each.key:
                    yield group
                    group = []
                group.append(each)
        if group:
            yield group

    def folders(self) -> list[str]:
        """See `Objects.folders`. Folders of which only deleted objects are left count as well."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Delimiter="/")
        return [each["Prefix"].rstrip("/") for page in pages for each in page.get("CommonPrefixes", [])]

    def read(self, key: str, version_id: str | None = None) -> bytes | None:
        """See `Objects.read`."""
        which = {"VersionId": version_id} if version_id else {}
        try:
            return self._s3.get_object(Bucket=self.bucket, Key=key, **which)["Body"].read()
        except ClientError as error:
            return _none_if_missing(error)

    def sha256(self, key: str, version_id: str | None = None) -> str | None:
        """See `Objects.sha256`. From the checksum that S3 has computed; without one, the object is read."""
        which = {"VersionId": version_id} if version_id else {}
        try:
            head = self._s3.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED", **which)
        except ClientError as error:
            return _none_if_missing(error)
        checksum = head.get("ChecksumSHA256")
        # Of an object in parts, S3 may have a checksum of the checksums of its parts: `<checksum>-<parts>`.
        if checksum and "-" not in checksum and head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT":
            return b64decode(checksum).hex()
        content = self.read(key, version_id)
        return None if content is None else digest(content)

    def map[Item, Result](self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """See `Objects.map`. At most 16 run at a time."""
        return self._threads.map(function, items)


def _version(entry: dict[str, Any]) -> Version:
    deleted = "Size" not in entry  # an entry of DeleteMarkers
    return Version(entry["Key"], entry["VersionId"], entry["LastModified"], entry.get("Size", 0), deleted)


def _none_if_missing(error: ClientError) -> None:
    if not is_gone(error):
        raise error
