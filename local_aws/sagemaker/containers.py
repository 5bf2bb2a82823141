"""A job's process and the files around it: SageMaker's container contract, with a folder in place of the container.

The folder has the layout of /opt/ml. LOCAL_AWS_ML_ROOT holds its path (FACTORY_ML_ROOT too, Model Factory's name for it),
and paths below /opt/ml in the entry point and its arguments are rewritten to it. The process gets its role's credentials
and no variable of this process.
"""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..authorization import AccessDeniedError
from ..json_api import Record, now
from .service import Service
from .state import State, subnets, vpc_config
from .storage import Storage
from .warm import Process

ML = "/opt/ml"
HOST = "algo-1"


def ml_root(root: Path) -> dict[str, str]:
    """The variables that hold the folder in the place of /opt/ml."""
    return {"LOCAL_AWS_ML_ROOT": str(root), "FACTORY_ML_ROOT": str(root)}


class JobError(Exception):
    """The job failed; the message is its FailureReason."""


class Job:
    """One job: its folder, its process, its role."""

    def __init__(self, service: Service, state: State, record: Record, kind: str) -> None:
        self._service, self._state, self.record, self.kind = service, state, record, kind
        self.name, self.arn = record[f"{kind}JobName"], record[f"{kind}JobArn"]
        self.root = service.local.state_dir / "jobs" / f"{self.name}-{uuid.uuid4().hex[:6]}"
        self.stopped = False
        self._process: Process | None = None
        self.s3 = Storage(service.local.accounts.role_client("s3", record["RoleArn"], state.region, subnets(record)))

    def path(self, inside: str) -> Path:
        """A path below /opt/ml as a path on this machine, its folder made."""
        path = self.root / inside.removeprefix(ML).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write_config(self, name: str, content: Any) -> None:
        """A JSON file of the container contract."""
        self.path(name).write_text(json.dumps(content, default=str))

    def run(self, command: list[str], environment: dict[str, str], max_seconds: int) -> int:
        """Run the container's command to its end; its exit code. Raises JobError when it takes too long."""
        rewritten = [part.replace(ML, str(self.root), 1) if part.startswith(ML) else part for part in command]
        if Path(rewritten[0]).name in ("python", "python3"):
            rewritten[0] = sys.executable
        log = self.root / "log.txt"
        with log.open("wb") as output:
            self._process = self._service.starter.start(rewritten, self.root, self._environment() | environment, output)
            if self.stopped or self._service.stopping.is_set():
                self.kill()
            try:
                code = self._process.wait(max_seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                code = None
        self._publish_log(log)
        if code is None:
            raise JobError(f"MaxRuntimeExceeded: the job ran longer than {max_seconds} s")
        return code

    def _environment(self) -> dict[str, str]:
        region = self._state.region
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.root),
            "PYTHONUNBUFFERED": "1",
            **ml_root(self.root),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self._service.local.endpoint_url,
            **self._service.local.accounts.assume(self.record["RoleArn"], "SageMaker", subnets(self.record), region),
        }

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
        stages, time = self.record["SecondaryStatusTransitions"], now()
        if stages:
            stages[-1]["EndTime"] = time
        stages.append({"Status": status, "StartTime": time})
        self.record["SecondaryStatus"] = status

    def stop(self) -> None:
        """Stop the job, as StopProcessingJob and StopTrainingJob do."""
        self.stopped = True
        self.kill()

    def kill(self) -> None:
        """Kill the process and its children, as the end of a container does."""
        if self._process and self._process.poll() is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.killpg(self._process.pid, signal.SIGKILL)

    def clean(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.root, ignore_errors=True)


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
    job.write_config(
        "config/processingjobconfig.json", {key: v for key, v in record.items() if not key.startswith("_")}
    )
    job.write_config("config/resourceconfig.json", {"current_host": HOST, "hosts": [HOST]})
    specification = record["AppSpecification"]
    command = _command(specification)
    limit = record.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86400)
    code = job.run(command, record.get("Environment", {}), limit)
    if job.stopped:
        return "Stopped", ""
    message = job.path("output/message")
    if message.exists():
        record["ExitMessage"] = message.read_text()[:1024]
    if code != 0:
        reason = record.get("ExitMessage", "See job logs for more information")
        return "Failed", f"AlgorithmError: {reason}, exit code: {code}"
    key = record.get("ProcessingOutputConfig", {}).get("KmsKeyId")
    for output in outputs:
        job.s3.upload(job.path(output["S3Output"]["LocalPath"]), output["S3Output"]["S3Uri"], key)
    job.clean()
    return "Completed", ""


def run_training(job: Job) -> tuple[str, str]:
    """Download channels, run the process, upload model.tar.gz; (status, failure reason)."""
    record = job.record
    if record["ResourceConfig"].get("InstanceCount", 1) > 1:
        raise JobError("ClientError: the embedded AWS trains on one instance")
    job.root.mkdir(parents=True)
    if image := record["AlgorithmSpecification"].get("TrainingImage"):
        job.pull_image(image)
    job.stage("Downloading")
    channels = record.get("InputDataConfig", [])
    for channel in channels:
        target = job.path(f"input/data/{channel['ChannelName']}/")
        job.s3.fetch(channel["DataSource"]["S3DataSource"], target)
    for folder in ("model", "output/data"):
        job.path(folder).mkdir(parents=True, exist_ok=True)
    hyperparameters = record.get("HyperParameters", {})
    job.write_config("input/config/hyperparameters.json", hyperparameters)
    job.write_config(
        "input/config/resourceconfig.json", {"current_host": HOST, "hosts": [HOST], "network_interface_name": "lo"}
    )
    job.write_config(
        "input/config/inputdataconfig.json",
        {c["ChannelName"]: {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"} for c in channels},
    )
    environment = {"TRAINING_JOB_NAME": job.name, "TRAINING_JOB_ARN": job.arn, **record.get("Environment", {})}
    for channel in channels:
        name = channel["ChannelName"]
        environment[f"SM_CHANNEL_{name.upper()}"] = str(job.path(f"input/data/{name}"))
    job.stage("Training")
    specification = record["AlgorithmSpecification"]
    command = _command(specification)
    code = job.run(command, environment, record["StoppingCondition"]["MaxRuntimeInSeconds"])
    if job.stopped:
        return "Stopped", ""
    if code != 0:
        failure = job.path("output/failure")
        reason = failure.read_text() if failure.exists() else "the container wrote no /opt/ml/output/failure"
        return "Failed", f"AlgorithmError: {reason[:950]}, exit code: {code}"
    job.stage("Uploading")
    archive = job.root / "model.tar.gz"
    pack(job.path("model"), archive)
    config = record["OutputDataConfig"]
    where = f"{config['S3OutputPath'].rstrip('/')}/{job.name}/output"
    uri = f"{where}/model.tar.gz"
    job.s3.upload_file(archive, uri, config.get("KmsKeyId"))
    if any(path.is_file() for path in job.path("output").rglob("*")):
        pack(job.path("output"), job.root / "output.tar.gz")
        job.s3.upload_file(job.root / "output.tar.gz", f"{where}/output.tar.gz", config.get("KmsKeyId"))
    record["ModelArtifacts"] = {"S3ModelArtifacts": uri}
    job.clean()
    return "Completed", ""


def _command(specification: Record) -> list[str]:
    """The container's command. Raises JobError without an entry point: images are not run."""
    if not specification.get("ContainerEntrypoint"):
        raise JobError("ClientError: the embedded AWS runs no images: give the job a ContainerEntrypoint")
    return [*specification["ContainerEntrypoint"], *specification.get("ContainerArguments", [])]


def pack(folder: Path, archive: Path) -> None:
    """A .tar.gz of a folder: the same bytes for the same content, so that artifacts can be compared."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, arcname=str(path.relative_to(folder)), recursive=False, filter=_timeless)


def _timeless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
