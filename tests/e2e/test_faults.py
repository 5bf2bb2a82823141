"""The loop under faults of AWS: throttled calls, killed functions and jobs, objects that vanish, a full disk, a nightly peak.

docs/reference/faults.md has a row for each; a test there holds the rows against the functions here.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local_aws import namespace
from local_aws.sagemaker.containers.container_view import ContainerView
from local_aws.sagemaker.storage import Storage
from model_factory.functions.shared.chain import digest
from model_factory.functions.shared.s3 import split_uri
from model_factory.ops.records.chain import records as chain_records
from model_factory.ops.waiting import wait_for

from .conftest import Factory, records

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PEAK_MODELS = int(os.environ.get("PEAK_MODELS", "10"))


@pytest.fixture
def fault(live):
    """Adds faults; the test has to let every one of them take effect."""

    def add(**fault: object) -> None:
        live.local.post("faults", **fault)

    yield add
    for each in live.local.faults.control({}, "clear"):
        assert each["effects"] > 0, each


def executions(factory: Factory) -> set[str]:
    """ARNs of the executions of the training pipeline."""
    listed = factory.client("sagemaker").list_pipeline_executions(
        PipelineName=factory.names.training_pipeline, MaxResults=100
    )
    return {each["PipelineExecutionArn"] for each in listed["PipelineExecutionSummaries"]}


@contextmanager
def one_training(factory: Factory):
    """Exactly one execution more at the end, and a newer live version with one record of its deployment."""
    before, version = executions(factory), wait_for("a live version", factory.reader.live_version)
    factory.retrain("under faults")
    yield

    def newer() -> int | None:
        live = factory.reader.live_version()
        return live if live not in (version, None) else None

    newest = wait_for("the new version", newer)
    assert len(executions(factory) - before) == 1
    wait_for("the record of its deployment", lambda: deployments(factory, newest) or None)
    assert len(deployments(factory, newest)) == 1
    assert deployments(factory, newest)[0]["outcome"] == "succeeded"


def deployments(factory: Factory, version: int) -> list[dict]:
    """The records of deployments of a version."""
    bucket = factory.session.names.bucket("records")
    found = chain_records(factory.session, bucket, factory.model, kinds=["deployment"])
    return [entry.record["facts"] for entry in found if entry.record["version"] == version]


def test_every_third_call_throttled_trains_and_deploys_once(live, fault):
    fault(action="throttle", every=3)
    with one_training(live):
        pass


def test_killed_functions_train_and_deploy_once(live, fault):
    fault(action="kill", service="sagemaker", operation="StartPipelineExecution", role="retrain", times=1)
    fault(action="kill", service="sagemaker", operation="CreateEndpointConfig", role="deploy", times=1)
    fault(action="kill", service="sagemaker", operation="UpdateEndpoint", role="deploy", times=1)
    fault(action="kill", service="sqs", operation="SendMessage", role="deploy", times=1)
    fault(action="kill", service="s3", operation="PutObject", role="recorder", times=1)
    with one_training(live):
        pass


def assert_fails_and_is_told(factory: Factory, alerts, *words: str) -> None:
    version = wait_for("a live version", factory.reader.live_version)
    finished = factory.retrain("under faults")
    assert finished.status == "Failed"
    assert all(word in finished.reason for word in words), finished.reason
    alert = alerts(words[0])
    assert all(word in alert for word in words), alert
    assert factory.reader.live_version() == version
    assert len(factory.predict(records(5))) == 5


def test_killed_job_fails_training_with_its_exit_code(live, fault, alerts):
    fault(action="kill", service="s3", operation="GetObject", role="job", times=1)
    assert_fails_and_is_told(live, alerts, "exit code: -9")


def test_object_deleted_between_steps_fails_training_with_its_name(live, alerts, monkeypatch):
    fetch, deleted = Storage.fetch, []

    def delete_and_fetch(self, source, target, *share):
        if target.match("input/data/train") and not deleted:
            bucket, _, prefix = source["S3Uri"].removeprefix("s3://").partition("/")
            for entry in live.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
                live.client("s3").delete_object(Bucket=bucket, Key=entry["Key"])
            deleted.append(source["S3Uri"])
        fetch(self, source, target, *share)

    monkeypatch.setattr(Storage, "fetch", delete_and_fetch)
    assert_fails_and_is_told(live, alerts, "no S3 objects found under")
    assert deleted


@pytest.mark.skipif(
    not namespace.available("/opt/ml"), reason="this system does not let a process have mounts of its own"
)
def test_full_disk_fails_training_with_reason(live, alerts, monkeypatch):
    initialize = ContainerView.__init__

    def initialize_full(self, root: Path, *arguments: str):
        initialize(self, root, *arguments)
        output = root / "processing" / "output"
        if output.exists():
            self.mounts.append((namespace.MEMORY, "/opt/ml/processing/output", "size=16384"))

    monkeypatch.setattr(ContainerView, "__init__", initialize_full)
    assert_fails_and_is_told(live, alerts, "No space left on device")


def test_artifact_changed_after_registration_is_not_deployed(live, alerts):
    sagemaker, s3 = live.client("sagemaker"), live.client("s3")
    version = wait_for("a live version", live.reader.live_version)
    group = live.names.model_package_group
    arn = live.session.names.arn("sagemaker", f"model-package/{group}/{version}")
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    container = described["InferenceSpecification"]["Containers"][0]
    bucket, key = split_uri(container["ModelDataUrl"])
    artifact = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    copy = {"Bucket": bucket, "Key": f"{live.model}/executions/changed/train/output/model.tar.gz"}
    s3.put_object(**copy, Body=artifact)
    container = {"Image": container["Image"], "ModelDataUrl": f"s3://{bucket}/{copy['Key']}"}
    registered = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification=described["InferenceSpecification"] | {"Containers": [container]},
        CustomerMetadataProperties=described["CustomerMetadataProperties"],
        ModelApprovalStatus="PendingManualApproval",
    )["ModelPackageArn"]
    changed = bytearray(artifact)
    changed[len(changed) // 2] ^= 1
    s3.put_object(**copy, Body=bytes(changed))
    try:
        sagemaker.update_model_package(ModelPackageArn=registered, ModelApprovalStatus="Approved")
        alert = alerts("is not deployed: its artifact is not the one that was evaluated")
        number = registered.rpartition("/")[2]
        digests = (digest(changed), described["CustomerMetadataProperties"]["artifact_digest"])
        for word in (f"Version {number} of {live.model}", copy["Key"], *digests):
            assert word in alert, (word, alert)
        assert live.reader.live_version() == version
        assert len(live.predict(records(5))) == 5
    finally:
        sagemaker.delete_model_package(ModelPackageName=registered)


def test_schedules_of_many_models_start_one_training_each(live, fault):
    """Models of one minute: settings, data and a pipeline without a job each; every tenth call fails."""
    names = [f"peak-{number}" for number in range(PEAK_MODELS)]
    sagemaker, ssm, s3 = live.client("sagemaker"), live.client("ssm"), live.client("s3")
    data = live.session.names.bucket("data")
    prefix = f"/{live.session.names.factory}/{live.session.names.environment}/models"
    settings = json.loads(ssm.get_parameter(Name=f"{prefix}/{live.model}")["Parameter"]["Value"])
    role = sagemaker.describe_pipeline(PipelineName=live.names.training_pipeline)["RoleArn"]
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Trigger", "Type": "String"}, {"Name": "Reason", "Type": "String"}],
    }
    nothing = {"Name": "Nothing", "Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": [], "ElseSteps": []}}
    schedule = live.client("scheduler").get_schedule(Name=live.names.schedule("retrain"))
    pipelines = {}
    for name in names:
        model = live.session.names.model(name)
        pipelines[name] = model.training_pipeline
        sagemaker.create_pipeline(
            PipelineName=model.training_pipeline,
            PipelineDefinition=json.dumps(definition | {"Steps": [nothing]}),
            RoleArn=role,
            ClientRequestToken=f"peak-of-models-{name:0>32}",
        )
        own = settings | {
            "model": name,
            "training_pipeline": model.training_pipeline,
            "raw_uri": f"s3://{data}/{name}/raw/",
        }
        ssm.put_parameter(Name=f"{prefix}/{name}", Value=json.dumps(own), Type="String")
        s3.put_object(Bucket=data, Key=f"{name}/raw/dt=2026-11-01/part-0.csv", Body=b"x\n1\n")
        target = schedule["Target"] | {
            "Input": json.dumps(
                {"model": name, "trigger": "schedule", "reason": "peak", "id": "<aws.scheduler.scheduled-time>"}
            ),
            "SqsParameters": {"MessageGroupId": name},
        }
        live.client("scheduler").create_schedule(
            Name=model.schedule("retrain"),
            ScheduleExpression=schedule["ScheduleExpression"],
            FlexibleTimeWindow={"Mode": "OFF"},
            Target=target,
        )
    fault(action="throttle", share=0.1, seed=1)
    fault(action="lose", share=0.1, seed=2)
    at = datetime.now(UTC)
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda name: live.control(
                    "tick", schedule=live.session.names.model(name).schedule("retrain"), time=at.isoformat()
                ),
                names * 2,
            )
        )

    def all_started():
        listed = [
            sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
            for pipeline in pipelines.values()
        ]
        return all(listed) or None

    wait_for("a training of every model", all_started, 60 + 3 * PEAK_MODELS)
    queue = live.client("sqs").get_queue_url(QueueName=live.session.names.queue("retrain"))["QueueUrl"]
    waiting = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def empty():
        found = live.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=waiting)["Attributes"]
        return not any(map(int, found.values())) or None

    wait_for("the queue to be empty", empty, 60 + 3 * PEAK_MODELS)
    started = {
        name: len(sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"])
        for name, pipeline in pipelines.items()
    }
    assert started == dict.fromkeys(names, 1)
