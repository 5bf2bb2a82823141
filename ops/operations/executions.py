"""Executions of a model's SageMaker pipelines: the newest one, its trigger, and how it ends."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.errors import is_missing

from ..project import EnvironmentSession, UsageError
from ..waiting import pause

POLL_SECONDS = 0.5
NEWEST_EXECUTIONS = 100


@dataclass(frozen=True)
class ExecutionResult:
    """An execution that ended: its status and, if it failed, the reason."""

    execution_arn: str
    status: str
    reason: str


def newest_execution(sagemaker: Any, pipeline: str) -> dict[str, Any] | None:
    """Summary of the pipeline's execution that was created last; None before the first."""
    response = sagemaker.list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )
    return next(iter(response["PipelineExecutionSummaries"]), None)


def newest_executions(sagemaker: Any, pipeline: str) -> list[dict[str, Any]]:
    """Summaries of the pipeline's newest executions, newest first, at most 100; none without such a pipeline."""
    try:
        return sagemaker.list_pipeline_executions(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=NEWEST_EXECUTIONS
        )["PipelineExecutionSummaries"]
    except ClientError as error:
        if not is_missing(error):
            raise
        return []


def newest_execution_arn(sagemaker: Any, pipeline: str) -> str | None:
    """ARN of the pipeline's execution that was created last; None before the first."""
    execution = newest_execution(sagemaker, pipeline)
    return execution["PipelineExecutionArn"] if execution else None


def execution_trigger(sagemaker: Any, execution_arn: str) -> str | None:
    """Value of the parameter `Trigger`, such as `schedule` or `drift`; None when the execution has none."""
    response = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution_arn)
    return next((each["Value"] for each in response["PipelineParameters"] if each["Name"] == "Trigger"), None)


def follow(
    session: EnvironmentSession, execution_arn: str, timeout_seconds: float, log: Callable[[str], None]
) -> ExecutionResult:
    """Wait until the execution ends; `log` gets a line for each step that starts or ends.

    Raises UsageError when it has not ended in time.
    """
    sagemaker = session.client("sagemaker")
    logged: set[tuple[str, str]] = set()
    started = time.monotonic()
    while True:
        execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution_arn, SortOrder="Ascending")
        for step in steps["PipelineExecutionSteps"]:
            state = (step["StepName"], step["StepStatus"])
            if state not in logged:
                logged.add(state)
                reason = f": {step['FailureReason']}" if step.get("FailureReason") else ""
                log(f"{step['StepName']:<10} {step['StepStatus']}{reason}")
        status = execution["PipelineExecutionStatus"]
        if status in ("Succeeded", "Failed", "Stopped"):
            return ExecutionResult(execution_arn, status, execution.get("FailureReason", ""))
        if time.monotonic() - started > timeout_seconds:
            raise UsageError(f"{execution_arn} is still {status} after {timeout_seconds:.0f} s; it was not stopped")
        pause(started, POLL_SECONDS)
