"""A factory with one small model, deployed by the real CDK CLI into an embedded AWS, once for all tests of a process.

Tests of permissions have another factory than the rest: they begin with alarms and versions that these would have changed.
"""

import shutil
import urllib.error
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from local_aws.bootstrap import bootstrap, cdk
from local_aws.server import LocalAws
from model_factory.core.names import ModelNames
from model_factory.ops.local.demo.reader import Reader
from model_factory.ops.operations.executions import ExecutionResult, follow, newest_execution_arn
from model_factory.ops.operations.trigger import send_manual_trigger
from model_factory.ops.project import EnvironmentSession, Project
from model_factory.ops.waiting import wait_for

from .alerts import subscribed
from .recorded import Recorder
from .sales import records

ROOT = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "project"


@dataclass
class Factory:
    """The deployed test project and what tests do with it."""

    local: LocalAws
    root: Path
    session: EnvironmentSession
    model: str = "sales"

    @property
    def names(self) -> ModelNames:
        return self.session.names.model(self.model)

    @property
    def reader(self) -> Reader:
        return Reader(self.session, self.model)

    def client(self, service: str):
        return self.session.client(service)

    def deploy(self, *stacks: str) -> None:
        """cdk deploy the stacks (default: all) of the test project as it is on disk now."""
        context = ["-c", f"factory={self.root / 'factory.yaml'}", "-c", f"models={self.root / 'models'}"]
        arguments = ["deploy", *(stacks or ["--all"]), "--require-approval", "never", *context]
        # CloudFormation's rules are asked by tests/stacks.
        rules = {"CDK_VALIDATION": "false"}
        cdk(self.local, [*arguments, "--output", str(self.root / "cdk.out")], cwd=ROOT, env=rules)

    def land(self, data: pd.DataFrame | str, day: str, name: str = "part-0.csv") -> None:
        body = data if isinstance(data, str) else data.to_csv(index=False)
        key = f"{self.model}/raw/dt={day}/{name}"
        self.client("s3").put_object(Bucket=self.session.names.bucket("data"), Key=key, Body=body.encode())

    def label(self, body: str, name: str = "labels.csv") -> None:
        """Labels for what was answered."""
        key = f"{self.model}/ground-truth/dt=2026-11-24/{name}"
        self.client("s3").put_object(Bucket=self.session.names.bucket("data"), Key=key, Body=body.encode())

    def alarm(self, purpose: str) -> str:
        """The state of one of the model's alarms."""
        (found,) = self.client("cloudwatch").describe_alarms(AlarmNames=[self.names.alarm(purpose)])["MetricAlarms"]
        return found["StateValue"]

    def remove(self, day: str) -> None:
        bucket = self.session.names.bucket("data")
        found = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{self.model}/raw/dt={day}/")
        for entry in found.get("Contents", []):
            self.client("s3").delete_object(Bucket=bucket, Key=entry["Key"])

    def newest(self, pipeline: str) -> str | None:
        return newest_execution_arn(self.client("sagemaker"), pipeline)

    def next_execution(self, pipeline: str, after: str | None, seconds: float = 180) -> ExecutionResult:
        def newer() -> str | None:
            found = self.newest(pipeline)
            return found if found != after else None

        return follow(self.session, wait_for(f"an execution of {pipeline}", newer, seconds), 300, lambda _: None)

    def retrain(self, reason: str = "test") -> ExecutionResult:
        """Train by hand and wait for the end."""
        before = self.newest(self.names.training_pipeline)
        send_manual_trigger(self.session, "retrain", self.model, reason)
        return self.next_execution(self.names.training_pipeline, before)

    def tick(self, schedule: str, at: datetime | None = None) -> None:
        self.post("tick", schedule=self.names.schedule(schedule), time=(at or datetime.now(UTC)).isoformat())

    def post(self, what: str, **body: object) -> None:
        environment = self.session.environment
        self.local.post(what, **{"account": environment.account, "region": environment.region} | body)

    def refused(self, what: str, **body: object) -> str:
        """Why a control did not do what it was asked for."""
        with pytest.raises(urllib.error.HTTPError) as caught:
            self.post(what, **body)
        return caught.value.read().decode()

    def take_from(self, queue: str) -> None:
        """Wait for a message in the queue of that name, and take it out."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        (message,) = wait_for(f"a message in {queue}", lambda: sqs.receive_message(QueueUrl=url).get("Messages"), 300)
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def endpoint_status(self) -> str:
        """Empty while there is none."""
        listed = self.client("sagemaker").list_endpoints(NameContains=self.names.endpoint)["Endpoints"]
        return next((e["EndpointStatus"] for e in listed if e["EndpointName"] == self.names.endpoint), "")

    def predict(self, data: pd.DataFrame, inference_id: str = "") -> list[float]:
        answer = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.names.endpoint,
            ContentType="text/csv",
            Accept="text/csv",
            Body=data.drop(columns="sold").to_csv(index=False, header=False).encode(),
            **({"InferenceId": inference_id} if inference_id else {}),
        )
        return [float(line) for line in answer["Body"].read().decode().split()]

    def skipped_reasons(self) -> str:
        """What the retrain function logged."""
        return "\n".join(self.logged("retrain"))

    def logged(self, function: str) -> list[str]:
        """The messages of one of the factory's functions, oldest first."""
        logs = self.client("logs")
        group = next(
            g["logGroupName"] for g in logs.describe_log_groups()["logGroups"] if function in g["logGroupName"]
        )
        return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]

    def state(self) -> str:
        """What someone who looks for a failure's reason would look at first."""
        sagemaker = self.client("sagemaker")
        found = [sagemaker.describe_endpoint(EndpointName=self.names.endpoint)] if self.endpoint_status() else []
        versions = sagemaker.list_model_packages(ModelPackageGroupName=self.names.model_package_group)
        told = [
            *found,
            *versions["ModelPackageSummaryList"],
            *self.logged("retrain")[-10:],
            *self.logged("deploy")[-10:],
        ]
        return "\n".join(str(each) for each in told)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the state of its factory, which nobody can look at any more."""
    report = yield
    factory = item.funcargs.get("live") or item.funcargs.get("deployed")
    if report.failed and factory:
        report.sections.append(("the factory", factory.state()))
    return report


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    with LocalAws(tmp_path_factory.mktemp("aws"), 0) as local:
        yield local


@pytest.fixture(scope="session")
def recorder(local):
    """What was asked of the policies and allowed, since the deployment."""
    recorder = Recorder()
    local.authorization.watch = recorder.see
    return recorder


@pytest.fixture(scope="session")
def deployed(local, recorder, tmp_path_factory):
    """The test project in two accounts, prod with one trained and live model."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(FIXTURES, root, dirs_exist_ok=True)
    project = Project(root)
    bootstrap(local, project.accounts)
    factory = Factory(local, root, project.environment("prod"))
    factory.deploy()
    return factory


@pytest.fixture(scope="session")
def live(deployed):
    """The deployed factory with version 1 in service."""
    deployed.land(records(), "2026-11-01")
    finished = deployed.retrain("first")
    assert finished.status == "Succeeded", finished.reason
    wait_for("version 1", deployed.reader.live_version)
    return deployed


@pytest.fixture
def alerts(deployed):
    """Reads what the alerts topic published since the test began."""
    with subscribed(deployed.client, deployed.session.names) as read:
        yield read
