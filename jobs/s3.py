"""S3 for jobs: lists with versions, reads exactly the version that was listed, writes small files."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import boto3
from botocore.config import Config

from .failures import JobFailure

_RETRIES = Config(retries={"mode": "standard", "max_attempts": 8})


@dataclass(frozen=True)
class S3Object:
    """One version of one object."""

    bucket: str
    key: str
    version_id: str
    etag: str
    size: int

    @property
    def partition(self) -> str:
        """The `dt=` folder it lies in, or an empty string."""
        return next((part for part in self.key.split("/") if part.startswith("dt=")), "")

    @property
    def short(self) -> str:
        """What people call it: the part of its key below raw/."""
        return self.key.partition("/raw/")[2] or self.key

    def to_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def is_data(key: str) -> bool:
    """Names that begin with `_` or `.` are no data, as Spark and Hive have it (_SUCCESS)."""
    return not key.rpartition("/")[2].startswith(("_", "."))


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def client(service: str = "s3") -> Any:
    """A boto3 client with retries for throttling."""
    return boto3.client(service, config=_RETRIES)


def newest_versions(uri: str) -> list[S3Object]:
    """The newest version of every object below a prefix, by key; deleted objects are left out."""
    bucket, prefix = split(uri)
    pages = client().get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    return [
        S3Object(bucket, entry["Key"], entry["VersionId"], entry["ETag"].strip('"'), entry["Size"])
        for page in pages
        for entry in page.get("Versions", [])
        if entry["IsLatest"] and not entry["Key"].endswith("/")
    ]


def open_version(found: S3Object) -> Any:
    """The bytes of exactly this version, as a stream. Raises JobFailure when it is gone."""
    s3 = client()
    version = {} if found.version_id == "null" else {"VersionId": found.version_id}
    try:
        return s3.get_object(Bucket=found.bucket, Key=found.key, **version)["Body"]
    except s3.exceptions.ClientError as error:
        raise JobFailure(
            f"s3://{found.bucket}/{found.key} (version {found.version_id}) cannot be read: {error}"
        ) from error


def read_json(uri: str) -> Any:
    """A JSON object in S3. Raises botocore's ClientError."""
    bucket, key = split(uri)
    return json.loads(client().get_object(Bucket=bucket, Key=key)["Body"].read())


def below(uri: str, after: str = "") -> Iterator[dict[str, Any]]:
    """Entries of ListObjectsV2 below a prefix, by key; only keys behind `after`."""
    bucket, prefix = split(uri)
    start = {"StartAfter": after} if after else {}
    for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **start):
        yield from page.get("Contents", [])
