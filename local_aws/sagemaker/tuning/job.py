"""A tuning job that runs: starts training jobs, reads their objective, and chooses the next values.

Training job n+P is started when job n has ended, where P is the number of parallel jobs. The values of each depend on the
results of the same others in every run, so that the same seed gives the same search. Sources: SageMaker API reference,
CreateHyperParameterTuningJob and DescribeHyperParameterTuningJob; words of failures: reports in public repositories.
"""

import random
import time
from collections.abc import Iterator

from ...json_api import Record, ServiceError
from ...kept import forget
from ..jobs.api import KINDS
from ..jobs.metric_definitions import EMITTED, emitted
from ..jobs.script_mode import OBJECTIVE_HYPERPARAMETER
from ..service import Service
from ..state import State
from .results import FINAL, best_first, definitions, is_maximized, objective_name, result, summaries
from .search import Search, SearchError, make
from .stops import complete, early_stop

TRAINING = next(kind for kind in KINDS if kind.name == "Training")
POLL_SECONDS = 0.1
FEW = 5
"""Training jobs without result after which a tuning job fails."""
_COPIED = (
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "RetryStrategy",
    "Environment",
)


class TuningJob:
    """One tuning job. `record["_trials"]` has its training jobs in order: `name`, `values`, `definition`, `ended_at`."""

    __reduce__ = forget

    def __init__(self, service: Service, state: State, record: Record) -> None:
        self._service, self._state, self.record = service, state, record
        self.stopped = False
        config = record["HyperParameterTuningJobConfig"]
        limits = config["ResourceLimits"]
        self._definitions = definitions(record)
        self._searches = [self._search(each) for each in self._definitions]
        self._trials: list[Record] = record["_trials"]
        self._criteria: Record = config.get("TuningJobCompletionCriteria", {})
        self._parallel: int = limits["MaxParallelTrainingJobs"]
        self._most: float = limits.get("MaxNumberOfTrainingJobs", float("inf"))
        self._early = config.get("TrainingJobEarlyStoppingType", "Off") == "Auto"
        self._deadline = time.monotonic() + limits.get("MaxRuntimeInSeconds", float("inf"))
        self._told: list[float | None] = []

    def stop(self) -> None:
        """Stop the tuning job and its training jobs."""
        self.stopped = True
        for record in self._running():
            TRAINING.stop(self._service, self._state, {"TrainingJobName": record["TrainingJobName"]})

    def kill(self) -> None:
        """Start nothing more; the training jobs end by themselves when the embedded AWS stops."""
        self.stopped = True

    def run(self) -> tuple[str, str]:
        """Run the training jobs; (status, failure reason). Raises SearchError."""
        while len(self._trials) < self._most and not self._ended():
            if len(self._trials) - len(self._told) >= self._parallel:
                self._tell_next()
                self._fail_without_results()
                continue
            number = len(self._trials) % len(self._definitions)
            chosen = self._searches[number].ask()
            if chosen is None:
                break
            self._start(number, chosen)
        while len(self._told) < len(self._trials):
            self._tell_next()
        if self.stopped:
            return "Stopped", ""
        if all(each is None for each in self._told):
            self._fail_without_results(at_the_end=True)
        return "Completed", ""

    def _ended(self) -> bool:
        found = [each for each in self._told if each is not None]
        maximize = is_maximized(self._definitions[0])
        return (
            self.stopped
            or self._service.stopping.is_set()
            or time.monotonic() >= self._deadline
            or complete(self._criteria, found, maximize=maximize)
        )

    def _search(self, definition: Record) -> Search:
        config = self.record["HyperParameterTuningJobConfig"]
        maximize, seed = is_maximized(definition), config.get("RandomSeed")
        search = make(config["Strategy"], definition["HyperParameterRanges"], maximize=maximize, seed=seed)
        for parent in self.record.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", []):
            record = self._state.tuning_jobs[parent["HyperParameterTuningJobName"]]
            for each in best_first(record, summaries(self._state, record)):
                search.learn(each["TunedHyperParameters"], each[FINAL]["Value"])
        return search

    def _start(self, number: int, chosen: dict[str, str]) -> None:
        definition = self._definitions[number]
        suffix = random.getrandbits(32)
        name = f"{self.record['HyperParameterTuningJobName']}-{len(self._trials) + 1:03}-{suffix:08x}"
        try:
            TRAINING.create(self._service, self._state, training_request(self.record, definition, name, chosen))
        except ServiceError as error:
            raise SearchError(f"ClientError: {error}") from error
        self._trials.append({"name": name, "values": chosen, "definition": number, "ended_at": None})
        if self.stopped:
            TRAINING.stop(self._service, self._state, {"TrainingJobName": name})

    def _tell_next(self) -> None:
        """Wait for the oldest training job that has no result yet."""
        trial = self._trials[len(self._told)]
        record = self._state.training_jobs[trial["name"]]
        while not record["_ended"].wait(POLL_SECONDS):
            if time.monotonic() >= self._deadline and not self.stopped:
                for running in self._running():
                    TRAINING.stop(self._service, self._state, {"TrainingJobName": running["TrainingJobName"]})
            if self._early:
                self._stop_early()
        found = result(self._definitions[trial["definition"]], trial, record)
        self._searches[trial["definition"]].tell(found)
        self._told.append(found)

    def _stop_early(self) -> None:
        for trial in self._trials[len(self._told) :]:
            record = self._state.training_jobs[trial["name"]]
            if trial["ended_at"] is None and record["TrainingJobStatus"] == "InProgress":
                definition = self._definitions[trial["definition"]]
                found = emitted(definition["AlgorithmSpecification"].get("MetricDefinitions", []), record["_job"].log)
                name, maximize = objective_name(definition), is_maximized(definition)
                trial["ended_at"] = early_stop(found.get(name, []), self._previous(name), maximize=maximize)
                if trial["ended_at"] is not None:
                    TRAINING.stop(self._service, self._state, {"TrainingJobName": trial["name"]})

    def _previous(self, metric: str) -> list[list[float]]:
        """The objective of completed training jobs after each epoch."""
        told = (self._state.training_jobs[each["name"]] for each in self._trials[: len(self._told)])
        return [each[EMITTED][metric] for each in told if each["TrainingJobStatus"] == "Completed" and EMITTED in each]

    def _fail_without_results(self, *, at_the_end: bool = False) -> None:
        if any(each is not None for each in self._told) or self.stopped or self._service.stopping.is_set():
            return
        if len(self._told) < FEW and not at_the_end:
            return
        statuses = {
            self._state.training_jobs[each["name"]]["TrainingJobStatus"] for each in self._trials[: len(self._told)]
        }
        if "Completed" in statuses:
            raise SearchError(
                f"No objective metrics found after running {len(self._told)} training jobs. Please ensure that the custom "
                "algorithm is emitting the objective metric as defined by the regular expression provided."
            )
        failed = "All training jobs failed." if at_the_end else f"No training job succeeded after {FEW} attempts."
        raise SearchError(f"{failed} Please take a look at the training job failures to get more details.")

    def _running(self) -> Iterator[Record]:
        for trial in self._trials:
            record = self._state.training_jobs[trial["name"]]
            if record["TrainingJobStatus"] == "InProgress":
                yield record


def training_request(record: Record, definition: Record, name: str, chosen: dict[str, str]) -> Record:
    """The request of a training job of a tuning job."""
    static = definition.get("StaticHyperParameters", {})
    request = {key: definition[key] for key in _COPIED if key in definition} | {
        "TrainingJobName": name,
        "TuningJobArn": record["HyperParameterTuningJobArn"],
        "AlgorithmSpecification": definition["AlgorithmSpecification"],
        "HyperParameters": {**static, **chosen, OBJECTIVE_HYPERPARAMETER: objective_name(definition)},
        "Tags": record["_tags"],
    }
    if several := definition.get("HyperParameterTuningResourceConfig"):
        members = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
        first = {**several, **(several.get("InstanceConfigs") or [{}])[0]}
        request["ResourceConfig"] = {key: first[key] for key in members if key in first}
    if checkpoints := definition.get("CheckpointConfig"):
        uri = f"{checkpoints['S3Uri'].rstrip('/')}/{name}"
        request["CheckpointConfig"] = checkpoints | {"S3Uri": uri}
    return request
