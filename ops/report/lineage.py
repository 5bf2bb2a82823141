"""What the version of a report was made from, from the data to the endpoint, and what changed since the version before it."""

from model_factory.functions.shared.approvals import status_set_by

from ..wording import counted
from .elements import when
from .glance import measured
from .sources import Document, ModelReport, version_before

LIBRARIES = "libraries_digest"
_COMPARED = {
    "data_digest": "data",
    "code_digest": "code",
    LIBRARIES: "libraries",
    "image": "image",
    "hyperparameters_digest": "hyperparameters",
    "seed": "seed",
}
"""Metadata of a version whose values are compared, and their names on the page."""


def lineage(report: ModelReport) -> dict[str, str | None]:
    """The steps from the data to the endpoint, by name; None for one that is not known."""
    live = report.live
    if live is None:
        return {}
    metadata: dict[str, str] = live.get("CustomerMetadataProperties", {})
    commit, digest = metadata.get("git_commit"), metadata.get("code_digest")
    number = f"v{live['ModelPackageVersion']}"
    return {
        "data": _data(report.document("report")),
        "code": f"commit {commit[:12]}" if commit else f"zip {digest[:12]}" if digest else None,
        "training": metadata.get("trigger") and f"trigger {metadata['trigger']}",
        "gate": measured(report),
        "version": f"{number} of {when(live['CreationTime'])}",
        "promoted from": _place(metadata.get("origin")),
        "approval": _approval(live),
        "endpoint": _endpoint(report, number),
    }


def changed(report: ModelReport) -> str | None:
    """What differs from the version before, in one sentence; None without one."""
    before = version_before(report.live, report.versions)
    if report.live is None or before is None:
        return None
    ours, theirs = (each.get("CustomerMetadataProperties", {}) for each in (report.live, before))
    known = {key: name for key, name in _COMPARED.items() if key in ours and key in theirs}
    if LIBRARIES in {*ours, *theirs}:  # a version without has no libraries of its own
        known[LIBRARIES] = _COMPARED[LIBRARIES]
    different = [name for key, name in known.items() if ours.get(key) != theirs.get(key)]
    same = [name for name in known.values() if name not in different]
    parts = [f"changed: {', '.join(different) or 'nothing that is recorded'}"] if known else []
    parts += [f"the same: {', '.join(same)}"] if same else []
    parts += _rows(report.document("report_before"), report.document("report"))
    return f"Since v{before['ModelPackageVersion']}: {'; '.join(parts)}." if parts else None


def _rows(before: Document, now: Document) -> list[str]:
    if not before or not now:
        return []
    old, new = set(before.get("partitions", [])), set(now.get("partitions", []))
    parts = [f"{before['rows']:,} rows before, {now['rows']:,} now"]
    parts += [f"{counted(len(new - old), 'partition')} added"] if new - old else []
    return parts + ([f"{counted(len(old - new), 'partition')} left out"] if old - new else [])


def _data(prepared: Document) -> str | None:
    if not prepared:
        return None
    partitions = prepared.get("partitions", [])
    span = (
        f" of {counted(len(set(partitions)), 'partition')}, {partitions[0]} to {partitions[-1]}" if partitions else ""
    )
    return f"{prepared['rows']:,} rows{span}"


def _place(origin: str | None) -> str | None:
    """A version by name of its group and number, from its ARN."""
    return origin.rpartition("model-package/")[2].replace("/", " v") if origin else None


def _approval(live: Document) -> str:
    by = status_set_by(live)
    return f"{live['ModelApprovalStatus']} by {by}" if by else "pending"


def _endpoint(report: ModelReport, number: str) -> str:
    status = report.status
    if status.version is None:
        return "none"
    served = f"v{status.version}"
    return f"serves {served}" if served == number else f"serves {served}, not {number}"
