"""Training jobs: channels, checkpoints, attempts on spot instances, hosts, artifacts."""

import shutil
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ...json_api import Record, now
from ..containers.container_view import ML
from .checkpoints import Checkpoints
from .host import Host, JobError
from .job import Job, container_command, pack
from .metric_definitions import record_metrics
from .script_mode import CODE, ScriptMode


def run_training(job: Job) -> tuple[str, str]:
    """Run the containers, on spot instances until none is taken back, and upload model.tar.gz; (status, failure reason)."""
    record = job.record
    if record["ResourceConfig"].get("InstanceGroups"):
        raise JobError("ClientError: the embedded AWS has no heterogeneous clusters (InstanceGroups)")
    job.add_hosts(record["ResourceConfig"].get("InstanceCount", 1))
    image = record["AlgorithmSpecification"].get("TrainingImage")
    checkpoints = [Checkpoints(host) for host in job.hosts]
    ran = 0.0
    while True:
        for host in job.hosts:
            host.root.mkdir(parents=True)
        if image:
            job.pull_image(image)
        job.stage("Downloading")
        for index, host in enumerate(job.hosts):
            _download(job, host, index)
            checkpoints[index].fetch()
        job.stage("Training")
        started = time.monotonic()
        with ExitStack() as kept:
            for each in checkpoints:
                kept.enter_context(each.kept_in_s3())
            failed, code = _run_hosts(job, image, ran)
        ran += time.monotonic() - started
        if not job.interrupted or job.stopped or job.timed_out:
            break
        job.stage("Interrupted")
        job.restart()
        job.stage("Starting")
    record_metrics(record, [host.log for host in job.hosts])
    ended_early = job.stopped or bool(job.timed_out)
    if code != 0 and not ended_early:
        reason = failed.read_output("failure") or "the container wrote no /opt/ml/output/failure"
        return "Failed", f"AlgorithmError: {reason[:950]}, exit code: {code}"
    if not ended_early or any(path for host in job.hosts for path in host.path("model").rglob("*")):
        _upload(job)
    if ended_early:
        return "Stopped", ""
    job.clean()
    return "Completed", ""


def _run_hosts(job: Job, image: str | None, ran: float) -> tuple[Host, int]:
    """Run the container of each host: (the host that failed first, or else the first one; its exit code).

    A host that fails ends the others. Raises JobError.
    """
    if len(job.hosts) == 1:
        return job.first, _run_container(job, job.first, image, ran)
    ended: SimpleQueue[tuple[Host, int | Exception]] = SimpleQueue()

    def run(host: Host) -> None:
        try:
            ended.put((host, _run_container(job, host, image, ran)))
        except Exception as error:
            ended.put((host, error))

    for host in job.hosts:
        threading.Thread(target=run, args=(host,), name=f"{job.name}/{host.name}", daemon=True).start()
    results = [_result(job, *ended.get()) for _ in job.hosts]
    failed, code = next(((host, result) for host, result in results if result != 0), (job.first, 0))
    if isinstance(code, Exception):
        raise code
    return failed, code


def _result(job: Job, host: Host, result: int | Exception) -> tuple[Host, int | Exception]:
    """The result of a host, which ends the others unless they are about to end, within the time that SageMaker gives them."""
    if result != 0 and not job.is_ending and not job.timed_out:
        job.give_up()
    return host, result


def _run_container(job: Job, host: Host, image: str | None, ran: float) -> int:
    """Run the entry point of the request, or the script that the image's own entry point starts; the exit code."""
    specification, left = job.record["AlgorithmSpecification"], _left(job.record, ran)
    if specification.get("ContainerEntrypoint"):
        return host.run(image, container_command(specification), _environment(job), *left)
    if program := host.program(image, "train"):
        return host.run(image, [program], _environment(job), *left)
    script = ScriptMode(host, [each.name for each in job.hosts])
    command = script.command()
    variables = script.environment() | _environment(job)
    code = host.run(image, command, variables, *left, folder=CODE if host.path(CODE).exists() else ML)
    if code != 0:
        script.write_failure(code, command)
    return code


def _left(record: Record, ran: float) -> tuple[float, str]:
    """Seconds that the job may still run, at least 0, and the limit that ends it then. `ran`: seconds of earlier attempts."""
    limits: dict[str, Any] = record["StoppingCondition"]
    left = {"MaxRuntime": limits.get("MaxRuntimeInSeconds", 86400) - ran}
    if wait := limits.get("MaxWaitTimeInSeconds"):
        left["MaxWaitTime"] = wait - (now() - record["CreationTime"]).total_seconds()
    limit = min(left, key=lambda name: left[name])
    return max(0.0, left[limit]), limit


def _download(job: Job, host: Host, index: int) -> None:
    """The files of the container contract."""
    record, names = job.record, [each.name for each in job.hosts]
    channels = record.get("InputDataConfig", [])
    for channel in channels:
        source, target = channel["DataSource"]["S3DataSource"], host.path(f"input/data/{channel['ChannelName']}/")
        share = (index, len(names)) if _distribution(channel) == "ShardedByS3Key" else (0, 1)
        job.s3.fetch(source, target, share)
    for folder in ("model", "output/data"):
        host.path(folder).mkdir(parents=True, exist_ok=True)
    host.write_config("input/config/hyperparameters.json", record.get("HyperParameters", {}))
    kind = record["ResourceConfig"].get("InstanceType")
    group = {"instance_group_name": "homogeneousCluster", "instance_type": kind, "hosts": names}
    resources = {"current_host": host.name, "current_instance_type": kind, "current_group_name": "homogeneousCluster"}
    resources |= {"hosts": names, "instance_groups": [group], "network_interface_name": "lo"}
    host.write_config("input/config/resourceconfig.json", resources)
    described = {
        channel["ChannelName"]: {
            "TrainingInputMode": "File",
            "S3DistributionType": _distribution(channel),
            "RecordWrapperType": "None",
        }
        for channel in channels
    }
    host.write_config("input/config/inputdataconfig.json", described)


def _distribution(channel: Record) -> str:
    return channel["DataSource"]["S3DataSource"].get("S3DataDistributionType", "FullyReplicated")


def _environment(job: Job) -> dict[str, str]:
    """Without the variables SM_…, which are the training toolkit's: an entry point of one's own has none."""
    return {"TRAINING_JOB_NAME": job.name, "TRAINING_JOB_ARN": job.arn, **job.record.get("Environment", {})}


def _upload(job: Job) -> None:
    """Upload model.tar.gz and output.tar.gz: also of a job that was stopped, if it saved a model in time."""
    record = job.record
    job.stage("Uploading")
    archive = job.folder / "model.tar.gz"
    pack(_together(job, "model"), archive)
    config = record["OutputDataConfig"]
    where = f"{config['S3OutputPath'].rstrip('/')}/{job.name}/output"
    uri = f"{where}/model.tar.gz"
    job.s3.upload_file(archive, uri, config.get("KmsKeyId"))
    output = _together(job, "output")
    if any(path.is_file() for path in output.rglob("*")):
        pack(output, job.folder / "output.tar.gz")
        job.s3.upload_file(job.folder / "output.tar.gz", f"{where}/output.tar.gz", config.get("KmsKeyId"))
    record["ModelArtifacts"] = {"S3ModelArtifacts": uri}


def _together(job: Job, name: str) -> Path:
    """The files that all hosts left in a folder.

    Source: developer guide, "How Amazon SageMaker AI Processes Training Output": "If multiple containers in a single training job
    write to this directory they should ensure no file/directory names clash." Raises JobError when two files have the same name.
    """
    if len(job.hosts) == 1:
        return job.first.path(name)
    target = job.folder / "together" / name
    writers: dict[Path, Host] = {}
    for host in job.hosts:
        folder = host.path(name)
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            inside = path.relative_to(folder)
            if writer := writers.get(inside):
                raise JobError(
                    f"ClientError: {writer.name} and {host.name} both wrote {ML}/{name}/{inside}; SageMaker makes one archive of "
                    "what all hosts write, and does not say which file it keeps: let one of them write it"
                )
            writers[inside] = host
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target / inside)
    target.mkdir(parents=True, exist_ok=True)
    return target
