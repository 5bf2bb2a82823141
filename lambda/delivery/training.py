"""The retrain action: train or promote the models whose code changed, and wait for them.

It keeps no state: a training or version belongs to this delivery when its description has the id of the pipeline's execution.
"""

import time
from typing import Any

from botocore.exceptions import ClientError
from commit import delivered_models, leftover_models
from delivery_versions import find_created_version, revert_all, training_reason
from environment import Environment
from leftovers import report_leftovers
from outcome import Failed, InProgress, Job, Outcome
from progress import Progress
from promote import NoApprovedVersionError, promote_model
from shared.executions import RUNNING, Description
from shared.promotion import PromotionError
from shared.s3 import has_object, split_uri
from versions import code_changed

PROMOTION_SECONDS = 60
"""After this time no promotion begins: an invocation may take 15 minutes, and the next one continues."""


def retrain(job: Job, environment: Environment) -> Outcome:
    """One step: read the state of every model, promote, and request trainings up to the limit of parallel ones."""
    settings = environment.settings
    first_step = "asked" not in job.token
    leftovers = report_leftovers(job, environment) if first_step else leftover_models(job, environment)
    progress = read_progress(job, environment)
    progress.leftovers = leftovers
    if not progress.failed:
        _promote(job, environment, progress)
    if failure := progress.failure:
        message = f"training in {environment.name} failed: {failure}"
        return Failed(message + revert_all(job, environment, message))
    if progress.finished:
        return progress.result()
    if job.waited_seconds > settings.timeout_seconds:
        message = f"trainings in {environment.name} took too long: {progress.summary()}"
        return Failed(message + revert_all(job, environment, message))
    requested = {name: sent for name, sent in job.token.get("asked", {}).items() if name in progress.to_train}
    for name in progress.to_request(requested, settings.parallel, time.time()):
        environment.request_training(name, training_reason(job, environment))
        requested[name] = int(time.time())
    return InProgress(progress.summary(), {"since": job.token["since"], "asked": requested})


def read_progress(job: Job, environment: Environment) -> Progress:
    """The state of every model of the commit in this delivery."""
    progress = Progress()
    for model in delivered_models(job, environment):
        if model.get("promoted_from"):
            _read_promotion(job, environment, model, progress)
        else:
            _read_training(job, environment, model, progress)
    return progress


def _read_training(job: Job, environment: Environment, model: dict[str, Any], progress: Progress) -> None:
    name, execution = model["model"], _execution(job, environment, model["training_pipeline"])
    if execution is None:
        if not code_changed(environment, model):
            progress.unchanged.append(name)
        elif not _has_data(environment, model):
            progress.without_data.append(name)
        else:
            progress.to_train[name] = model
        return
    status = execution["PipelineExecutionStatus"]
    if status in RUNNING:
        progress.running.append(name)
    elif status == "Succeeded":
        progress.trained.append(name)
    else:
        arn = execution["PipelineExecutionArn"]
        description = environment.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
        progress.failed[name] = description.get("FailureReason") or f"{status} without a reason"


def _read_promotion(job: Job, environment: Environment, model: dict[str, Any], progress: Progress) -> None:
    name = model["model"]
    if find_created_version(job, environment, model, "Approved", "PendingManualApproval", "Rejected"):
        progress.promoted.append(name)
    elif code_changed(environment, model):
        progress.to_promote[name] = model
    else:
        progress.unchanged.append(name)


def _execution(job: Job, environment: Environment, pipeline: str) -> dict[str, Any] | None:
    """The execution of a training pipeline that this delivery started."""
    executions = environment.client("sagemaker").list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=20
    )["PipelineExecutionSummaries"]
    # What follows a training is in its description, too, but it has not started.
    return next((each for each in executions if job.execution in _reason(each)), None)


def _reason(execution: dict[str, Any]) -> str:
    return Description.parse(execution.get("PipelineExecutionDescription", "")).reason


def _promote(job: Job, environment: Environment, progress: Progress) -> None:
    """Promote one model after the other, until PROMOTION_SECONDS have passed."""
    began = time.monotonic()
    while progress.to_promote and time.monotonic() - began < PROMOTION_SECONDS:
        name = next(iter(progress.to_promote))
        model = progress.to_promote.pop(name)
        try:
            promote_model(job, environment, model)
            progress.promoted.append(name)
        except NoApprovedVersionError:
            progress.without_data.append(name)
        except (PromotionError, ClientError) as error:
            progress.failed[name] = str(error)


def _has_data(environment: Environment, model: dict[str, Any]) -> bool:
    if not model["raw_uri"]:  # a pipeline of the model's own reads its data elsewhere
        return True
    bucket, prefix = split_uri(model["raw_uri"])
    return has_object(environment.client("s3"), bucket, prefix)
