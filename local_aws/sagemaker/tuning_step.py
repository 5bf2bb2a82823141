"""The step of type Tuning of a pipeline's execution."""

import random
import string
import threading
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from ..json_api import Record
from .state import State

TOP = 50
"""Training jobs that the step's property TrainingJobSummaries has. Source: SageMaker SDK, TuningStep.get_top_model_s3_uri."""
POLL_SECONDS = 0.1


def _job_name(execution: str, step: str) -> str:
    """A name for the tuning job of a step: it has at most 32 characters."""
    suffix = "".join(random.choices(string.ascii_letters + string.digits, k=10))  # noqa: S311 (a name)
    return f"{execution}-{step[:7].strip('-_').replace('_', '-')}-{suffix}"


def run_tuning(
    sagemaker: Any, state: State, execution: str, arguments: Record, record: Record, stop: threading.Event
) -> tuple[Record, str]:
    """Create a tuning job, wait for its end, and stop it when `stop` is set; the step's properties, and why it failed.

    Args:
        sagemaker: A client under the pipeline's role.
        state: Where the job is.
        execution: Id of the execution.
        arguments: The step's arguments, resolved.
        record: The step, which gets the metadata.
        stop: Set when the execution is stopped.
    """
    name = _job_name(execution, record["StepName"])
    named = {"HyperParameterTuningJobName": name}
    sagemaker.create_hyper_parameter_tuning_job(**arguments | named)
    job = state.tuning_jobs[name]
    record["Metadata"] = {"TuningJob": {"Arn": job["HyperParameterTuningJobArn"]}}
    while not (ended := job["_ended"].wait(POLL_SECONDS)) and not stop.is_set():
        pass
    if not ended:
        with suppress(ClientError):  # it has ended meanwhile
            sagemaker.stop_hyper_parameter_tuning_job(**named)
        job["_ended"].wait()
    described = sagemaker.describe_hyper_parameter_tuning_job(**named)
    match described["HyperParameterTuningJobStatus"]:
        case "Failed":
            return described, described.get("FailureReason", "no reason was given")
        case "Stopped":
            return described, "" if stop.is_set() else f"the job {name} was stopped"
    objective = described["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        **named,
        StatusEquals="Completed",
        SortBy="FinalObjectiveMetricValue",
        SortOrder="Descending" if objective["Type"] == "Maximize" else "Ascending",
        MaxResults=TOP,
    )
    return described | {"TrainingJobSummaries": listed["TrainingJobSummaries"]}, ""
