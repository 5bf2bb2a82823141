"""What a tuning job knows of its training jobs: summaries, counters and the best one.

Source: SageMaker API reference, DescribeHyperParameterTuningJob and HyperParameterTrainingJobSummary.
"""

from collections import Counter

from ...json_api import Record
from ..jobs.metric_definitions import objective
from ..state import State

FINAL = "FinalHyperParameterTuningJobObjectiveMetric"


def definitions(record: Record) -> list[Record]:
    """The definitions of a tuning job's training jobs, each with its ranges and its objective."""
    config = record["HyperParameterTuningJobConfig"]
    common = {
        "HyperParameterRanges": config.get("ParameterRanges", {}),
        "TuningObjective": config.get("HyperParameterTuningJobObjective"),
    }
    single = record.get("TrainingJobDefinition")
    return [common | each for each in ([single] if single else record["TrainingJobDefinitions"])]


def is_maximized(definition: Record) -> bool:
    """Whether a higher objective is better."""
    return definition["TuningObjective"]["Type"] == "Maximize"


def objective_name(definition: Record) -> str:
    """Name of the objective metric."""
    return definition["TuningObjective"]["MetricName"]


def result(definition: Record, trial: Record, record: Record) -> float | None:
    """The objective of a training job that has ended; None when it has none."""
    if record["TrainingJobStatus"] != "Completed":
        return trial["ended_at"]
    return objective(record, objective_name(definition))


def summaries(state: State, record: Record) -> list[Record]:
    """TrainingJobSummaries of a tuning job, in the order in which the jobs were started."""
    defined = definitions(record)
    return [
        _summary(state.training_jobs[trial["name"]], defined[trial["definition"]], trial) for trial in record["_trials"]
    ]


def _summary(job: Record, definition: Record, trial: Record) -> Record:
    keys = (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingStartTime",
        "TrainingEndTime",
        "TrainingJobStatus",
    )
    summary = {key: job[key] for key in (*keys, "FailureReason") if key in job}
    if "DefinitionName" in definition:
        summary["TrainingJobDefinitionName"] = definition["DefinitionName"]
    name, ended = objective_name(definition), job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped")
    value = objective(job, name) if ended and job["TrainingJobStatus"] != "Failed" else None
    if value is not None:
        summary[FINAL] = {"Type": definition["TuningObjective"]["Type"], "MetricName": name, "Value": value}
    status = "Succeeded" if value is not None else "Failed" if ended else "Pending"
    return summary | {"TunedHyperParameters": trial["values"], "ObjectiveStatus": status}


def best_first(record: Record, found: list[Record]) -> list[Record]:
    """Those of the summaries of a tuning job's training jobs that are completed and have an objective, the best first."""
    maximize = is_maximized(definitions(record)[0])
    done = [each for each in found if FINAL in each and each["TrainingJobStatus"] == "Completed"]
    return sorted(done, key=lambda each: each[FINAL]["Value"], reverse=maximize)


def counters(found: list[Record]) -> Record:
    """The counters of a tuning job, by the summaries of its training jobs."""
    statuses = Counter(each["TrainingJobStatus"] for each in found)
    objectives = Counter(each["ObjectiveStatus"] for each in found)
    return {
        "TrainingJobStatusCounters": {
            "Completed": statuses["Completed"],
            "InProgress": statuses["InProgress"] + statuses["Stopping"],
            "RetryableError": 0,
            "NonRetryableError": statuses["Failed"],
            "Stopped": statuses["Stopped"],
        },
        "ObjectiveStatusCounters": {each: objectives[each] for each in ("Succeeded", "Pending", "Failed")},
    }
