"""S3: retention of locked objects."""

from datetime import datetime
from typing import Any

from ..checks import first
from ..rule import Entry, Params, Request, table

LOCK = "S3 user guide: Locking objects with Object Lock"
rule = table("s3", "AccessDenied", LOCK)
DENIED = "Access Denied because object protected by object lock."


def _lock(request: Request) -> Params | None:
    """The version's retention; None when there is no such object, or no version of this id."""
    given = request.params
    return request.find("object-lock", f"{given['Bucket']}/{given['Key']}?{given.get('VersionId') or ''}")


def _day(value: Any) -> str:
    return value.isoformat()[:19] if isinstance(value, datetime) else str(value or "")[:19]


def _weaker(request: Request) -> bool:
    """The request has another mode, or an earlier date, than the version's retention."""
    lock = _lock(request) or {}
    mode, until = first(request.params, "Retention.Mode"), _day(first(request.params, "Retention.RetainUntilDate"))
    return bool(lock.get("Mode")) and (mode != lock["Mode"] or until < _day(lock["RetainUntilDate"]))


def _bypassed(request: Request) -> bool:
    return str(request.params.get("BypassGovernanceRetention")).lower() == "true"


def _weakens_governance(request: Request) -> bool:
    governed = (_lock(request) or {}).get("Mode") == "GOVERNANCE"
    stronger = first(request.params, "Retention.Mode") == "COMPLIANCE"
    return governed and not stronger and _weaker(request) and not _bypassed(request)


def _weakens_compliance(request: Request) -> bool:
    return (_lock(request) or {}).get("Mode") == "COMPLIANCE" and _weaker(request)


def _retain(key: str, mode: str, day: int, **more: Any) -> dict[str, Any]:
    retention = {"Mode": mode, "RetainUntilDate": f"2100-01-{day:02}T00:00:00Z"}
    return {"Bucket": "bucket", "Key": key, "Retention": retention, **more}


def _until(mode: str) -> dict[str, str]:
    return {"Mode": mode, "RetainUntilDate": "2100-01-10T00:00:00Z"}


GIVEN: dict[str, Params] = {
    "object-lock/bucket/governed?": _until("GOVERNANCE"),
    "object-lock/bucket/kept?": _until("COMPLIANCE"),
    "bucket/bucket": {"ObjectLock": True},
}

ENTRIES: tuple[Entry, ...] = (
    rule(
        "PutObjectRetention",
        "A retention in governance mode is shortened or removed only by who bypasses it.",
        DENIED,
        _weakens_governance,
        _retain("governed", "GOVERNANCE", 9, BypassGovernanceRetention=True),
        _retain("governed", "GOVERNANCE", 9),
        status=403,
        given=GIVEN,
    ),
    rule(
        "PutObjectRetention",
        "A retention in compliance mode is not shortened, and its mode does not change.",
        DENIED,
        _weakens_compliance,
        _retain("kept", "COMPLIANCE", 11),
        _retain("kept", "GOVERNANCE", 11, BypassGovernanceRetention=True),
        status=403,
        given=GIVEN,
    ),
    rule(
        "PutObjectRetention PutObjectLegalHold",
        "The object that is locked exists.",
        "The specified key does not exist.",
        lambda request: (
            bool((request.find("bucket", request.params["Bucket"]) or {}).get("ObjectLock")) and _lock(request) is None
        ),
        _retain("kept", "COMPLIANCE", 11),
        _retain("missing", "COMPLIANCE", 11),
        code="NoSuchKey",
        status=404,
        source="S3 API reference: PutObjectRetention",
        given=GIVEN,
    ),
)
