"""The step of type Tuning of a pipeline's execution."""

import random
import string
import threading
from typing import Any

from ...json_api import Record
from ..jobs.end import wait_for_end
from ..state import State

TOP = 50
"""Training jobs that the step's property TrainingJobSummaries has. Source: SageMaker SDK, TuningStep.get_top_model_s3_uri."""


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
    wait_for_end(job, stop, lambda: sagemaker.stop_hyper_parameter_tuning_job(**named))
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
