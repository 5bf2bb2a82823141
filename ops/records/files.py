"""Reads the files that a record names, each compared with its SHA-256: evidence, and files that lie where a job wrote them."""

import hashlib
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.s3 import is_gone

from ..refusals import CODES, explain

_CHUNK_BYTES = 1 << 20


class FileError(Exception):
    """A file cannot be used; the message says why, without its name."""


class MissingFileError(FileError):
    """A file is gone."""


class AlteredFileError(FileError):
    """A file has another SHA-256 than was recorded."""


class UnreadableFileError(FileError):
    """AWS refuses to read a file: a permission is missing."""


def chunks(s3: Any, sha256: str | None, **place: str) -> Iterator[bytes]:
    """The file in chunks of 1 MiB, compared with its SHA-256 at the end (None: nothing is known of it).

    `place`: members `Bucket`, `Key` and, if known, `VersionId` of GetObject. Raises FileError, and ClientError of another kind.
    """
    found = hashlib.sha256()
    try:
        for chunk in s3.get_object(**place)["Body"].iter_chunks(_CHUNK_BYTES):
            found.update(chunk)
            yield chunk
    except ClientError as error:
        if is_gone(error):
            raise MissingFileError(f"is gone: s3://{place['Bucket']}/{place['Key']}") from error
        if error.response["Error"]["Code"] in CODES:
            raise UnreadableFileError(f"cannot be read: {explain(error)}") from error
        raise
    if sha256 not in (None, found.hexdigest()):
        raise AlteredFileError(f"was altered: its SHA-256 is {found.hexdigest()}, and {sha256} was recorded")


def content(s3: Any, sha256: str | None, **place: str) -> bytes:
    """The whole file. Raises as `chunks` does."""
    return b"".join(chunks(s3, sha256, **place))
