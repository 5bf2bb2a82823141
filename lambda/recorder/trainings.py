"""Records of an execution of a training pipeline that ended: what ran and why, and what the gate decided."""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from drafts import By, Draft
from events import ExecutionEnded
from plain import plain
from shared import chain
from shared.approvals import who
from shared.clients import client
from shared.errors import is_missing
from shared.s3 import has_object

GATE = "Evaluate"
"""The step that writes evaluation.json."""
_EVALUATION = "evaluation/evaluation.json"


def training(event: ExecutionEnded) -> Iterator[Draft]:
    """The record of the execution, and that of its gate when it had one. Errors of AWS are raised."""
    found = described(event.execution)
    steps = list(_steps(event.execution)) if found else []
    parameters = parameters_of(event.execution) if found else {}
    facts = {
        "outcome": event.status.lower(),
        "trigger": parameters.get("Trigger"),
        "reason": parameters.get("Reason"),
        "parameters": parameters,
        "failure_reason": found.get("FailureReason"),
        "started": found.get("CreationTime"),
        "name": found.get("PipelineExecutionDisplayName"),
        "description": found.get("PipelineExecutionDescription"),
        "last_modified_by": who(found.get("LastModifiedBy")),
        "steps": steps,
    }
    by = By(who(found.get("CreatedBy")), "sagemaker")
    identifier = f"{event.execution}#{event.status}"
    yield Draft("training", identifier, event.time, by, event.model, subject=event.execution, facts=plain(facts))
    ended: datetime | None = next((each["ended"] for each in steps if each["name"] == GATE and each["ended"]), None)
    if ended and (decision := _decision(event)):
        yield Draft(
            "gate",
            f"{event.execution}#gate",
            ended,
            By(None, "sagemaker"),
            event.model,
            subject=event.execution,
            facts=decision,
        )


def described(execution: str) -> dict[str, Any]:
    """The execution, or nothing when it was deleted with its pipeline."""
    try:
        return client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=execution)
    except ClientError as error:
        if is_missing(error):
            return {}
        raise


def parameters_of(execution: str) -> dict[str, str]:
    """The parameters of an execution, by name."""
    pages = client("sagemaker").get_paginator("list_pipeline_parameters_for_execution")
    return {
        each["Name"]: each["Value"]
        for page in pages.paginate(PipelineExecutionArn=execution)
        for each in page["PipelineParameters"]
    }


def _steps(execution: str) -> Iterator[dict[str, Any]]:
    """The steps in the order of their start, with the ARN of what each one made."""
    pages = client("sagemaker").get_paginator("list_pipeline_execution_steps")
    for page in pages.paginate(PipelineExecutionArn=execution, SortOrder="Ascending"):
        for step in page["PipelineExecutionSteps"]:
            made: dict[str, Any] = step.get("Metadata", {})
            yield {
                "name": step["StepName"],
                "status": step["StepStatus"],
                "started": step.get("StartTime"),
                "ended": step.get("EndTime"),
                "arn": next((each["Arn"] for each in made.values() if "Arn" in each), None),
                "failure_reason": step.get("FailureReason"),
            }


def _decision(event: ExecutionEnded) -> dict[str, Any] | None:
    """The gate's part of evaluation.json; None where the pipeline is not the standard one and writes none."""
    s3, bucket = client("s3"), os.environ["ARTIFACTS_BUCKET"]
    key = f"{event.model}/executions/{event.execution.rpartition('/')[2]}/{_EVALUATION}"
    if not has_object(s3, bucket, key):
        return None
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    # A metric that cannot be computed is NaN, which JSON has not.
    content: dict[str, Any] = json.loads(body, parse_constant=str)
    kept = {name: content.get(name) for name in ("gate", "metrics", "rows", "champion", "lineage")}
    gate: dict[str, Any] = kept["gate"] or {}
    return {
        "passed": bool(gate.get("passed")),
        **kept,
        "evaluation": {"uri": f"s3://{bucket}/{key}", "sha256": chain.digest(body)},
    }
