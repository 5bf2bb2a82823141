"""The API of processing, training and transform jobs, and the lifecycle of a job."""

import logging
import threading
from typing import Any

from ...json_api import Record, ServiceError, now
from ..lists import page
from ..service import Service
from ..state import State, add, find
from .job import Job, JobError, run_processing, stage
from .training import run_training
from .transform import TransformJob

log = logging.getLogger(__name__)
END_SECONDS = 5
WAIT_SECONDS = 0.2


class Kind:
    """A kind of job: its names in the API, and the function that runs it."""

    def __init__(self, name: str, table: str, run: Any, make: Any = Job) -> None:
        self.name, self.table, self.run, self.make = name, table, run, make
        self.name_key, self.arn_key, self.status_key = f"{name}JobName", f"{name}JobArn", f"{name}JobStatus"
        self.start_key, self.end_key = f"{name}StartTime", f"{name}EndTime"

    def create(self, service: Service, state: State, request: Record) -> Record:
        """CreateProcessingJob and the like: the job runs in the background."""
        name = request[self.name_key]
        arn = state.arn(f"{self.name.lower()}-job", name)
        record = {key: value for key, value in request.items() if key != "Tags"}
        record |= {self.arn_key: arn, self.status_key: "InProgress", "CreationTime": now(), "LastModifiedTime": now()}
        if self.name == "Training":
            record |= {"SecondaryStatus": "Starting", "SecondaryStatusTransitions": []}
        if role := request.get("RoleArn"):  # a transform job uses its model's role
            service.roles.take(role, arn)
            service.roles.encrypt_volume(role, _cluster(request).get("VolumeKmsKeyId"), state.region)
            service.roles.encrypt_output(role, _output_key(request), state.region)
        try:
            job = self.make(service, state, record, self.name)
        except LookupError as error:
            raise ServiceError(f"{error}. Check the VPC configuration of the job.") from error
        add(getattr(state, self.table), name, record, f"{self.name.lower()} job")
        state.tag(arn, request.get("Tags"))
        if self.name == "Training":
            job.stage("Starting")
        record["_job"], record["_ended"] = job, threading.Event()
        thread = threading.Thread(target=self._run, args=(service, state, record, job), name=name, daemon=True)

        def end() -> None:
            job.kill()
            # Until it ends, the thread may still write into the job's folder, which is removed with the server.
            thread.join(END_SECONDS)

        service.on_stop(end)
        thread.start()
        return {self.arn_key: arn}

    def _run(self, service: Service, state: State, record: Record, job: Any) -> None:
        self._emit_state_change(service, state, record)
        try:
            status, reason = self._run_on_a_core(service, record, job)
        except JobError as error:
            status, reason = "Failed", str(error)
        except Exception as error:
            log.exception("%s", record[self.name_key])
            status, reason = "Failed", f"InternalServerError: {type(error).__name__}: {error}"
        self.end(service, state, record, status, reason, f"{job.timed_out}Exceeded" if job.timed_out else status)

    def end(
        self, service: Service, state: State, record: Record, status: str, reason: str, secondary: str = ""
    ) -> None:
        """Record the end of a job; `secondary`: a training job's last secondary status, if it is not `status`."""
        if reason:
            record["FailureReason"] = reason[:1024]
        if self.name == "Training":
            stage(record, secondary or status)
            record["SecondaryStatusTransitions"][-1]["EndTime"] = now()
        record[self.end_key] = record["LastModifiedTime"] = now()
        if self.name == "Training" and self.start_key in record:
            # Instances are there at once, so that no time is waited for; what spot instances save is not simulated.
            seconds = max(1, round((record[self.end_key] - record[self.start_key]).total_seconds()))
            record["TrainingTimeInSeconds"] = record["BillableTimeInSeconds"] = seconds
        record[self.status_key] = status
        record["_ended"].set()
        if not service.stopping.is_set():
            self._emit_state_change(service, state, record)

    def _run_on_a_core(self, service: Service, record: Record, job: Any) -> tuple[str, str]:
        while not service.cores.acquire(timeout=WAIT_SECONDS):
            if job.stopped or service.stopping.is_set():
                return "Stopped", ""
        try:
            if job.stopped or service.stopping.is_set():
                return "Stopped", ""
            record[self.start_key] = now()
            return self.run(job)
        finally:
            service.cores.release()

    def _emit_state_change(self, service: Service, state: State, record: Record) -> None:
        service.emit(state, f"{self.name} Job State Change", _visible(record), record[self.arn_key])

    def describe(self, service: Service, state: State, request: Record) -> Record:
        """DescribeProcessingJob, DescribeTrainingJob."""
        return _visible(self._find(state, request))

    def stop(self, service: Service, state: State, request: Record) -> None:
        """StopProcessingJob, StopTrainingJob."""
        record = self._find(state, request)
        if record[self.status_key] == "InProgress":
            record[self.status_key] = "Stopping"
            record["_job"].stop()

    def list(self, service: Service, state: State, request: Record) -> Record:
        """ListProcessingJobs, ListTrainingJobs."""
        keys = (self.name_key, self.arn_key, "CreationTime", self.end_key, "LastModifiedTime", self.status_key)
        found = [{key: record[key] for key in keys if key in record} for record in getattr(state, self.table).values()]
        order = "Descending" if self.name == "Transform" else "Ascending"
        return page(found, request, f"{self.name}JobSummaries", order=order)

    def _find(self, state: State, request: Record) -> Record:
        return find(getattr(state, self.table), request[self.name_key], f"{self.name.lower()} job")

    def operations(self) -> dict[str, Any]:
        """The operations of this kind."""
        return {
            f"Create{self.name}Job": self.create,
            f"Describe{self.name}Job": self.describe,
            f"Stop{self.name}Job": self.stop,
            f"List{self.name}Jobs": self.list,
        }


def _cluster(request: Record) -> Record:
    processing = request.get("ProcessingResources", {}).get("ClusterConfig", {})
    return processing | request.get("ResourceConfig", {}) | request.get("TransformResources", {})


def _output_key(request: Record) -> str | None:
    return (request.get("ProcessingOutputConfig", {}) | request.get("OutputDataConfig", {})).get("KmsKeyId")


def _visible(record: Record) -> Record:
    return {key: value for key, value in record.items() if not key.startswith("_")}


KINDS = (
    Kind("Processing", "processing_jobs", run_processing),
    Kind("Training", "training_jobs", run_training),
    Kind("Transform", "transform_jobs", TransformJob.run, TransformJob),
)


def interrupt_spot_instances(service: Service, body: Record) -> Record:
    """Take back the instances of training jobs that run on spot capacity; serve `POST /_local/spot-interruptions {job?}`.

    `job`: a part of the jobs' names. The answer has the names.
    """
    running = [
        record
        for state in service.states()
        for record in list(state.training_jobs.values())
        if record.get("EnableManagedSpotTraining")
        and (record["TrainingJobStatus"], record["SecondaryStatus"]) == ("InProgress", "Training")
        and body.get("job", "") in record["TrainingJobName"]
    ]
    for record in running:
        record["_job"].interrupt()
    return {"interrupted": [record["TrainingJobName"] for record in running]}


OPERATIONS = {name: operation for kind in KINDS for name, operation in kind.operations().items()}
