"""Records for the auditor: one JSON a version, one a deployment, in the write-once bucket."""

import json
from datetime import UTC, datetime
from typing import Any

from settings import client

_KEPT = (
    "ModelPackageArn",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "CreationTime",
    "CreatedBy",
    "LastModifiedTime",
    "LastModifiedBy",
    "ModelApprovalStatus",
    "ApprovalDescription",
    "InferenceSpecification",
    "ModelMetrics",
    "DriftCheckBaselines",
    "CustomerMetadataProperties",
)


def write_version(records_uri: str, package: dict[str, Any]) -> None:
    """Write `versions/<version>.json` unless it is there: what the version is, and who let it go live."""
    bucket, prefix = _split(records_uri)
    key = f"{prefix}versions/{package['ModelPackageVersion']}.json"
    listed = client("s3").list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    if listed["KeyCount"] == 0:
        _put(
            bucket,
            key,
            {name: package[name] for name in _KEPT if name in package} | {"approved_by": approved_by(package)},
        )


def write_deployment(
    records_uri: str, package: dict[str, Any], names: dict[str, str], previous: str | None, request_id: str
) -> None:
    """Write `deployments/<time>-v<version>.json`."""
    bucket, prefix = _split(records_uri)
    now = datetime.now(UTC)
    record = names | {
        "time": now.isoformat(),
        "ModelPackageArn": package["ModelPackageArn"],
        "ModelPackageVersion": package["ModelPackageVersion"],
        "previous": previous,
        "request": request_id,
        "approved_by": approved_by(package),
    }
    _put(bucket, f"{prefix}deployments/{now:%Y%m%dT%H%M%SZ}-v{package['ModelPackageVersion']}.json", record)


def approved_by(package: dict[str, Any]) -> str:
    """Who approved the version: the person who changed it last, or the policy that registered it as approved."""
    person: dict[str, Any] = package.get("LastModifiedBy") or {}
    if arn := person.get("UserProfileArn") or person.get("IamIdentity", {}).get("Arn"):
        return str(arn)
    return "automatic: the environment's approval policy"


def _split(uri: str) -> tuple[str, str]:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return bucket, prefix


def _put(bucket: str, key: str, content: dict[str, Any]) -> None:
    body = json.dumps(content, indent=2, default=str).encode()
    client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
