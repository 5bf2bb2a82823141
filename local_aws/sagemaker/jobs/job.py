"""Processing and training jobs: SageMaker's container contract, with a folder in place of the container.

The folder has the layout of /opt/ml. The process gets its role's credentials and no variable of this process
(container_view.py).
"""

import gzip
import json
import shutil
import subprocess
import tarfile
import threading
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...authorization import AccessDeniedError
from ...json_api import Record, now
from ...kept import forget
from ...warm import Process
from ..containers.container_view import ML, STOP_SECONDS, ContainerView, kill, terminate
from ..containers.image_environments import NoEnvironmentError
from ..service import Service
from ..state import State, subnets, vpc_config
from ..storage import Storage

HOST = "algo-1"
_LEVEL = 6
"""Of gzip: its own default. Python's, 9, takes four times as long for 1 % of CatBoost's libraries."""
FILE_CHARACTERS = 1024
"""What SageMaker reads of /opt/ml/output/failure and /opt/ml/output/message."""


class JobError(Exception):
    """The job failed; the message is its FailureReason."""


@contextmanager
def _known_image() -> Generator[None]:
    """Raises JobError when there is no environment for the image."""
    try:
        yield
    except NoEnvironmentError as error:
        raise JobError(f"ClientError: {error}") from error


class Job:
    """One job: its folder, its process, its role."""

    __reduce__ = forget

    def __init__(self, service: Service, state: State, record: Record, kind: str) -> None:
        self._service, self._state, self.record, self.kind = service, state, record, kind
        self.name, self.arn = record[f"{kind}JobName"], record[f"{kind}JobArn"]
        self.folder = service.local.state_dir / "jobs" / f"{self.name}-{uuid.uuid4().hex[:6]}"
        self.root = self.folder / "ml"
        self.stopped = self.interrupted = False
        self.timed_out = ""
        """The member of StoppingCondition that ended the job, without its unit."""
        self._process: Process | None = None
        self.s3 = Storage(service.local.accounts.role_client("s3", record["RoleArn"], state.region, subnets(record)))

    def path(self, inside: str) -> Path:
        """A path below /opt/ml as a path on this machine, its folder made."""
        path = self.root / inside.removeprefix(ML).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def inside(self, path: str) -> str:
        """A path below /opt/ml as the container's process has to write it."""
        return ContainerView(self.root).path(path)

    @property
    def log(self) -> Path:
        """The container's output, which grows while it runs."""
        return self.folder / "log.txt"

    def write_config(self, name: str, content: Any) -> None:
        """A JSON file of the container contract."""
        self.path(name).write_text(json.dumps(content, default=str))

    def read_output(self, name: str) -> str | None:
        """The beginning of a file below /opt/ml/output, which is all that SageMaker reads; None when there is none."""
        path = self.path(f"output/{name}")
        return path.read_bytes()[:FILE_CHARACTERS].decode(errors="ignore") if path.is_file() else None

    def run(
        self,
        image: str | None,
        command: list[str],
        environment: dict[str, str],
        max_seconds: float,
        limit: str = "MaxRuntime",
        folder: str = ML,
    ) -> int:
        """Run the container's command in `folder` to its end; its exit code.

        One that takes too long is stopped, `timed_out` is `limit`. Raises JobError when there is no environment for the image.
        """
        with _known_image():
            view = ContainerView(self.root, self._service.images.python(image))
        accounts, region = self._service.local.accounts, self._state.region
        credentials = accounts.assume(self.record["RoleArn"], "SageMaker", subnets(self.record), region)
        self._service.local.faults.add_process(credentials["AWS_ACCESS_KEY_ID"], self.kill)
        variables = view.environment(region, self._service.local.endpoint_url, credentials) | environment
        with self.log.open("wb") as output:
            where = view.path(folder)
            self._process = self._service.starter.start(view.command(command), where, variables, output, view.mounts)
            if self.stopped or self.interrupted or self._service.stopping.is_set():
                self.kill()
            try:
                code = self._process.wait(max_seconds)
            except subprocess.TimeoutExpired:
                self.timed_out = limit
                self._end()
                code = self._process.wait()
        self._publish_log(self.log)
        return code

    def program(self, image: str | None, name: str) -> str | None:
        """The program of an image's own entry point, such as `train`; None when it is not known."""
        with _known_image():
            return self._service.images.program(image, name)

    def pull_image(self, image: str) -> None:
        """Connect to the VPC, if there is one, and pull the container's image, as the role. Raises JobError."""
        try:
            self._service.roles.create_interfaces(self.record["RoleArn"], vpc_config(self.record), self._state)
        except AccessDeniedError as refusal:
            raise JobError(f"ClientError: cannot create network interfaces: {refusal}") from refusal
        try:
            self._service.roles.pull_image(self.record["RoleArn"], image)
        except AccessDeniedError as refusal:
            raise JobError(f"ClientError: cannot pull the image {image}: {refusal}") from refusal

    def _publish_log(self, log: Path) -> None:
        where = f"/aws/sagemaker/{self.kind}Jobs", f"{self.name}/{HOST}"
        stamp = int(self.record["CreationTime"].timestamp() * 1000)
        lines = log.read_text(errors="replace").splitlines()
        self._service.roles.write_log(self.record["RoleArn"], self._state, where, lines, stamp)

    def stage(self, status: str) -> None:
        """Record a training job's next secondary status."""
        stage(self.record, status)

    def stop(self) -> None:
        """Stop the job, as StopProcessingJob and StopTrainingJob do."""
        self.stopped = True
        if self.kind == "Training":
            self.stage("Stopping")
        self._end()

    def interrupt(self) -> None:
        """Take the spot instance back, as EC2 does: two minutes' notice, and then it is gone."""
        self.interrupted = True
        self._end()

    def restart(self) -> None:
        """Go on to another instance, which has none of the files of this one."""
        self.interrupted = False
        shutil.rmtree(self.root)

    def _end(self) -> None:
        """SIGTERM to a process that handles it and SIGKILL after two minutes; SIGKILL at once to any other."""
        process = self._process
        if process and process.poll() is None and terminate(process):
            timer = threading.Timer(STOP_SECONDS, kill, (process,))  # not the one of a later attempt
            timer.daemon = True
            timer.start()
        else:
            self.kill()

    def kill(self) -> None:
        """Kill the process and its children."""
        if self._process:
            kill(self._process)

    def clean(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def stage(record: Record, status: str) -> None:
    """Record the next secondary status of a training job."""
    stages, time = record["SecondaryStatusTransitions"], now()
    if stages:
        stages[-1]["EndTime"] = time
    stages.append({"Status": status, "StartTime": time})
    record["SecondaryStatus"] = status


_PROCESSING_CONFIG = (
    "ProcessingJobArn",
    "ProcessingJobName",
    "AppSpecification",
    "Environment",
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "RoleArn",
    "StoppingCondition",
)
"""The members of processingjobconfig.json that are documented."""


def run_processing(job: Job) -> tuple[str, str]:
    """Download inputs, run the process, upload outputs; (status, failure reason)."""
    record = job.record
    cluster = record["ProcessingResources"]["ClusterConfig"]
    if cluster["InstanceCount"] > 1:
        raise JobError("ClientError: the embedded AWS runs processing jobs on one instance")
    job.root.mkdir(parents=True)
    job.pull_image(record["AppSpecification"]["ImageUri"])
    for given in record.get("ProcessingInputs", []):
        source = given["S3Input"]
        job.s3.fetch(source, job.path(source["LocalPath"]))
    outputs = record.get("ProcessingOutputConfig", {}).get("Outputs", [])
    for output in outputs:
        job.path(output["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
    job.write_config("config/processingjobconfig.json", {key: record.get(key) for key in _PROCESSING_CONFIG})
    job.write_config("config/resourceconfig.json", {"current_host": HOST, "hosts": [HOST]})
    specification = record["AppSpecification"]
    command = container_command(specification)
    limit = record.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86400)
    code = job.run(specification["ImageUri"], command, record.get("Environment", {}), limit)
    if job.stopped or job.timed_out:
        return "Stopped", ""
    if message := job.read_output("message"):
        record["ExitMessage"] = message
    if code != 0:
        reason = record.get("ExitMessage", "See job logs for more information")
        return "Failed", f"AlgorithmError: {reason}, exit code: {code}"
    key = record.get("ProcessingOutputConfig", {}).get("KmsKeyId")
    for output in outputs:
        job.s3.upload(job.path(output["S3Output"]["LocalPath"]), output["S3Output"]["S3Uri"], key)
    job.clean()
    return "Completed", ""


def container_command(specification: Record) -> list[str]:
    """The container's command. Raises JobError without an entry point: images are not run."""
    if not specification.get("ContainerEntrypoint"):
        raise JobError("ClientError: the embedded AWS runs no images: give the job a ContainerEntrypoint")
    return [*specification["ContainerEntrypoint"], *specification.get("ContainerArguments", [])]


def pack(folder: Path, archive: Path) -> None:
    """A .tar.gz of a folder: the same bytes for the same content, so that artifacts can be compared."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, arcname=str(path.relative_to(folder)), recursive=False, filter=_timeless)


def _timeless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
