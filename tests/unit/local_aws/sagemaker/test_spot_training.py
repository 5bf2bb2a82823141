"""Training on spot instances that are taken back: checkpoints, attempts, limits."""

import io
import json
import pathlib
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from local_aws.json_api import now
from local_aws.sagemaker.jobs import host as containers
from local_aws.sagemaker.jobs import training
from model_factory.config import ModelConfig
from model_factory.model.job_code import build_job_code

from .endpoint import wait

RESUMES = """
import os, pathlib, signal, sys
root = pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml"))
folder = root / "checkpoints"
if (folder / "deep/state").exists():
    (root / "model/passes").write_text((folder / "deep/state").read_text() + "2")
    (folder / "begun").unlink()
    sys.exit()

def save(*_):
    (folder / "deep").mkdir()
    (folder / "deep/state").write_text("1")
    if "clings" not in os.environ:
        sys.exit(1)

signal.signal(signal.SIGTERM, save)
(folder / "begun").touch()
while True:
    signal.pause()
"""


@pytest.fixture
def spot(aws):
    """Starts a job on spot capacity; its name and the prefix of its checkpoints, once the first is in S3."""

    def start(script=RESUMES, **more):
        name, prefix = aws.name("job"), aws.name("checkpoints")
        request = aws.training(script) | {
            "EnableManagedSpotTraining": True,
            "CheckpointConfig": {"S3Uri": f"s3://{aws.bucket}/{prefix}"},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
        }
        aws.sagemaker.create_training_job(TrainingJobName=name, **request, **more)
        assert wait(lambda: aws.keys(prefix)) == [f"{prefix}/begun"]
        return name, prefix

    return start


@pytest.mark.parametrize("environment", [{}, {"clings": "yes"}], ids=["ends", "is killed"])
def test_interrupted_job_resumes_from_its_checkpoint(aws, spot, environment, monkeypatch):
    monkeypatch.setattr(containers, "STOP_SECONDS", 0.2)
    name, prefix = spot(Environment=environment)
    aws.local.post("spot-interruptions", job=name)

    ended = wait(lambda: aws.ended("Training", name))
    assert ended["TrainingJobStatus"] == "Completed", ended.get("FailureReason")
    attempt = ["Starting", "Downloading", "Training"]
    stages = [stage["Status"] for stage in ended["SecondaryStatusTransitions"]]
    assert stages == [*attempt, "Interrupted", *attempt, "Uploading", "Completed"]
    assert ended["EnableManagedSpotTraining"]
    assert ended["TrainingTimeInSeconds"] >= ended["BillableTimeInSeconds"] >= 1
    # The job that went on has removed one of the files, which removes the object.
    assert aws.keys(prefix) == [f"{prefix}/deep/state"]


def test_on_demand_job_is_not_interrupted(aws):
    name = aws.name("job")
    aws.sagemaker.create_training_job(TrainingJobName=name, **aws.training("import signal; signal.pause()"))
    wait(lambda: aws.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Training")
    aws.local.post("spot-interruptions", job=name)
    assert aws.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Training"
    aws.sagemaker.stop_training_job(TrainingJobName=name)
    wait(lambda: aws.ended("Training", name))


def test_stopped_spot_job_is_not_started_again(aws, spot):
    name, prefix = spot()
    aws.sagemaker.stop_training_job(TrainingJobName=name)
    ended = wait(lambda: aws.ended("Training", name))
    assert (ended["TrainingJobStatus"], ended["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert f"{prefix}/deep/state" in aws.keys(prefix)


@pytest.mark.parametrize(
    ("waited", "ran", "left"),
    [(0, 0, (60, "MaxRuntime")), (10, 30, (30, "MaxRuntime")), (110, 30, (10, "MaxWaitTime"))],
)
def test_limits_are_of_all_attempts_together(waited, ran, left):
    limits = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120}
    record = {"StoppingCondition": limits, "CreationTime": now() - timedelta(seconds=waited)}
    seconds, limit = training._left(record, ran)
    assert (round(seconds), limit) == left


def test_checkpoints_that_role_may_not_write_fail_the_job(aws):
    name = aws.name("job")
    request = aws.training("pass") | {"CheckpointConfig": {"S3Uri": "s3://missing-bucket/checkpoints"}}
    aws.sagemaker.create_training_job(TrainingJobName=name, **request)
    ended = wait(lambda: aws.ended("Training", name))
    assert ended["TrainingJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith("ClientError: checkpoints at s3://missing-bucket/checkpoints/: ")


MODEL = """
import os, signal, sys
import joblib
import numpy as np

PASSES = 4

def features(raw):
    return raw

def train_batches(train, validation, hyperparameters, checkpoints):
    saved = checkpoints / "state"
    first, weights = joblib.load(saved) if saved.exists() else (0, np.zeros(1))
    resumed = first > 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for each in range(first, PASSES):
        for batch in train:
            weights = weights * 0.5 + batch["x"].mean()
        joblib.dump((each + 1, weights), checkpoints / "new")
        os.replace(checkpoints / "new", saved)
        _, weights = joblib.load(saved)
        while each == 1 and "INTERRUPTED" in os.environ and not resumed:
            signal.pause()
    return weights

def predict(model, features):
    return features["x"] * 0.0
"""


@pytest.mark.slow
def test_interrupted_training_of_a_model_has_the_same_artifact(aws, tmp_path):
    (tmp_path / "sales").mkdir()
    (tmp_path / "sales/model.py").write_text(MODEL)
    given = {"name": "sales", "problem": "binary_classification", "data": {"label": "sold"}}
    config = ModelConfig.model_validate(given | {"gate": {"metric": "auc", "minimum": 0.5}, "training": {"spot": True}})
    code = build_job_code(config, project=tmp_path / "sales", target=tmp_path / "code.zip")
    folder = aws.name("training")
    rows = io.BytesIO()
    pd.DataFrame({"x": np.arange(50.0), "sold": np.arange(50) % 2}).to_parquet(rows, index=False)
    columns = json.dumps({"columns": [{"name": "x", "type": "number", "nullable": True}], "label": "sold"})
    aws.put(f"{folder}/code/code.zip", pathlib.Path(code.path).read_bytes())
    for key in ("train", "validation"):
        aws.put(f"{folder}/{key}/part-0.parquet", rows.getvalue())
    aws.put(f"{folder}/schema/columns.json", columns)
    channels = {name: f"s3://{aws.bucket}/{folder}/{name}" for name in ("code", "train", "validation", "schema")}

    def train(name, **environment):
        request = aws.training("", channels)
        request["InputDataConfig"] = request["InputDataConfig"][-len(channels) :]
        request["AlgorithmSpecification"]["ContainerArguments"] = ["train"]
        request |= {
            "EnableManagedSpotTraining": True,
            "CheckpointConfig": {"S3Uri": f"s3://{aws.bucket}/{folder}/{name}", "LocalPath": "/opt/ml/checkpoints"},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
            "Environment": {"AWS_DEFAULT_REGION": "us-east-1", **environment},
        }
        job = aws.name(name)
        aws.sagemaker.create_training_job(TrainingJobName=job, **request)
        return job

    first, name = train("whole"), train("interrupted", INTERRUPTED="yes")
    wait(lambda: aws.keys(f"{folder}/interrupted/state"))
    aws.local.post("spot-interruptions", job=name)
    whole, resumed = (wait(lambda job=job: aws.ended("Training", job)) for job in (first, name))

    assert whole["TrainingJobStatus"] == resumed["TrainingJobStatus"] == "Completed", [whole, resumed]
    assert "Interrupted" in [stage["Status"] for stage in resumed["SecondaryStatusTransitions"]]
    archives = [aws.get(job["ModelArtifacts"]["S3ModelArtifacts"]) for job in (whole, resumed)]
    assert archives[0] == archives[1]
    logs = aws.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name, filterPattern=""
    )
    text = "\n".join(event["message"] for event in logs["events"])
    assert "SageMaker ends this job (SIGTERM)" in text
    assert "resume    1 files of checkpoints in " in text
