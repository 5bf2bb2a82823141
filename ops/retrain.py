"""Start a training by hand, through the same queue as every other trigger, and follow it."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .project import EnvironmentSession, UsageError

POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Finished:
    """How a training ended: the execution's status and, when it failed, why."""

    execution_arn: str
    status: str
    reason: str


def request(session: EnvironmentSession, model: str, reason: str, trigger: str = "manual") -> str:
    """Put a retrain message for `model` on the environment's queue; returns the message's id."""
    identifier = uuid.uuid4().hex
    sqs = session.client("sqs")
    try:
        queue = sqs.get_queue_url(QueueName=session.names.queue("retrain"))["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        raise UsageError(
            f"environment {session.environment.name!r} has no queue {session.names.queue('retrain')!r}; deploy it first: "
            f"cdk deploy '{session.names.prefix}-*'"
        ) from None
    body = {"model": model, "trigger": trigger, "reason": reason, "id": identifier}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body), MessageGroupId=model)
    return identifier


def newest_execution(sagemaker: Any, pipeline: str) -> dict[str, Any] | None:
    """Summary of the execution of `pipeline` that was started last; None before the first."""
    answer = sagemaker.list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )
    return next(iter(answer["PipelineExecutionSummaries"]), None)


def follow(
    session: EnvironmentSession, execution_arn: str, timeout_seconds: float, say: Callable[[str], None]
) -> Finished:
    """Wait until the execution ends; `say` gets a line for each step that starts or ends.

    Raises UsageError when it has not ended in time.
    """
    sagemaker = session.client("sagemaker")
    told: set[tuple[str, str]] = set()
    deadline = time.monotonic() + timeout_seconds
    while True:
        execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution_arn, SortOrder="Ascending")
        for step in steps["PipelineExecutionSteps"]:
            state = (step["StepName"], step["StepStatus"])
            if state not in told:
                told.add(state)
                why = f": {step['FailureReason']}" if step.get("FailureReason") else ""
                say(f"{step['StepName']:<10} {step['StepStatus']}{why}")
        status = execution["PipelineExecutionStatus"]
        if status in ("Succeeded", "Failed", "Stopped"):
            return Finished(execution_arn, status, execution.get("FailureReason", ""))
        if time.monotonic() > deadline:
            raise UsageError(f"{execution_arn} is still {status} after {timeout_seconds:.0f} s; it goes on without you")
        time.sleep(POLL_SECONDS if timeout_seconds > 600 else 0.2)
