"""Training jobs on several instances: names, files, failures and the end of all hosts."""

import io
import json
import tarfile

import pytest

from local_aws.sagemaker.jobs import host_names

from .endpoint import wait

BEGIN = """
import json, os, pathlib, socket, sys, time
root = pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml"))
cluster = json.loads((root / "input/config/resourceconfig.json").read_text())
names, me = cluster["hosts"], cluster["current_host"]
"""
EXCHANGES = (
    BEGIN
    + """
server = socket.create_server((me, 5000))  # each on its own name, with the same port
other = names[1 - names.index(me)]
for attempt in range(600):
    try:
        there = socket.create_connection((other, 5000), 1)
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
there.sendall(me.encode())
here, _ = server.accept()
print("heard from", here.recv(100).decode())
(root / "model" / me).write_text(json.dumps(cluster))
(root / "output/data" / me).write_text(" ".join(sorted(each.name for each in (root / "input/data/rows").iterdir())))
"""
)


def several(aws, script, count=2, channels=None, distribution="FullyReplicated", **more):
    """Arguments of a training job with several instances."""
    arguments = aws.training(script, channels) | more
    arguments["ResourceConfig"]["InstanceCount"] = count
    for channel in arguments["InputDataConfig"]:
        if channel["ChannelName"] != "code":
            channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] = distribution
    return arguments


def files(aws, uri):
    with tarfile.open(fileobj=io.BytesIO(aws.get(uri))) as tar:
        return {each.name: tar.extractfile(each).read().decode() for each in tar if each.isfile()}


def streams(aws, job):
    """Lines of each log stream of a job."""
    logs, group = aws.client("logs"), "/aws/sagemaker/TrainingJobs"
    found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
    return {
        (name := each["logStreamName"]): [
            event["message"] for event in logs.get_log_events(logGroupName=group, logStreamName=name)["events"]
        ]
        for each in found
    }


@pytest.fixture
def rows(aws):
    prefix = aws.name("rows")
    for number in range(4):
        aws.put(f"{prefix}/part-{number}", b"x")
    return f"s3://{aws.bucket}/{prefix}/"


@pytest.mark.parametrize(
    ("distribution", "first", "second"),
    [
        ("FullyReplicated", "part-0 part-1 part-2 part-3", "part-0 part-1 part-2 part-3"),
        ("ShardedByS3Key", "part-0 part-2", "part-1 part-3"),
    ],
)
def test_hosts_exchange_values_by_name(aws, rows, distribution, first, second):
    ended = aws.run_job("Training", several(aws, EXCHANGES, channels={"rows": rows}, distribution=distribution))
    assert ended["TrainingJobStatus"] == "Completed", ended.get("FailureReason")
    model = files(aws, ended["ModelArtifacts"]["S3ModelArtifacts"])
    assert sorted(model) == ["algo-1", "algo-2"]
    for name, text in model.items():
        cluster = json.loads(text)
        assert (cluster["current_host"], cluster["hosts"]) == (name, ["algo-1", "algo-2"])
        assert cluster["instance_groups"][0]["hosts"] == ["algo-1", "algo-2"]
    output = files(aws, ended["ModelArtifacts"]["S3ModelArtifacts"].replace("model.tar", "output.tar"))
    assert output == {"data/algo-1": first, "data/algo-2": second}
    name, created = ended["TrainingJobName"], int(ended["CreationTime"].timestamp())
    assert streams(aws, name) == {
        f"{name}/algo-1-{created}": ["heard from algo-2"],
        f"{name}/algo-2-{created}": ["heard from algo-1"],
    }


def test_failed_host_ends_the_others(aws):
    script = f"""{BEGIN}
if me == "algo-1":
    time.sleep(60)
(root / "output/failure").write_text(f"{{me}} has no rows")
sys.exit(3)
"""
    ended = aws.run_job("Training", several(aws, script))
    assert ended["TrainingJobStatus"] == "Failed"
    assert ended["FailureReason"] == "AlgorithmError: algo-2 has no rows, exit code: 3"


def test_stop_ends_all_hosts(aws):
    name = aws.name("job")
    aws.sagemaker.create_training_job(TrainingJobName=name, **several(aws, f"{BEGIN}\nprint(me)\ntime.sleep(60)"))
    wait(lambda: aws.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Training")
    aws.sagemaker.stop_training_job(TrainingJobName=name)
    assert wait(lambda: aws.ended("Training", name))["TrainingJobStatus"] == "Stopped"


def test_runtime_limit_gives_all_hosts_time_to_end(aws):
    script = f"""{BEGIN}
import signal
def end(*_):
    if me == "algo-2":
        time.sleep(0.3)
        (root / "model/last").write_text(me)
    sys.exit(1)

signal.signal(signal.SIGTERM, end)
signal.pause()
"""
    ended = aws.run_job("Training", several(aws, script, StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert (ended["TrainingJobStatus"], ended["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert files(aws, ended["ModelArtifacts"]["S3ModelArtifacts"]) == {"last": "algo-2"}


def test_interrupted_hosts_start_again_together(aws):
    script = f"""{BEGIN}
import signal
mine = root / "checkpoints" / me
if mine.exists():
    print(sorted(each.name for each in mine.parent.iterdir()))
    sys.exit()
mine.touch()
signal.pause()
"""
    prefix, name = aws.name("checkpoints"), aws.name("job")
    spot = {
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": f"s3://{aws.bucket}/{prefix}"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
    }
    aws.sagemaker.create_training_job(TrainingJobName=name, **several(aws, script, **spot))
    both = [f"{prefix}/algo-1", f"{prefix}/algo-2"]
    wait(lambda: aws.keys(prefix) == both)
    aws.local.post("spot-interruptions", job=name)
    ended = wait(lambda: aws.ended("Training", name))
    assert ended["TrainingJobStatus"] == "Completed", ended.get("FailureReason")
    assert list(streams(aws, name).values()) == [["['algo-1', 'algo-2']"]] * 2


def test_file_that_two_hosts_wrote_fails_the_job(aws):
    ended = aws.run_job("Training", several(aws, f'{BEGIN}\n(root / "model/weights").write_text(me)'))
    assert ended["TrainingJobStatus"] == "Failed"
    assert "algo-1 and algo-2 both wrote /opt/ml/model/weights" in ended["FailureReason"]


def test_clusters_of_several_instance_types_are_refused(aws):
    arguments = aws.training("")
    group = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "InstanceGroupName": "g"}
    arguments["ResourceConfig"] = {"InstanceGroups": [group], "VolumeSizeInGB": 10}
    ended = aws.run_job("Training", arguments)
    assert ended["FailureReason"] == "ClientError: the embedded AWS has no heterogeneous clusters (InstanceGroups)"


def test_names_of_hosts_need_mounts(tmp_path, monkeypatch):
    monkeypatch.setattr(host_names.namespace, "available", lambda target: False)
    assert host_names.mounts(1, tmp_path) == ()
    with pytest.raises(host_names.JobError, match=r"trains on 2 instances only where .* such as algo-2, lead nowhere"):
        host_names.mounts(2, tmp_path)
