"""S3 for jobs: lists objects with their versions, and reads exactly the version that was listed."""

import io
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from .failures import JobFailure

_RETRIES = Config(retries={"mode": "standard", "max_attempts": 8})
READ_BYTES = 1 << 20


@dataclass(frozen=True)
class S3Object:
    """One version of one object. `sha256`: what its bytes must have, where a manifest says it."""

    bucket: str
    key: str
    version_id: str
    etag: str
    size: int
    sha256: str | None = None

    @property
    def partition(self) -> str:
        """The `dt=` folder of the key, or an empty string."""
        return next((part for part in self.key.split("/") if part.startswith("dt=")), "")

    @property
    def short(self) -> str:
        """The part of the key below raw/, for messages."""
        return self.key.partition("/raw/")[2] or self.key

    def to_dict(self) -> dict[str, Any]:
        """As manifest.json has it."""
        return asdict(self)


def is_data(key: str) -> bool:
    """False for names that begin with `_` or `.`, which Spark and Hive ignore, too (_SUCCESS)."""
    return not key.rpartition("/")[2].startswith(("_", "."))


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def client(service: str = "s3") -> Any:
    """The job's boto3 client of a service in its region, with retries for throttling; making one takes longer than a request.

    The job's definition sets AWS_DEFAULT_REGION; SageMaker itself sets AWS_REGION at most, which boto3 does not read.
    """
    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
    return _client(service, region, os.environ.get("AWS_ENDPOINT_URL"))


@cache
def _client(service: str, region: str | None, endpoint_url: str | None) -> Any:
    make: Any = boto3.client
    return make(service, region_name=region, endpoint_url=endpoint_url, config=_RETRIES)


def newest_versions(uri: str) -> list[S3Object]:
    """The newest version of every object below a prefix, by key, without deleted objects."""
    bucket, prefix = split(uri)
    pages = client().get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    return [
        S3Object(bucket, entry["Key"], entry["VersionId"], entry["ETag"].strip('"'), entry["Size"])
        for page in pages
        for entry in page.get("Versions", [])
        if entry["IsLatest"] and not entry["Key"].endswith("/")
    ]


def open_version(source: S3Object) -> Any:
    """The bytes of exactly this version, as a stream. Raises JobFailure when it cannot be read."""
    s3 = client()
    version = {} if source.version_id == "null" else {"VersionId": source.version_id}
    try:
        return s3.get_object(Bucket=source.bucket, Key=source.key, **version)["Body"]
    except s3.exceptions.ClientError as error:
        raise JobFailure(
            f"s3://{source.bucket}/{source.key} (version {source.version_id}) cannot be read: {error}"
        ) from error


def lines(body: Any) -> Iterator[bytes]:
    """The lines of a response body, each with its line break, in time proportional to their bytes.

    botocore's `iter_lines` copies the line so far for every kilobyte of it: a request of 6 MB takes it ten seconds.
    """
    return io.BufferedReader(_Raw(body), READ_BYTES)


class _Raw(io.RawIOBase):
    """A response body as the raw stream that a buffer reads: botocore 1.38, of AWS's XGBoost image, has no `readinto`."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        """A buffer reads from it."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; the number of bytes, 0 at the end."""
        content = self._body.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


def read_json(uri: str) -> Any:
    """The content of a JSON file. Raises botocore's ClientError, and ValueError when it is not JSON."""
    bucket, key = split(uri)
    return json.loads(client().get_object(Bucket=bucket, Key=key)["Body"].read())


def write_json(uri: str, content: Any) -> None:
    """Write a JSON file. Raises botocore's ClientError."""
    bucket, key = split(uri)
    client().put_object(Bucket=bucket, Key=key, Body=json.dumps(content).encode(), ContentType="application/json")


def below(uri: str, after: str = "") -> Iterator[dict[str, Any]]:
    """Entries of ListObjectsV2 below a prefix, by key; with `after`, only keys after that one."""
    bucket, prefix = split(uri)
    start = {"StartAfter": after} if after else {}
    for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **start):
        yield from page.get("Contents", [])
