"""The API of tuning jobs, and their lifecycle."""

import logging
import threading
from typing import Any

from ...json_api import Record, ServiceError, now
from ..lists import page
from ..service import Service
from ..state import State, add, find
from .job import TuningJob
from .results import FINAL, best_first, counters, definitions, summaries
from .search import SearchError

log = logging.getLogger(__name__)
NAME, ARN, STATUS = "HyperParameterTuningJobName", "HyperParameterTuningJobArn", "HyperParameterTuningJobStatus"
END_SECONDS = 5
_NOT_HERE = ("Autotune", "StrategyConfig")


def create(service: Service, state: State, request: Record) -> Record:
    """CreateHyperParameterTuningJob: the tuning job runs in the background."""
    name = request[NAME]
    arn = state.arn("hyper-parameter-tuning-job", name)
    record = {key: value for key, value in request.items() if key != "Tags"}
    record |= {ARN: arn, STATUS: "InProgress", "CreationTime": now(), "LastModifiedTime": now()}
    record |= {"_trials": [], "_tags": request.get("Tags", []), "_ended": threading.Event()}
    if named := [each for each in _NOT_HERE if each in request or each in request["HyperParameterTuningJobConfig"]]:
        raise ServiceError(f"the embedded AWS does not support {', '.join(named)} of tuning jobs")
    for each in definitions(record):
        service.roles.take(each["RoleArn"], arn)
        service.roles.encrypt_volume(each["RoleArn"], _volume_key(each), state.region)
        service.roles.encrypt_output(each["RoleArn"], each["OutputDataConfig"].get("KmsKeyId"), state.region)
    try:
        job = TuningJob(service, state, record)
    except SearchError as error:
        raise ServiceError(str(error)) from error
    add(state.tuning_jobs, name, record, "hyperparameter tuning job")
    state.tag(arn, request.get("Tags"))
    record["_job"] = job
    thread = threading.Thread(target=_run, args=(service, state, record, job), name=name, daemon=True)

    def finish() -> None:
        job.kill()
        thread.join(END_SECONDS)

    service.on_stop(finish)
    thread.start()
    return {ARN: arn}


def _run(service: Service, state: State, record: Record, job: TuningJob) -> None:
    _emit(service, state, record)
    try:
        status, reason = job.run()
    except SearchError as error:
        job.stop()
        status, reason = "Failed", str(error)
    except Exception as error:
        if not service.stopping.is_set():
            log.exception("%s", record[NAME])
        status, reason = "Failed", f"InternalServerError: {type(error).__name__}: {error}"
    end(service, state, record, status, reason)


def end(service: Service, state: State, record: Record, status: str, reason: str) -> None:
    """Record the end of a tuning job."""
    if reason:
        record["FailureReason"] = reason[:1024]
    record["HyperParameterTuningEndTime"] = record["LastModifiedTime"] = now()
    seconds = (record["HyperParameterTuningEndTime"] - record["CreationTime"]).total_seconds()
    record["ConsumedResources"] = {"RuntimeInSeconds": round(seconds)}
    record[STATUS] = status
    record["_ended"].set()
    if not service.stopping.is_set():
        _emit(service, state, record)


def _emit(service: Service, state: State, record: Record) -> None:
    service.emit(state, "HyperParameter Tuning Job State Change", described(state, record), record[ARN])


def described(state: State, record: Record) -> Record:
    """What DescribeHyperParameterTuningJob answers."""
    answer = {key: value for key, value in record.items() if not key.startswith("_")}
    found = summaries(state, record)
    answer |= counters(found)
    if best := best_first(record, found):
        answer["BestTrainingJob"] = best[0]
    if record.get("WarmStartConfig", {}).get("WarmStartType") == "IdenticalDataAndAlgorithm":
        answer |= _overall_best(state, record)
    return answer


def describe(service: Service, state: State, request: Record) -> Record:
    """DescribeHyperParameterTuningJob."""
    return described(state, _find(state, request))


def stop(service: Service, state: State, request: Record) -> None:
    """StopHyperParameterTuningJob: its training jobs are stopped too."""
    record = _find(state, request)
    if record[STATUS] == "InProgress":
        record[STATUS] = "Stopping"
        record["_job"].stop()


def list_jobs(service: Service, state: State, request: Record) -> Record:
    """ListHyperParameterTuningJobs."""
    keys = (NAME, ARN, STATUS, "CreationTime", "LastModifiedTime", "HyperParameterTuningEndTime")
    found = []
    for record in state.tuning_jobs.values():
        config = record["HyperParameterTuningJobConfig"]
        found.append(
            {key: record[key] for key in keys if key in record}
            | counters(summaries(state, record))
            | {"Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}
        )
    return page(found, request, "HyperParameterTuningJobSummaries")


def list_training_jobs(service: Service, state: State, request: Record) -> Record:
    """ListTrainingJobsForHyperParameterTuningJob; in the order of the objective, jobs without one are left out."""
    found = summaries(state, _find(state, request))
    if request.get("SortBy") == "FinalObjectiveMetricValue":
        found = [each for each in found if FINAL in each]
        answer = page(
            [each | {"FinalObjectiveMetricValue": each[FINAL]["Value"]} for each in found], *_ascending(request)
        )
        return answer | {_SUMMARIES: [_without_sort_key(each) for each in answer[_SUMMARIES]]}
    return page(found, *_ascending({"SortBy": "Name"} | request))


_SUMMARIES = "TrainingJobSummaries"


def _ascending(request: Record) -> tuple[Record, str]:
    return {"SortOrder": "Ascending"} | request, _SUMMARIES


def _without_sort_key(summary: Record) -> Record:
    return {key: value for key, value in summary.items() if key != "FinalObjectiveMetricValue"}


def _overall_best(state: State, record: Record) -> Record:
    parents = [each[NAME] for each in record["WarmStartConfig"]["ParentHyperParameterTuningJobs"]]
    every = [record, *(state.tuning_jobs[name] for name in parents)]
    found = [
        best[0] | {"TuningJobName": each[NAME]} for each in every if (best := best_first(each, summaries(state, each)))
    ]
    if not found:
        return {}
    maximize = found[0][FINAL]["Type"] == "Maximize"
    chosen = (max if maximize else min)(found, key=lambda each: each[FINAL]["Value"])
    return {"OverallBestTrainingJob": chosen}


def _volume_key(definition: Record) -> str | None:
    several: dict[str, Any] = definition.get("HyperParameterTuningResourceConfig", {})
    return definition.get("ResourceConfig", several).get("VolumeKmsKeyId")


def _find(state: State, request: Record) -> Record:
    return find(state.tuning_jobs, request[NAME], "hyperparameter tuning job")


OPERATIONS = {
    "CreateHyperParameterTuningJob": create,
    "DescribeHyperParameterTuningJob": describe,
    "StopHyperParameterTuningJob": stop,
    "ListHyperParameterTuningJobs": list_jobs,
    "ListTrainingJobsForHyperParameterTuningJob": list_training_jobs,
}
