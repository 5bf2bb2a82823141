"""Reads records, and the files that they name, from the records bucket, and files of trainings from the artifacts bucket."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from shared import chain
from shared.s3 import has_object

type Record = Mapping[str, Any]

LARGEST_FILE = 16 << 20
"""Bytes of the largest manifest or evaluation that is published: some 50,000 objects. Memory of the function is 512 MB."""


@dataclass(frozen=True)
class Records:
    """The records of an environment, with a client of S3. `bucket` has the records, `artifacts` the files of trainings."""

    s3: Any
    bucket: str
    artifacts: str

    def read(self, key: str) -> Record:
        """The record with this key. Raises ClientError, and ValueError for what is no JSON."""
        return json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def of_version(self, model: str, version: int, kinds: Sequence[str]) -> Iterator[Record]:
        """Records of these kinds about a version, by kind, then in the order of their time."""
        for kind in kinds:
            for _, number, sequence in self.markers(model, kind):
                if number == version:
                    yield self.of_sequence(model, sequence)

    def of_sequence(self, model: str, sequence: int) -> Record:
        """Record number `sequence` of a model."""
        return self.read(chain.record_key(model, sequence))

    def markers(self, model: str, kind: str) -> Iterator[tuple[datetime, int, int]]:
        """Time, version and sequence number of each record of a kind, the oldest first."""
        prefix = chain.index_prefix(model, kind)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        for entry in (entry for page in pages for entry in page.get("Contents", [])):
            yield chain.read_index_key(entry["Key"])

    def evidence(self, record: Record, name: str) -> dict[str, Any]:
        """A JSON file that a record names in its evidence; empty without one, or when it is too large."""
        found: Mapping[str, Any] | None = record.get("evidence", {}).get(name)
        if found is None or found["size"] > LARGEST_FILE:
            return {}
        return self._json(self.bucket, chain.evidence_key(record["model"], found["sha256"]))

    def training_file(self, model: str, execution: str, path: str) -> dict[str, Any]:
        """A JSON file below the folder of an execution in the artifacts bucket; empty when there is none."""
        return self._json(self.artifacts, f"{model}/executions/{execution.rpartition('/')[2]}/{path}")

    def _json(self, bucket: str, key: str) -> dict[str, Any]:
        # Listed first: without the permission to list a bucket, GetObject answers AccessDenied for what does not exist.
        if not has_object(self.s3, bucket, key):
            return {}
        response = self.s3.get_object(Bucket=bucket, Key=key)
        if response["ContentLength"] > LARGEST_FILE:
            return {}
        try:
            # A metric that cannot be computed is NaN, which JSON has not.
            content: Any = json.loads(response["Body"].read(), parse_constant=lambda _: None)
        except ValueError:
            return {}
        return cast(dict[str, Any], content) if isinstance(content, dict) else {}
