"""Heads of chains: reading, signing, and copies in another account. Every step can be repeated: nothing is written twice."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from shared.chain import digest, sequence_of
from shared.heads import ALGORITHM, FOLDER, Head, document, heads_key, signature_key
from shared.s3 import is_gone, put_once

COPIED_DAYS = 7
"""Days whose documents are copied each time: a copy that failed is made up for."""
_TYPES = {".json": "application/json", ".sig": "application/octet-stream"}


class ConflictError(Exception):
    """S3 refused a document, and nobody else has written it: Lambda invokes the function again."""


@dataclass(frozen=True)
class Anchor:
    """The bucket of another account, a client of S3 in its region, and the prefix of the environment's copies."""

    s3: Any
    bucket: str
    prefix: str


@dataclass(frozen=True)
class Signer:
    """Signs heads of chains.

    Args:
        s3: Client of S3.
        kms: Client of KMS.
        bucket: The records bucket.
        key: ARN of the signing key.
        place: Names of the factory and the environment.
    """

    s3: Any
    kms: Any
    bucket: str
    key: str
    place: tuple[str, str]

    def sign(self, time: datetime) -> str:
        """Write and sign the heads of a day, unless it has them; the key of the document."""
        key = heads_key(f"{time.astimezone(UTC):%Y-%m-%d}")
        if (content := self._read(key)) is None:
            heads = dict(self._heads())
            factory, environment = self.place
            previous = self._previous(key)
            content = document(time, heads, factory=factory, environment=environment, key=self.key, previous=previous)
            if not self._put(self.s3, self.bucket, key, content):
                # Written by another invocation meanwhile. Or S3 had a conflict (409) and there is none: nothing is signed then.
                content = self._read(key)
                if content is None:
                    raise ConflictError(f"S3 wrote no {key}: a request for it was in progress; sign again")
        if self._read(signature_key(key)) is None:
            self._put(self.s3, self.bucket, signature_key(key), self._signature(content))
        return key

    def copy(self, anchor: Anchor) -> list[str]:
        """Copy the documents and signatures of the last days, except those that the anchor has; keys of new copies."""
        copied: list[str] = []
        for key in sorted(self._keys(f"{FOLDER}/"))[-2 * COPIED_DAYS :]:
            content = self._read(key)
            target = f"{anchor.prefix}{key.removeprefix(f'{FOLDER}/')}"
            if content is not None and self._put(anchor.s3, anchor.bucket, target, content):
                copied.append(target)
        return copied

    def _heads(self) -> Iterator[tuple[str, Head]]:
        """The newest record of each chain, by the chain's folder: it is the first of a list."""
        for folder in self._folders():
            listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=f"{folder}/chain/", MaxKeys=1)
            for entry in listed.get("Contents", []):
                content = self.s3.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"].read()
                yield folder, Head(sequence_of(entry["Key"]), digest(content))

    def _folders(self) -> Iterator[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Delimiter="/")
        for page in pages:
            for entry in page.get("CommonPrefixes", []):
                if (name := entry["Prefix"].rstrip("/")) != FOLDER:
                    yield name

    def _previous(self, key: str) -> tuple[str, str] | None:
        """Date and SHA-256 of the newest document before `key`."""
        before = [each for each in self._keys(f"{FOLDER}/") if each.endswith(".json") and each < key]
        if not before:
            return None
        newest = max(before)
        date = newest.removeprefix(f"{FOLDER}/").removesuffix(".json")
        return date, digest(self._read(newest) or b"")

    def _signature(self, content: bytes) -> bytes:
        """KMS signs messages of up to 4,096 bytes, or the digest of longer ones: the signature is the same."""
        answer = self.kms.sign(
            KeyId=self.key,
            Message=hashlib.sha256(content).digest(),
            MessageType="DIGEST",
            SigningAlgorithm=ALGORITHM,
        )
        return answer["Signature"]

    def _keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _read(self, key: str) -> bytes | None:
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if not is_gone(error):
                raise
            return None

    @staticmethod
    def _put(s3: Any, bucket: str, key: str, content: bytes) -> bool:
        """Write an object unless it exists: whether this call wrote it."""
        return put_once(s3, bucket, key, content, ContentType=_TYPES[key[key.rindex(".") :]])
