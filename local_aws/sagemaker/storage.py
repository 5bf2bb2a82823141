"""Downloads and uploads of jobs and endpoints, with the role they run under."""

import json
from pathlib import Path
from typing import Any

from ..s3 import encryption_arguments, split_uri

type Share = tuple[int, int]
"""Of which part of the objects: its index, and the number of parts. AWS says of ShardedByS3Key that each is about equal."""
ALL: Share = (0, 1)


def _part(names: list[str], share: Share) -> list[str]:
    index, count = share
    return names[index::count]


class Storage:
    """Copies between S3 and this machine with one S3 client."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def fetch(self, source: dict[str, Any], target: Path, share: Share = ALL) -> None:
        """Copy the objects of a job's S3 data source. Raises as `download`, and ValueError for an unsupported S3DataType."""
        kind, uri = source.get("S3DataType", "S3Prefix"), source["S3Uri"]
        if kind == "S3Prefix":
            self.download(uri, target, share)
        elif kind == "ManifestFile":
            bucket, key = split_uri(uri)
            first, *names = json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            bucket, prefix = split_uri(first["prefix"])
            for name in _part(names, share):
                path = target / name
                path.parent.mkdir(parents=True, exist_ok=True)
                self._s3.download_file(bucket, prefix + name, str(path))
        else:
            raise ValueError(f"the embedded AWS does not support inputs of S3DataType {kind}")

    def download(self, uri: str, target: Path, share: Share = ALL) -> None:
        """Copy an object, or all below a prefix, into the folder `target`. Raises ClientError, FileNotFoundError."""
        bucket, prefix = split_uri(uri)
        target.mkdir(parents=True, exist_ok=True)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        entries = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        if not entries:
            raise FileNotFoundError(f"no S3 objects found under {uri}")
        for key in _part([key for key in entries if not key.endswith("/")], share):
            # The prefix is a folder, or the key of one object, whose file name is then used.
            inside = key[len(prefix) :].lstrip("/") if key != prefix else key.rsplit("/", 1)[-1]
            if not inside:
                continue
            path = target / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            self._s3.download_file(bucket, key, str(path))

    def download_object(self, uri: str, target: Path) -> None:
        """Copy one object into the folder `target`, without listing anything. Raises ClientError."""
        bucket, key = split_uri(uri)
        target.mkdir(parents=True, exist_ok=True)
        self._s3.download_file(bucket, key, str(target / key.rsplit("/", 1)[-1]))

    def upload(self, folder: Path, uri: str, kms_key: str | None) -> None:
        """Copy all files of a folder below a prefix."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.upload_file(path, f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}", kms_key)

    def upload_file(self, path: Path, uri: str, kms_key: str | None) -> None:
        """Copy one file."""
        bucket, key = split_uri(uri)
        self._s3.upload_file(str(path), bucket, key, ExtraArgs=encryption_arguments(kms_key))

    def delete_object(self, uri: str) -> None:
        """Delete one object. Raises ClientError."""
        bucket, key = split_uri(uri)
        self._s3.delete_object(Bucket=bucket, Key=key)
