"""Handler of the delivery pipeline's actions: retrain (or promote), release, smoke and report, in one environment.

It also handles CodePipeline's events of failed builds, and sends an alert with the last lines of the build's log.

Needs sts:AssumeRole on the environments' delivery roles, which have all other permissions there;
codepipeline:PutJobSuccessResult and PutJobFailureResult; GetPipeline, GetPipelineExecution and ListActionExecutions on the
pipeline; s3:PutObject below reports/; logs:GetLogEvents on the log groups of the builds; events:PutEvents; its log group.
"""

import json
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from environment import Environment, Settings, codepipeline
from failed_build import failed_build_alert, is_failed_build
from outcome import Failed, InProgress, Job, Outcome, Succeeded
from release import release
from report import report
from shared.alerts import send_alert
from shared.errors import error_code, error_status
from smoke import smoke
from training import retrain

MAX_FAILURES = 5
"""Steps of a job that may fail in a row by faults of AWS that pass; boto3 has repeated each of the calls before."""

logger = Logger()
settings = Settings.from_environment()
TASKS: dict[str, Callable[[Job, Environment], Outcome]] = {
    "retrain": retrain,
    "release": release,
    "smoke": smoke,
    "report": report,
}


def handler(event: dict[str, Any], context: Any) -> None:
    """Run one step of a job and report its outcome to CodePipeline, or send the alert about a failed build.

    An exception is reported as a failure; after throttling and internal errors of AWS the next invocation repeats the step.
    """
    if is_failed_build(event):
        send_alert(failed_build_alert(event))
        return
    job = Job.parse(event)
    logger.append_keys(task=job.task, environment=job.environment, execution=job.execution)
    try:
        outcome = TASKS[job.task](job, Environment(settings, job.environment))
    except Exception as error:
        logger.exception("task failed")
        outcome = failure(job, error)
    logger.info("outcome", outcome=str(outcome))
    try:
        _put_result(job.identifier, outcome)
    except ClientError as error:
        if error_code(error) != "InvalidJobStateException":
            raise
        # Lambda may repeat an asynchronous invocation, also one that succeeded or whose answer to the function was lost.
        logger.warning("the job has its result already", reason=str(error))


def failure(job: Job, error: Exception) -> InProgress | Failed:
    """What follows an exception: the same step again, at most MAX_FAILURES times in a row, or the end of the action."""
    text = f"{job.task} in {job.environment}: {type(error).__name__}: {error}"
    failures = job.token.get("failures", 0) + 1
    if failures > MAX_FAILURES or not _passes(error):
        return Failed(text)
    return InProgress(f"{text}; it is tried again"[:2048], job.token | {"failures": failures})


def _passes(error: Exception) -> bool:
    """Whether an error may be gone in a minute: throttling, an error of AWS's own, or no answer."""
    if isinstance(error, ClientError):
        return error_status(error) >= 500 or error_status(error) == 429 or "Throttl" in error_code(error)
    return isinstance(error, BotoCoreError)


def _put_result(identifier: str, outcome: Outcome) -> None:
    match outcome:
        case Succeeded(summary, variables):
            codepipeline().put_job_success_result(
                jobId=identifier, executionDetails={"summary": summary[:2048]}, outputVariables=variables
            )
        case InProgress(summary, token):
            codepipeline().put_job_success_result(
                jobId=identifier, continuationToken=json.dumps(token), executionDetails={"summary": summary[:2048]}
            )
        case Failed(message):
            codepipeline().put_job_failure_result(
                jobId=identifier, failureDetails={"type": "JobFailed", "message": message[:5000]}
            )
