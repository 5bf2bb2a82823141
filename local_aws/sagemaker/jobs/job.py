"""Processing and training jobs: SageMaker's container contract, with a folder in place of the container.

The folder has the layout of /opt/ml. The process gets its role's credentials and no variable of this process
(container_view.py).
"""

import gzip
import shutil
import tarfile
import uuid
from pathlib import Path

from ...authorization import AccessDeniedError
from ...json_api import Record, now
from ...kept import forget
from ..service import Service
from ..state import State, subnets, vpc_config
from ..storage import Storage
from . import host_names
from .host import FIRST, Host, JobError

_LEVEL = 6
"""Of gzip: its own default. Python's, 9, takes four times as long for 1 % of CatBoost's libraries."""


class Job:
    """One job: its folder, its hosts, its role."""

    __reduce__ = forget

    def __init__(self, service: Service, state: State, record: Record, kind: str) -> None:
        self.service, self.state, self.record, self.kind = service, state, record, kind
        self.name, self.arn = record[f"{kind}JobName"], record[f"{kind}JobArn"]
        self.folder = service.local.state_dir / "jobs" / f"{self.name}-{uuid.uuid4().hex[:6]}"
        self.stopped = self.interrupted = self._failed = False
        self.s3 = Storage(service.local.accounts.role_client("s3", record["RoleArn"], state.region, subnets(record)))
        self.hosts = [Host(self, FIRST, self.folder)]

    @property
    def first(self) -> Host:
        """The first host, the only one of most jobs."""
        return self.hosts[0]

    @property
    def log(self) -> Path:
        """The output of the first host's container, which grows while it runs."""
        return self.first.log

    @property
    def timed_out(self) -> str:
        """The member of StoppingCondition that ended the job, without its unit."""
        return next((host.timed_out for host in self.hosts if host.timed_out), "")

    @property
    def is_ending(self) -> bool:
        """Whether no container may run any more."""
        return self.stopped or self.interrupted or self._failed or self.service.stopping.is_set()

    def add_hosts(self, count: int) -> None:
        """Have `count` hosts that reach each other by their names. Raises JobError where that is not possible."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mounts = host_names.mounts(count, self.folder)
        folders = [self.folder, *(self.folder / name for name in host_names.names(count)[1:])]
        named = zip(host_names.names(count), folders, strict=True)
        self.hosts = [Host(self, name, folder, mounts) for name, folder in named]

    def pull_image(self, image: str) -> None:
        """Connect to the VPC, if there is one, and pull the container's image, as the role. Raises JobError."""
        try:
            self.service.roles.create_interfaces(self.record["RoleArn"], vpc_config(self.record), self.state)
        except AccessDeniedError as refusal:
            raise JobError(f"ClientError: cannot create network interfaces: {refusal}") from refusal
        try:
            self.service.roles.pull_image(self.record["RoleArn"], image)
        except AccessDeniedError as refusal:
            raise JobError(f"ClientError: cannot pull the image {image}: {refusal}") from refusal

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
        """Take the spot instances back, as EC2 does: two minutes' notice, and then they are gone."""
        self.interrupted = True
        self._end()

    def restart(self) -> None:
        """Go on to other instances, which have none of the files of these."""
        self.interrupted = False
        for host in self.hosts:
            shutil.rmtree(host.root)

    def give_up(self) -> None:
        """End all hosts, because one has failed."""
        self._failed = True
        self.kill()

    def _end(self) -> None:
        for host in self.hosts:
            host.end()

    def kill(self) -> None:
        """Kill the containers' processes and their children."""
        for host in self.hosts:
            host.kill()

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
    host = job.first
    host.root.mkdir(parents=True)
    job.pull_image(record["AppSpecification"]["ImageUri"])
    for given in record.get("ProcessingInputs", []):
        source = given["S3Input"]
        job.s3.fetch(source, host.path(source["LocalPath"]))
    outputs = record.get("ProcessingOutputConfig", {}).get("Outputs", [])
    for output in outputs:
        host.path(output["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
    host.write_config("config/processingjobconfig.json", {key: record.get(key) for key in _PROCESSING_CONFIG})
    host.write_config("config/resourceconfig.json", {"current_host": FIRST, "hosts": [FIRST]})
    specification = record["AppSpecification"]
    command = container_command(specification)
    limit = record.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86400)
    code = host.run(specification["ImageUri"], command, record.get("Environment", {}), limit)
    if job.stopped or job.timed_out:
        return "Stopped", ""
    if message := host.read_output("message"):
        record["ExitMessage"] = message
    if code != 0:
        reason = record.get("ExitMessage", "See job logs for more information")
        return "Failed", f"AlgorithmError: {reason}, exit code: {code}"
    key = record.get("ProcessingOutputConfig", {}).get("KmsKeyId")
    for output in outputs:
        job.s3.upload(host.path(output["S3Output"]["LocalPath"]), output["S3Output"]["S3Uri"], key)
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
