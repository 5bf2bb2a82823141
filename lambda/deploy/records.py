"""Audit records of the deploy function: one JSON object per version, one per deployment, written once."""

# pyright: reportMissingTypeStubs=false

import json
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from shared.clients import client
from shared.records import record_name
from shared.s3 import split_uri

_VERSION_FIELDS = (
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
    """Write `versions/<version>.json` unless it exists: the described model package, and who approved it."""
    content = {name: package[name] for name in _VERSION_FIELDS if name in package}
    _put_once(
        records_uri, f"versions/{package['ModelPackageVersion']}.json", content | {"approved_by": approved_by(package)}
    )


def write_deployment(
    records_uri: str, package: dict[str, Any], details: dict[str, Any], request: str, time: datetime
) -> None:
    """Write `deployments/<time>-v<version>.json` unless it exists.

    `details`: names of endpoint and configuration, `previous` (the configuration before), `rollback_alarms_left_out`.
    `time`: of the request, the same at every attempt.
    """
    record = details | {
        "time": time.isoformat(),
        "ModelPackageArn": package["ModelPackageArn"],
        "ModelPackageVersion": package["ModelPackageVersion"],
        "request": request,
        "approved_by": approved_by(package),
    }
    _put_once(records_uri, record_name("deployments", time, package["ModelPackageVersion"]), record)


def approved_by(package: dict[str, Any]) -> str:
    """Who approved the version: the person who modified it last, or the policy that registered it as approved."""
    person: dict[str, Any] = package.get("LastModifiedBy") or {}
    if arn := person.get("UserProfileArn") or person.get("IamIdentity", {}).get("Arn"):
        return str(arn)
    return "automatic: the environment's approval policy"


def _put_once(records_uri: str, name: str, content: dict[str, Any]) -> None:
    bucket, key = split_uri(f"{records_uri}{name}")
    body = json.dumps(content, indent=2, default=str).encode()
    try:
        client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json", IfNoneMatch="*")
    except ClientError as error:
        code: Any = error.response
        if code["Error"]["Code"] != "PreconditionFailed":  # it exists: an earlier attempt wrote it
            raise
