"""Training jobs: channels, checkpoints, attempts on spot instances, artifacts."""

import time
from typing import Any

from ...json_api import Record, now
from ..containers.container_view import ML
from .checkpoints import Checkpoints
from .job import HOST, Job, JobError, container_command, pack
from .metric_definitions import record_metrics
from .script_mode import CODE, ScriptMode


def run_training(job: Job) -> tuple[str, str]:
    """Run the process, on spot instances until one is not taken back, and upload model.tar.gz; (status, failure reason)."""
    record = job.record
    if record["ResourceConfig"].get("InstanceCount", 1) > 1:
        raise JobError("ClientError: the embedded AWS trains on one instance")
    image = record["AlgorithmSpecification"].get("TrainingImage")
    checkpoints = Checkpoints(job)
    ran = 0.0
    while True:
        job.root.mkdir(parents=True)
        if image:
            job.pull_image(image)
        _download(job)
        checkpoints.fetch()
        job.stage("Training")
        started = time.monotonic()
        with checkpoints.kept_in_s3():
            code = _run_container(job, image, ran)
        ran += time.monotonic() - started
        if not job.interrupted or job.stopped or job.timed_out:
            break
        job.stage("Interrupted")
        job.restart()
        job.stage("Starting")
    record_metrics(record, job.log)
    ended_early = job.stopped or bool(job.timed_out)
    if code != 0 and not ended_early:
        reason = job.read_output("failure") or "the container wrote no /opt/ml/output/failure"
        return "Failed", f"AlgorithmError: {reason[:950]}, exit code: {code}"
    if not ended_early or any(job.path("model").rglob("*")):
        _upload(job)
    if ended_early:
        return "Stopped", ""
    job.clean()
    return "Completed", ""


def _run_container(job: Job, image: str | None, ran: float) -> int:
    """Run the entry point of the request, or the script that the image's own entry point starts; the exit code."""
    specification, left = job.record["AlgorithmSpecification"], _left(job.record, ran)
    if specification.get("ContainerEntrypoint"):
        return job.run(image, container_command(specification), _environment(job), *left)
    if program := job.program(image, "train"):
        return job.run(image, [program], _environment(job), *left)
    script = ScriptMode(job)
    command = script.command()
    variables = script.environment() | _environment(job)
    code = job.run(image, command, variables, *left, folder=CODE if job.path(CODE).exists() else ML)
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


def _download(job: Job) -> None:
    """The files of the container contract."""
    record = job.record
    job.stage("Downloading")
    channels = record.get("InputDataConfig", [])
    for channel in channels:
        job.s3.fetch(channel["DataSource"]["S3DataSource"], job.path(f"input/data/{channel['ChannelName']}/"))
    for folder in ("model", "output/data"):
        job.path(folder).mkdir(parents=True, exist_ok=True)
    job.write_config("input/config/hyperparameters.json", record.get("HyperParameters", {}))
    kind = record["ResourceConfig"].get("InstanceType")
    group = {"instance_group_name": "homogeneousCluster", "instance_type": kind, "hosts": [HOST]}
    resources = {"current_host": HOST, "current_instance_type": kind, "current_group_name": "homogeneousCluster"}
    resources |= {"hosts": [HOST], "instance_groups": [group], "network_interface_name": "lo"}
    job.write_config("input/config/resourceconfig.json", resources)
    channel_config = {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    job.write_config("input/config/inputdataconfig.json", {c["ChannelName"]: channel_config for c in channels})


def _environment(job: Job) -> dict[str, str]:
    """Without the variables SM_…, which are the training toolkit's: an entry point of one's own has none."""
    return {"TRAINING_JOB_NAME": job.name, "TRAINING_JOB_ARN": job.arn, **job.record.get("Environment", {})}


def _upload(job: Job) -> None:
    """Upload model.tar.gz and output.tar.gz: also of a job that was stopped, if it saved a model in time."""
    record = job.record
    job.stage("Uploading")
    archive = job.folder / "model.tar.gz"
    pack(job.path("model"), archive)
    config = record["OutputDataConfig"]
    where = f"{config['S3OutputPath'].rstrip('/')}/{job.name}/output"
    uri = f"{where}/model.tar.gz"
    job.s3.upload_file(archive, uri, config.get("KmsKeyId"))
    if any(path.is_file() for path in job.path("output").rglob("*")):
        pack(job.path("output"), job.folder / "output.tar.gz")
        job.s3.upload_file(job.folder / "output.tar.gz", f"{where}/output.tar.gz", config.get("KmsKeyId"))
    record["ModelArtifacts"] = {"S3ModelArtifacts": uri}
