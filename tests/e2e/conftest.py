"""Fixtures: a project with one model, deployed once per process to an embedded AWS with the real CDK CLI.

Tests with the marker `permissions` run in a process of their own, because the other tests change alarms and versions.
"""

import json
import shutil
import urllib.error
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from local_aws.bootstrap import bootstrap, cdk
from local_aws.server import LocalAws
from model_factory.core.names import ALERT_WINDOWS, ModelNames
from model_factory.ops.acceptance.alerts import subscribed_queue
from model_factory.ops.operations.executions import ExecutionResult, follow, newest_execution_arn
from model_factory.ops.operations.reader import Reader
from model_factory.ops.operations.trigger import send_manual_trigger
from model_factory.ops.project import EnvironmentSession, Project
from model_factory.ops.records.chain import Entry, newest
from model_factory.ops.waiting import wait_for
from tools import operations

from .completeness import assert_complete
from .families import IMAGES
from .recorder import Recorder
from .sales import records

ROOT = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "project"


@dataclass
class Factory:
    """The deployed test project, in one environment."""

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

    def deploy(self, *stacks: str, output: str = "cdk.out") -> None:
        """Run cdk deploy for the stacks (default: all) of the test project, with its files as they are now."""
        context = ["-c", f"factory={self.root / 'factory.yaml'}", "-c", f"models={self.root / 'models'}"]
        # tests/stacks validates the templates.
        environment = {"CDK_VALIDATION": "false"}
        arguments = [*self._deployment(stacks), *context, "--output", str(self.root / output)]
        cdk(self.local, arguments, cwd=ROOT, env=environment)

    def deploy_again(self, *stacks: str) -> None:
        """Run cdk deploy for the stacks as they were deployed first, without synthesizing them again."""
        cdk(self.local, [*self._deployment(stacks), "--app", str(self.root / "cdk.out")], cwd=ROOT)

    @staticmethod
    def _deployment(stacks: tuple[str, ...]) -> list[str]:
        return ["deploy", *(stacks or ["--all"]), "--require-approval", "never"]

    def upload_records(self, data: pd.DataFrame | str, day: str, name: str = "part-0.csv") -> None:
        body = data if isinstance(data, str) else data.to_csv(index=False)
        key = f"{self.model}/raw/dt={day}/{name}"
        self.client("s3").put_object(Bucket=self.session.names.bucket("data"), Key=key, Body=body.encode())

    def upload_labels(self, body: str, name: str = "labels.csv") -> None:
        """Upload ground truth of past requests."""
        key = f"{self.model}/ground-truth/dt=2026-11-24/{name}"
        self.client("s3").put_object(Bucket=self.session.names.bucket("data"), Key=key, Body=body.encode())

    def alarm_state(self, purpose: str) -> str:
        """The state of one of the model's alarms."""
        (alarm,) = self.client("cloudwatch").describe_alarms(AlarmNames=[self.names.alarm(purpose)])["MetricAlarms"]
        return alarm["StateValue"]

    def delete_records(self, day: str) -> None:
        bucket = self.session.names.bucket("data")
        objects = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{self.model}/raw/dt={day}/")
        for entry in objects.get("Contents", []):
            self.client("s3").delete_object(Bucket=bucket, Key=entry["Key"])

    def newest_execution(self, pipeline: str) -> str | None:
        return newest_execution_arn(self.client("sagemaker"), pipeline)

    def wait_for_next_execution(self, pipeline: str, after: str | None, seconds: float = 180) -> ExecutionResult:
        def newer() -> str | None:
            newest = self.newest_execution(pipeline)
            return newest if newest != after else None

        return follow(self.session, wait_for(f"an execution of {pipeline}", newer, seconds), 300, lambda _: None)

    def retrain(self, reason: str = "test") -> ExecutionResult:
        """Start a training with a message to the retrain queue, and wait for its end."""
        before = self.newest_execution(self.names.training_pipeline)
        send_manual_trigger(self.session, "retrain", self.model, reason)
        return self.wait_for_next_execution(self.names.training_pipeline, before)

    def record(self, kind: str, version: int | None = None) -> Entry:
        """The newest record of a kind, which may still be on its way; `version`: of this one (default: of any)."""
        bucket = self.session.names.bucket("records")
        return wait_for(f"the record ({kind})", partial(newest, self.session, bucket, self.model, kind, version))

    def run_schedule(self, schedule: str, at: datetime | None = None) -> None:
        self.control("tick", schedule=self.names.schedule(schedule), time=(at or datetime.now(UTC)).isoformat())

    def create_schedule(self, name: str, pipeline: str) -> None:
        """Create a schedule that starts a pipeline, with the role and the dead letters of the model's own schedules."""
        monitor = self.client("scheduler").get_schedule(Name=self.names.schedule("monitor"))
        start = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
        request = json.dumps({"PipelineName": pipeline, "ClientRequestToken": uuid.uuid4().hex})
        self.client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=monitor["ScheduleExpression"],
            FlexibleTimeWindow=monitor["FlexibleTimeWindow"],
            Target=monitor["Target"] | {"Arn": start, "Input": request},
        )

    def sign_heads(self) -> None:
        """Let the schedule sign the heads of the chains of records, and wait for the signature."""
        prefix, bucket = self.session.names.prefix, self.session.names.bucket("records")
        self.control("tick", schedule=f"{prefix}-record-signer", time=datetime.now(UTC).isoformat())
        listed = partial(self.client("s3").list_objects_v2, Bucket=bucket, Prefix="_heads/")
        wait_for("the signed heads", lambda: listed()["KeyCount"] == 2 or None, 120)

    def control(self, name: str, **body: object) -> None:
        environment = self.session.environment
        self.local.post(name, **{"account": environment.account, "region": environment.region} | body)

    def control_error(self, name: str, **body: object) -> str:
        """The error message of a test control that fails."""
        with pytest.raises(urllib.error.HTTPError) as caught:
            self.control(name, **body)
        return caught.value.read().decode()

    def receive_message(self, queue: str) -> None:
        """Wait for a message in a queue, and delete it."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        (message,) = wait_for(f"a message in {queue}", lambda: sqs.receive_message(QueueUrl=url).get("Messages"), 300)
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def endpoint_status(self) -> str:
        """Status of the endpoint; empty when it does not exist."""
        listed = self.client("sagemaker").list_endpoints(NameContains=self.names.endpoint)["Endpoints"]
        return next((e["EndpointStatus"] for e in listed if e["EndpointName"] == self.names.endpoint), "")

    def predict(self, data: pd.DataFrame, inference_id: str = "") -> list[float]:
        response = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.names.endpoint,
            ContentType="text/csv",
            Accept="text/csv",
            Body=data.drop(columns="sold").to_csv(index=False, header=False).encode(),
            **({"InferenceId": inference_id} if inference_id else {}),
        )
        return [float(line) for line in response["Body"].read().decode().split()]

    def retrain_log(self) -> str:
        """The log of the retrain function."""
        return "\n".join(self.log_messages("retrain"))

    def log_messages(self, function: str) -> list[str]:
        """Log messages of a function whose log group contains this name, oldest first."""
        logs = self.client("logs")
        group = next(
            g["logGroupName"] for g in logs.describe_log_groups()["logGroups"] if function in g["logGroupName"]
        )
        return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]

    def describe_state(self) -> str:
        """Endpoint, versions and last log messages, for the report of a failed test."""
        sagemaker = self.client("sagemaker")
        endpoints = [sagemaker.describe_endpoint(EndpointName=self.names.endpoint)] if self.endpoint_status() else []
        versions = sagemaker.list_model_packages(ModelPackageGroupName=self.names.model_package_group)
        details = [
            *endpoints,
            *versions["ModelPackageSummaryList"],
            *self.log_messages("retrain")[-10:],
            *self.log_messages("deploy")[-10:],
            *self.log_messages("recorder")[-20:],
        ]
        return "\n".join(str(each) for each in details)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Add the state of the factory, which is removed after the tests, to the report of a failed test."""
    report = yield
    factory = next((item.funcargs[name] for name in ("live", "factory", "deployed") if name in item.funcargs), None)
    if report.failed and factory and call.when != "teardown":
        report.sections.append(("state of the factory", factory.describe_state()))
    return report


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    with LocalAws(tmp_path_factory.mktemp("aws"), 0, images=IMAGES) as local:
        local._dispatcher.replaced["sagemaker"].starter.fork_all()
        yield local
        operations.check_run(local.rules.report())


@pytest.fixture(scope="session")
def recorder(local):
    """Records the allowed requests since the deployment."""
    recorder = Recorder()
    local.authorization.watch = recorder.record
    return recorder


@pytest.fixture(scope="session")
def deployed(local, recorder, tmp_path_factory):
    """The test project, deployed to two accounts; no model is trained."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(FIXTURES, root, dirs_exist_ok=True)
    project = Project(root)
    bootstrap(local, project.accounts)
    factory = Factory(local, root, project.environment("prod"))
    factory.deploy()
    yield factory
    assert_complete(project)


@pytest.fixture(scope="session")
def live(deployed):
    """The deployed factory with version 1 in service, in prod."""
    deployed.upload_records(records(), "2026-11-01")
    finished = deployed.retrain("first")
    assert finished.status == "Succeeded", finished.reason
    wait_for("version 1", deployed.reader.live_version)
    return deployed


@pytest.fixture
def alerts(deployed):
    """Messages of the alerts topic since the start of the test, also of causes that earlier tests were told."""
    s3, bucket = deployed.client("s3"), deployed.session.names.bucket("artifacts")
    for window in s3.list_objects_v2(Bucket=bucket, Prefix=ALERT_WINDOWS).get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=window["Key"])
    with subscribed_queue(deployed.client, deployed.session.names) as alerts:
        yield alerts
