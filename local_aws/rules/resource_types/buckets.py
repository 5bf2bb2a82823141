"""S3 buckets: names, versioning, Object Lock, ownership and access logs."""

import re
from functools import partial
from typing import Any

from ..checks import found
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import true

_NAMES = "S3 user guide, General purpose bucket naming rules"
_LOCK = "S3 user guide, Object Lock considerations"
_bucket = partial(Rule, CLOUDFORMATION, "AWS::S3::Bucket")


def _name(request: Request) -> Values | None:
    """The checks and words of the AWS SDK for Java, which CloudFormation uses."""
    name = str(request.params.get("BucketName", "bucket"))
    wrong = next((character for character in name if not re.match(r"[a-z0-9.-]", character)), None)
    reasons = {
        "be between 3 and 63 characters long": 3 <= len(name) <= 63,
        "not contain uppercase characters": name == name.lower(),
        f"not contain '{wrong}'": wrong is None,
        "not begin with a '-' or '.'": name[:1] not in ("-", "."),
        "not end with '-' or '.'": name[-1:] not in ("-", "."),
        "not contain two adjacent periods": ".." not in name,
        "not contain dashes next to periods": "-." not in name and ".-" not in name,
    }
    return next(({"reason": reason} for reason, fits in reasons.items() if not fits), None)


def _reserved(request: Request) -> bool:
    name = str(request.params.get("BucketName", "bucket"))
    return name.startswith(("xn--", "sthree-", "amzn-s3-demo-")) or name.endswith(("-s3alias", "--ol-s3", "--x-s3"))


def _address(request: Request) -> bool:
    return bool(re.fullmatch(r"\d+\.\d+\.\d+\.\d+", str(request.params.get("BucketName"))))


def _versioning(request: Request) -> str:
    return request.params.get("VersioningConfiguration", {}).get("Status", "")


def _replication(request: Request) -> bool:
    return "ReplicationConfiguration" in request.params and _versioning(request) != "Enabled"


def _lock_off(request: Request) -> bool:
    return "ObjectLockConfiguration" in request.params and not true(request.params.get("ObjectLockEnabled"))


def _lock_suspended(request: Request) -> bool:
    return true(request.params.get("ObjectLockEnabled")) and _versioning(request) == "Suspended"


def _retention(request: Request) -> bool:
    defaults = list(found(request.params, "ObjectLockConfiguration.Rule.DefaultRetention"))
    return any(("Days" in each) == ("Years" in each) for each in defaults)


def _acl(request: Request) -> bool:
    enforced = "BucketOwnerEnforced" in found(request.params, "OwnershipControls.Rules[].ObjectOwnership")
    controls = request.params.get("OwnershipControls")
    return request.params.get("AccessControl", "Private") != "Private" and (enforced or not controls)


def _log_bucket(request: Request) -> Any:
    name = request.params.get("LoggingConfiguration", {}).get("DestinationBucketName")
    return name, request.find("bucket", name) if name else None


def _no_log_bucket(request: Request) -> bool:
    name, record = _log_bucket(request)
    return bool(name) and record is None


def _locked_log_bucket(request: Request) -> bool:
    _, record = _log_bucket(request)
    return bool(record and record.get("DefaultRetention"))


_REPLICATION = {"ReplicationConfiguration": {"Role": "arn", "Rules": []}}
_ENFORCED = {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}
_RETENTION = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
_LOGS = {"LoggingConfiguration": {"DestinationBucketName": "logs"}}

ENTRIES: tuple[Entry, ...] = (
    _bucket(
        says="A bucket's name has 3 to 63 lowercase letters, digits, hyphens and periods, and begins and ends with the former.",
        source=_NAMES,
        code="InvalidBucketName",
        message="Bucket name should {reason}",
        check=_name,
        accepted={"BucketName": "acme-data.eu"},
        refused={"BucketName": "Acme"},
    ),
    _bucket(
        says="Reserved prefixes and suffixes are not allowed in a bucket's name.",
        source=_NAMES,
        code="InvalidBucketName",
        message="The specified bucket is not valid.",
        check=_reserved,
        accepted={"BucketName": "acme-data"},
        refused={"BucketName": "xn--data"},
    ),
    _bucket(
        says="A bucket's name is no IP address.",
        source=_NAMES,
        code="InvalidBucketName",
        message="Bucket name must not be formatted as an IP Address",
        check=_address,
        accepted={"BucketName": "192.168.5.a"},
        refused={"BucketName": "192.168.5.4"},
    ),
    _bucket(
        says="Replication needs versioning.",
        source="S3 user guide, Requirements and considerations for replication",
        code="InvalidRequest",
        message="Versioning must be 'Enabled' on the bucket to apply a replication configuration",
        check=_replication,
        accepted=_REPLICATION | {"VersioningConfiguration": {"Status": "Enabled"}},
        refused=_REPLICATION,
    ),
    _bucket(
        says="An Object Lock configuration needs a bucket with Object Lock.",
        source=_LOCK,
        code="InvalidBucketState",
        message="Object Lock configuration cannot be enabled on existing buckets",
        check=_lock_off,
        accepted={"ObjectLockConfiguration": _RETENTION, "ObjectLockEnabled": True},
        refused={"ObjectLockConfiguration": _RETENTION},
    ),
    _bucket(
        says="Versioning of a bucket with Object Lock cannot be suspended.",
        source=_LOCK,
        code="InvalidBucketState",
        message="An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        check=_lock_suspended,
        accepted={"ObjectLockEnabled": True, "VersioningConfiguration": {"Status": "Enabled"}},
        refused={"ObjectLockEnabled": True, "VersioningConfiguration": {"Status": "Suspended"}},
    ),
    _bucket(
        says="A default retention is in days or in years, not in both.",
        source="S3 API reference, DefaultRetention",
        code="MalformedXML",
        message="The XML you provided was not well-formed or did not validate against our published schema",
        check=_retention,
        accepted={"ObjectLockEnabled": True, "ObjectLockConfiguration": _RETENTION},
        refused={
            "ObjectLockConfiguration": {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1, "Years": 1}}}
        },
    ),
    _bucket(
        says="A bucket whose owner owns all objects, which is the default, takes no access control list.",
        source="S3 user guide, Controlling ownership of objects and disabling ACLs",
        code="InvalidBucketAclWithObjectOwnership",
        message="Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        check=_acl,
        accepted=_ENFORCED,
        refused=_ENFORCED | {"AccessControl": "LogDeliveryWrite"},
    ),
    _bucket(
        says="The bucket for access logs exists.",
        source="S3 user guide, Enabling Amazon S3 server access logging",
        code="InvalidTargetBucketForLogging",
        message="The target bucket for logging does not exist",
        check=_no_log_bucket,
        accepted=_LOGS,
        refused={"LoggingConfiguration": {"DestinationBucketName": "other"}},
        given={"bucket/logs": {}},
    ),
    _bucket(
        says="A bucket with a default retention receives no access logs.",
        source="S3 user guide, Logging requests with server access logging",
        code="InvalidTargetBucketForLogging",
        message="The target bucket for logging must not have Object Lock default retention enabled",
        inferred=True,
        check=_locked_log_bucket,
        accepted=_LOGS,
        refused={"LoggingConfiguration": {"DestinationBucketName": "locked"}},
        given={"bucket/logs": {}, "bucket/locked": {"DefaultRetention": {"Days": 1}}},
    ),
)
