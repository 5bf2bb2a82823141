"""The record of a run that scored files: by which version, which files, and how it ended."""

import json
import os
from typing import Any

from drafts import By, Draft
from events import ExecutionEnded
from evidence import LARGEST_MANIFEST
from plain import plain
from shared.approvals import who
from shared.clients import client
from shared.s3 import has_object
from trainings import described, parameters_of

REPORT = "inputs"
"""Name of the report in the record's evidence: it names the objects that were read, as that of a training does."""


def report_key(model: str, execution: str) -> str:
    """Key in the artifacts bucket of the report that the job writes itself."""
    return f"{model}/scoring/{execution.rpartition('/')[2]}/report.json"


def scoring(event: ExecutionEnded) -> Draft:
    """The record without its evidence. Errors of AWS are raised."""
    found = described(event.execution)
    content = _report(event)
    facts = {
        "outcome": event.status.lower(),
        "parameters": parameters_of(event.execution) if found else {},
        "failure_reason": content.get("reason") or found.get("FailureReason"),
        "started": found.get("CreationTime"),
        "name": found.get("PipelineExecutionDisplayName"),
        "data": content.get("data"),
        "version": content.get("version"),
        "artifact_digest": content.get("artifact_digest"),
        "objects": len(content.get("objects", [])),
        "rows": content.get("rows"),
        "skipped": content.get("skipped"),
        "failed": content.get("failed", {}),
    }
    version: Any = content.get("version")
    return Draft(
        "scoring",
        f"{event.execution}#{event.status}",
        event.time,
        By(who(found.get("CreatedBy")), "sagemaker"),
        event.model,
        version=version if isinstance(version, int) else None,
        subject=event.execution,
        facts=plain(facts),
    )


def _report(event: ExecutionEnded) -> dict[str, Any]:
    """The job's report; empty when it could not write one."""
    s3, bucket, key = client("s3"), os.environ["ARTIFACTS_BUCKET"], report_key(event.model, event.execution)
    if not has_object(s3, bucket, key):
        return {}
    return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read(LARGEST_MANIFEST))
