"""Audit records: JSON objects below a model's `records_uri`, in a bucket that keeps every version of them."""

import json
from datetime import UTC, datetime
from typing import Any

from .s3 import split_uri


def record_name(kind: str, time: datetime, version: int) -> str:
    """Name of a record below the model's `records_uri`: `<kind>/<time>-v<version>.json`."""
    return f"{kind}/{time:%Y%m%dT%H%M%SZ}-v{version}.json"


def write_record(s3: Any, records_uri: str, kind: str, package: dict[str, Any], facts: dict[str, Any]) -> str:
    """Write `<records_uri><kind>/<time>-v<version>.json` about a described model package; the record's URI.

    The record has the time, `facts`, and the package's ARN and version.
    """
    now, version = datetime.now(UTC), package["ModelPackageVersion"]
    uri = f"{records_uri}{record_name(kind, now, version)}"
    record = {
        "time": now.isoformat(),
        **facts,
        "ModelPackageArn": package["ModelPackageArn"],
        "ModelPackageVersion": version,
    }
    bucket, key = split_uri(uri)
    # S3 requires a checksum where an object lock is set.
    s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=json.dumps(record, indent=2, default=str).encode(),
        ContentType="application/json",
        ChecksumAlgorithm="SHA256",
    )
    return uri
