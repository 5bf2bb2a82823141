"""Processing and training jobs: inputs, outputs, failures."""

import io
import itertools
import json
import os
import pathlib
import tarfile
import time

import pytest
from botocore.exceptions import ClientError

from local_aws import namespace

from .endpoint import wait

CONTAINER_VARIABLES = {
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION"),
    *("HOME", "PATH", "PYTHONUNBUFFERED"),
}
PROCESSING_CONFIG = (
    *("ProcessingJobArn", "ProcessingJobName", "AppSpecification", "Environment", "ProcessingInputs"),
    *("ProcessingOutputConfig", "ProcessingResources", "RoleArn", "StoppingCondition"),
)
on_mounts = pytest.mark.skipif(
    not namespace.available("/opt/ml"), reason="this system does not let a process have mounts of its own"
)

LOOK_AROUND = """
import json, os, pathlib
root = pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml"))
seen = {
    "environment": dict(os.environ),
    "files": sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()),
    "read": (root / "processing/input/data/part.csv").read_text(),
    "resources": json.loads((root / "config/resourceconfig.json").read_text()),
}
(root / "processing/output/seen/deep").mkdir(parents=True)
(root / "processing/output/seen/deep/seen.json").write_text(json.dumps(seen))
print("looked around")
"""
TRAIN = """
import json, os, pathlib
root = pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml"))
hyperparameters = json.loads((root / "input/config/hyperparameters.json").read_text())
rows = (root / "input/data/train/part.csv").read_text().split()
(root / "model/model.json").write_text(json.dumps({"mean": sum(map(float, rows)) / len(rows), **hyperparameters}))
"""


def test_processing_job_gets_only_its_inputs_and_environment(aws, monkeypatch):
    monkeypatch.setenv("LEAK", "of this process")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    data = aws.put(f"{aws.name('raw')}/part.csv", b"1\n2\n").rpartition("/")[0]
    out = f"s3://{aws.bucket}/{aws.name('out')}"
    request = aws.processing(LOOK_AROUND, inputs={"data": data}, outputs={"seen": out}, environment={"MINE": "yes"})

    ended = aws.run_job("Processing", request)

    assert ended["ProcessingJobStatus"] == "Completed", ended.get("FailureReason")
    seen = json.loads(aws.get(f"{out}/deep/seen.json"))
    assert seen["read"] == "1\n2\n"
    assert "config/processingjobconfig.json" in seen["files"]
    assert seen["resources"]["current_host"] == "algo-1"
    assert seen["environment"]["MINE"] == "yes"
    fallback = set() if namespace.available("/opt/ml") else {"LOCAL_AWS_ML_ROOT", "FACTORY_ML_ROOT"}
    assert set(seen["environment"]) - {"LC_CTYPE"} == {"MINE"} | CONTAINER_VARIABLES | fallback
    assert os.environ["PATH"] != seen["environment"]["PATH"]
    assert ended["CreationTime"] <= ended["ProcessingStartTime"] <= ended["ProcessingEndTime"]


def test_job_output_is_in_its_log_stream(aws):
    data = aws.put(f"{aws.name('raw')}/part.csv", b"1\n").rpartition("/")[0]
    out = f"s3://{aws.bucket}/{aws.name('out')}"
    ended = aws.run_job("Processing", aws.processing(LOOK_AROUND, inputs={"data": data}, outputs={"seen": out}))

    logs, group = aws.client("logs"), "/aws/sagemaker/ProcessingJobs"
    found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=ended["ProcessingJobName"])
    stream = found["logStreams"][0]["logStreamName"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
    assert [event["message"] for event in events] == ["looked around"]


def test_training_job_uploads_model_tar_gz(aws):
    data = aws.put(f"{aws.name('raw')}/part.csv", b"1\n2\n").rpartition("/")[0]

    ended = aws.run_job("Training", aws.training(TRAIN, {"train": data}, {"depth": "3"}))

    assert ended["TrainingJobStatus"] == ended["SecondaryStatus"] == "Completed", ended.get("FailureReason")
    uri = ended["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{aws.bucket}/trained/{ended['TrainingJobName']}/output/model.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(aws.get(uri))) as tar:
        assert json.loads(tar.extractfile("model.json").read()) == {"mean": 1.5, "depth": "3"}


def test_training_failure_file_is_failure_reason(aws):
    script = """
import os, pathlib, sys
(pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml")) / "output/failure").write_text("column age is missing")
sys.exit(3)
"""
    ended = aws.run_job("Training", aws.training(script))

    assert ended["TrainingJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith("AlgorithmError: column age is missing")
    assert "exit code: 3" in ended["FailureReason"]
    assert "ModelArtifacts" not in ended or not aws.keys(f"trained/{ended['TrainingJobName']}")


def test_processing_message_file_is_exit_message(aws):
    script = """
import os, pathlib, sys
path = pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml")) / "output/message"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text("partition dt=2026-11-23 is empty")
sys.exit(1)
"""
    ended = aws.run_job("Processing", aws.processing(script))

    assert ended["ProcessingJobStatus"] == "Failed"
    assert ended["ExitMessage"] == "partition dt=2026-11-23 is empty"
    assert ended["FailureReason"].startswith("AlgorithmError")


def test_missing_input_fails_job_and_is_named(aws):
    ended = aws.run_job("Processing", aws.processing("", inputs={"data": f"s3://{aws.bucket}/nothing/here/"}))

    assert ended["ProcessingJobStatus"] == "Failed"
    assert f"s3://{aws.bucket}/nothing/here/" in ended["FailureReason"]


def test_processing_job_over_time_limit_is_stopped(aws):
    ended = aws.run_job("Processing", aws.processing("import time; time.sleep(60)", seconds=1))

    assert ended["ProcessingJobStatus"] == "Stopped"


def test_training_job_over_time_limit_keeps_saved_model(aws):
    script = """
import pathlib, os, signal, sys, time
def save(*_):
    (pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml")) / "model/partial").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
time.sleep(60)
"""
    ended = aws.run_job("Training", aws.training(script, seconds=3))

    assert (ended["TrainingJobStatus"], ended["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "FailureReason" not in ended
    with tarfile.open(fileobj=io.BytesIO(aws.get(ended["ModelArtifacts"]["S3ModelArtifacts"]))) as tar:
        assert tar.getnames() == ["partial"]


@on_mounts
@pytest.mark.parametrize("kind", ["Processing", "Training"])
def test_script_finds_its_files_at_opt_ml(aws, kind):
    script = """
import json, os, pathlib
names = ["config/processingjobconfig.json", "input/config/inputdataconfig.json"]
found = {name: json.loads(pathlib.Path("/opt/ml", name).read_text()) for name in names if pathlib.Path("/opt/ml", name).exists()}
raise SystemExit(json.dumps([os.getuid(), os.getcwd(), sorted(os.listdir("/opt")), found]))
"""
    ended = aws.run_job(kind, aws.processing(script) if kind == "Processing" else aws.training(script))

    logs, group = aws.client("logs"), f"/aws/sagemaker/{kind}Jobs"
    stream = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=ended[f"{kind}JobName"])["logStreams"][0]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    user, cwd, opt, found = json.loads(events[0]["message"])
    assert (user, cwd) == (0, "/opt/ml")
    assert opt == sorted({*(path.name for path in pathlib.Path("/opt").iterdir()), "ml"})
    [content] = found.values()
    assert set(content) == ({"code"} if kind == "Training" else set(PROCESSING_CONFIG))


def test_region_of_environment_is_not_boto3s_region(aws):
    script = """
import boto3, os
assert os.environ["AWS_REGION"] == "us-east-1"
boto3.client("sagemaker")
"""
    ended = aws.run_job("Processing", aws.processing(script))

    logs = aws.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=ended["ProcessingJobName"]
    )
    assert ended["ProcessingJobStatus"] == "Failed"
    assert "NoRegionError: You must specify a region." in "".join(event["message"] for event in logs["events"])


def test_only_first_kilobyte_of_exit_message_is_read(aws):
    script = """
import os, pathlib
path = pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml")) / "output/message"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text("x" * 2000)
"""
    assert aws.run_job("Processing", aws.processing(script))["ExitMessage"] == "x" * 1024


def test_job_can_be_stopped(aws):
    name = aws.name("job")
    aws.sagemaker.create_training_job(TrainingJobName=name, **aws.training("import time; time.sleep(60)"))
    wait(lambda: aws.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Training")

    aws.sagemaker.stop_training_job(TrainingJobName=name)

    assert wait(lambda: aws.ended("Training", name))["TrainingJobStatus"] == "Stopped"


def test_job_name_is_unique(aws):
    name = aws.name("job")
    aws.sagemaker.create_processing_job(ProcessingJobName=name, **aws.processing(""))
    with pytest.raises(ClientError, match=name):
        aws.sagemaker.create_processing_job(ProcessingJobName=name, **aws.processing(""))
    wait(lambda: aws.ended("Processing", name))


def test_state_changes_are_events(aws):
    events = aws.listen("SageMaker Processing Job State Change")
    ended = aws.run_job("Processing", aws.processing(""))

    def last():
        mine = [event for event in events() if event["resources"] == [ended["ProcessingJobArn"]]]
        return mine if any(event["detail"]["ProcessingJobStatus"] == "Completed" for event in mine) else None

    mine = wait(last)
    assert {event["detail"]["ProcessingJobStatus"] for event in mine} == {"InProgress", "Completed"}
    assert all(event["source"] == "aws.sagemaker" for event in mine)


def test_same_model_produces_identical_archive(aws):
    data = aws.put(f"{aws.name('raw')}/part.csv", b"1\n").rpartition("/")[0]
    first = aws.run_job("Training", aws.training(TRAIN, {"train": data}))
    time.sleep(1.1)  # timestamps in archives count seconds
    second = aws.run_job("Training", aws.training(TRAIN, {"train": data}))

    archives = [aws.get(job["ModelArtifacts"]["S3ModelArtifacts"]) for job in (first, second)]
    assert archives[0] == archives[1]


def test_training_output_is_packed_as_output_tar_gz(aws):
    script = """
import os, pathlib
root = pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml"))
(root / "output/data/curve.csv").write_text("0.5")
"""
    ended = aws.run_job("Training", aws.training(script))

    uri = ended["ModelArtifacts"]["S3ModelArtifacts"].replace("model.tar.gz", "output.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(aws.get(uri))) as tar:
        assert tar.extractfile("data/curve.csv").read() == b"0.5"


def test_stopped_job_ends_its_child_processes(aws, tmp_path):
    script = f"""
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path({str(tmp_path / "child")!r}).write_text(str(child.pid))
time.sleep(60)
"""
    name, pid_file = aws.name("job"), tmp_path / "child"
    aws.sagemaker.create_processing_job(ProcessingJobName=name, **aws.processing(script))
    child = int(wait(lambda: pid_file.exists() and pid_file.read_text()))

    aws.sagemaker.stop_processing_job(ProcessingJobName=name)
    wait(lambda: aws.ended("Processing", name))

    assert wait(lambda: not running(child))


def running(pid):
    """Whether a process runs; a zombie does not."""
    stat = pathlib.Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_manifest_selects_objects_of_input(aws):
    folder = aws.name("raw")
    for name in ("part.csv", "other.csv"):
        aws.put(f"{folder}/{name}", b"1\n")
    manifest = aws.put(f"{folder}.manifest", json.dumps([{"prefix": f"s3://{aws.bucket}/{folder}/"}, "part.csv"]))
    out = f"s3://{aws.bucket}/{aws.name('out')}"
    request = aws.processing(LOOK_AROUND, inputs={"data": manifest}, outputs={"seen": out})
    request["ProcessingInputs"][1]["S3Input"]["S3DataType"] = "ManifestFile"

    ended = aws.run_job("Processing", request)

    assert ended["ProcessingJobStatus"] == "Completed", ended.get("FailureReason")
    files = json.loads(aws.get(f"{out}/deep/seen.json"))["files"]
    assert [file for file in files if "input/data" in file] == ["processing/input/data/part.csv"]


def test_training_job_lists_secondary_status_transitions(aws):
    ended = aws.run_job("Training", aws.training(""))

    stages = ended["SecondaryStatusTransitions"]
    assert [stage["Status"] for stage in stages] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(before["EndTime"] <= after["StartTime"] for before, after in itertools.pairwise(stages))
