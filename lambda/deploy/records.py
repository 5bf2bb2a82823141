"""Records for the auditor: one JSON a version, one a deployment, in the write-once bucket."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import json
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
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
    content = {name: package[name] for name in _KEPT if name in package} | {"approved_by": approved_by(package)}
    _put_once(records_uri, f"versions/{package['ModelPackageVersion']}.json", content)


def write_deployment(
    records_uri: str, package: dict[str, Any], names: dict[str, str], previous: str | None, request: str, time: datetime
) -> None:
    """Write `deployments/<time>-v<version>.json` unless it is there; `time` is the request's, the same at every attempt."""
    record = names | {
        "time": time.isoformat(),
        "ModelPackageArn": package["ModelPackageArn"],
        "ModelPackageVersion": package["ModelPackageVersion"],
        "previous": previous,
        "request": request,
        "approved_by": approved_by(package),
    }
    _put_once(records_uri, f"deployments/{time:%Y%m%dT%H%M%SZ}-v{package['ModelPackageVersion']}.json", record)


def approved_by(package: dict[str, Any]) -> str:
    """Who approved the version: the person who changed it last, or the policy that registered it as approved."""
    person: dict[str, Any] = package.get("LastModifiedBy") or {}
    if arn := person.get("UserProfileArn") or person.get("IamIdentity", {}).get("Arn"):
        return str(arn)
    return "automatic: the environment's approval policy"


def _put_once(records_uri: str, name: str, content: dict[str, Any]) -> None:
    bucket, _, prefix = records_uri.removeprefix("s3://").partition("/")
    body = json.dumps(content, indent=2, default=str).encode()
    try:
        client("s3").put_object(
            Bucket=bucket, Key=f"{prefix}{name}", Body=body, ContentType="application/json", IfNoneMatch="*"
        )
    except ClientError as error:
        code: Any = error.response
        if code["Error"]["Code"] != "PreconditionFailed":  # it is there: an earlier attempt wrote it
            raise
