"""An action of the delivery pipeline in, its result out: retrain (or promote), release, smoke or report, in one environment.

Needs sts:AssumeRole on the environments' delivery roles, where all its work is done; codepipeline:PutJobSuccessResult and
PutJobFailureResult, GetPipelineExecution and ListActionExecutions on the pipeline; s3:PutObject below reports/; its log group.
"""

import json
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from environment import Environment, Settings, pipeline
from outcome import Done, Failed, Job, Later, Outcome
from release import release
from report import report
from retrain import retrain
from smoke import smoke

logger = Logger()
settings = Settings.from_environment()
TASKS: dict[str, Callable[[Job, Environment], Outcome]] = {
    "retrain": retrain,
    "release": release,
    "smoke": smoke,
    "report": report,
}


def handler(event: dict[str, Any], context: Any) -> None:
    """Do one step of the job and tell the pipeline; a failure is told too, with which model and why."""
    job = Job.parse(event)
    logger.append_keys(task=job.task, environment=job.environment, execution=job.execution)
    try:
        outcome = TASKS[job.task](job, Environment(settings, job.environment))
    except Exception as error:
        logger.exception("task failed")
        outcome = Failed(f"{job.task} in {job.environment}: {type(error).__name__}: {error}")
    logger.info("outcome", outcome=str(outcome))
    _tell(job.identifier, outcome)


def _tell(identifier: str, outcome: Outcome) -> None:
    match outcome:
        case Done(summary, variables):
            pipeline().put_job_success_result(
                jobId=identifier, executionDetails={"summary": summary[:2048]}, outputVariables=variables
            )
        case Later(summary, token):
            pipeline().put_job_success_result(
                jobId=identifier, continuationToken=json.dumps(token), executionDetails={"summary": summary[:2048]}
            )
        case Failed(message):
            pipeline().put_job_failure_result(
                jobId=identifier, failureDetails={"type": "JobFailed", "message": message[:5000]}
            )
