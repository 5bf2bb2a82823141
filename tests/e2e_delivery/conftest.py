"""Fixtures: a repository, the delivery pipeline and three accounts on one embedded AWS.

There are two models with the same data: `sales` is trained in every environment; `offers` is trained in dev and promoted.
Staging is in another region. Without slow tests there is no staging, which takes a third of the time.
"""

import shutil
from functools import cache
from pathlib import Path

import pytest

from local_aws.authorization.policies import Document
from local_aws.server import LocalAws
from model_factory.environment.scheduler_role import scheduler_role_arn
from model_factory.ops.acceptance.alerts import subscribed_queue
from model_factory.ops.delivery.deliveries import Approval, Deliveries
from model_factory.ops.local.demo_delivery.workspace import TOOLING, Workspace
from model_factory.ops.operations.reader import Reader
from model_factory.ops.waiting import wait_for
from tests.e2e.completeness import assert_complete
from tests.e2e.recorder import Recorder, deployed_roles
from tests.e2e.sales import records
from tools import operations

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "tests" / "e2e" / "project" / "models"
ENVIRONMENTS = [
    {"name": "dev", "account": "111111111111", "region": "eu-west-1", "approval": "automatic", "removal": "destroy"},
    {
        "name": "staging",
        "account": "222222222222",
        "region": "eu-central-1",
        "approval": "automatic",
        "removal": "destroy",
    },
    {"name": "prod", "account": "333333333333", "region": "eu-west-1", "approval": "manual", "removal": "destroy"},
]
TIMEOUT_SECONDS = 600
# Passes the gate, which predicts many rows at a time, and fails the smoke test.
FAILS_ON_ONE_ROW = "\n    if len(features) == 1:\n        raise RuntimeError('one row alone')\n    return model."
# The variable is set in the container of an endpoint only.
DOES_NOT_START = """import os

if "SAGEMAKER_PROGRAM" in os.environ:
    raise OSError("lookup.csv is missing")

import pandas"""


class Delivered:
    """A clone of the repository, and its delivery pipeline."""

    def __init__(self, workspace: Workspace, environments: list[dict[str, str]]) -> None:
        self.workspace, self.environments = workspace, environments
        self.deliveries = Deliveries(self.client("codepipeline"), "acme-delivery", self.client("logs"))
        self.lines: list[str] = []
        self._roles: dict[tuple[str, str], tuple[str, Document]] = {}
        self.session = cache(workspace.project.environment)

    def client(self, service: str):
        """A client in the tooling account."""
        return self.workspace.local.accounts.client(service, *TOOLING)

    def push(self, message: str) -> tuple[dict, Approval | None]:
        """Push, and wait until the delivery ends or waits for an approval."""
        return self.follow(self.workspace.push(message))

    def follow(self, commit: str) -> tuple[dict, Approval | None]:
        return self.deliveries.follow(commit, TIMEOUT_SECONDS, self.lines.append)

    def approve(self, execution: dict, approval: Approval, reason: str) -> tuple[dict, Approval | None]:
        self.deliveries.decide(approval, "Approved", reason)
        return self.follow(execution["sourceRevisions"][0]["revisionId"])

    def failures(self, execution: dict) -> str:
        """The failed actions of an execution, with the last log lines of a failed build."""
        return "\n".join(self.deliveries.failures(execution["pipelineExecutionId"]))

    def reader(self, environment: str, model: str = "sales") -> Reader:
        return Reader(self.session(environment), model)

    def versions(self, model: str = "sales") -> dict[str, int | None]:
        """The live version in each environment."""
        return {one["name"]: self.reader(one["name"], model).live_version() for one in self.environments}

    def version(self, environment: str, model: str, number: int) -> dict:
        """A version, as DescribeModelPackage returns it."""
        session = self.session(environment)
        name = f"model-package/{session.names.model(model).model_package_group}/{number}"
        return session.client("sagemaker").describe_model_package(ModelPackageName=session.names.arn("sagemaker", name))

    def trainings(self, environment: str, model: str = "sales") -> int:
        session = self.session(environment)
        pipeline = session.names.model(model).training_pipeline
        listed = session.client("sagemaker").list_pipeline_executions(PipelineName=pipeline, MaxResults=100)
        return len(listed["PipelineExecutionSummaries"])

    def restore_models(self) -> None:
        """Restore the models' files from the first commit that was delivered with data."""
        self.workspace.git("checkout", "--quiet", self.first_commit, "--", "models")

    def rolled_back(self, execution: dict) -> dict:
        """Wait for the end of the rollback that a failed execution started."""

        def find() -> dict | None:
            for each in self.deliveries.executions():
                if each.get("trigger", {}).get("triggerDetail") == execution["pipelineExecutionId"]:
                    return each if each["status"] != "InProgress" else None
            return None

        return wait_for("the rollback", find, 300)

    def role(self, account: str, name: str) -> tuple[str, Document]:
        """ARN and policy of a role, as they were first asked for: test_structure.py ends with other policies."""
        if (account, name) not in self._roles:
            iam = self.workspace.local.accounts.client("iam", account, TOOLING[1])
            self._roles[account, name] = deployed_roles(iam, name)[""]
        return self._roles[account, name]

    def upload_records(self) -> None:
        """Upload labelled records to every environment that trains."""
        body = records().to_csv(index=False).encode()
        for name, model in [(one["name"], "sales") for one in self.environments] + [("dev", "offers")]:
            session = self.session(name)
            key = f"{model}/raw/dt=2026-11-01/part-0.csv"
            session.client("s3").put_object(Bucket=session.names.bucket("data"), Key=key, Body=body)


def models(folder: Path) -> Path:
    """The folder of the models: `sales`, and its copy `offers`, which is promoted and has a schedule."""
    text = (MODELS / "sales" / "model.yaml").read_text()
    for name, old, new in (
        ("sales", "{cooldown: 0s}", "{cooldown: 0s, schedule: null}"),
        ("offers", "name: sales", "name: offers\npromote: model"),
    ):
        shutil.copytree(MODELS / "sales", folder / name)
        (folder / name / "model.yaml").write_text(text.replace(old, new))
    return folder


@pytest.fixture(scope="session")
def recorder():
    """Records the allowed requests."""
    return Recorder()


@pytest.fixture(scope="session")
def environments(request):
    """Environments in the order of promotion: all with slow tests, else the first and the last."""
    slow = any(item.get_closest_marker("slow") for item in request.session.items)
    return ENVIRONMENTS if slow else [ENVIRONMENTS[0], ENVIRONMENTS[-1]]


@pytest.fixture(scope="session")
def delivered(tmp_path_factory, recorder, environments):
    """The pipeline is deployed by the CDK CLI and has deployed everything else; data is uploaded, no model is trained."""
    state, clone = tmp_path_factory.mktemp("aws"), tmp_path_factory.mktemp("clone") / "factory"
    with LocalAws(state) as local:
        local.authorization.watch = recorder.record
        local._dispatcher.replaced["sagemaker"].starter.fork_all()
        workspace = Workspace.create(local, clone, environments, models(tmp_path_factory.mktemp("models")))
        workspace.bootstrap()
        # Before the push: a new pipeline runs at once, and that of pull requests would build what the push delivers.
        workspace.deploy_pipeline()
        commit = workspace.push("the factory")
        delivered = Delivered(workspace, environments)
        execution, approval = delivered.follow(commit)
        assert approval, delivered.failures(execution)
        execution, _ = delivered.approve(execution, approval, "a new factory")
        assert execution["status"] == "Succeeded", delivered.failures(execution)
        delivered.upload_records()
        yield delivered
        assert_complete(workspace.project)
        operations.check_run(local.rules.report())


@pytest.fixture(scope="session")
def live(delivered):
    """A push after the upload of data is delivered: version 1 is live in every environment, in prod after an approval."""
    for model in ("sales", "offers"):
        path = f"models/{model}/model.yaml"
        delivered.workspace.change(path, "retrain:", "training: {hyperparameters: {C: 1.0}}\nretrain:")
    execution, approval = delivered.push("Say how strongly to regularize")
    assert approval, delivered.failures(execution)
    delivered.before_approval = {model: delivered.versions(model) for model in ("sales", "offers")}
    execution, _ = delivered.approve(execution, approval, "the report is convincing")
    assert execution["status"] == "Succeeded", delivered.failures(execution)
    delivered.execution = execution
    delivered.first_commit = delivered.workspace.git("rev-parse", "HEAD")
    return delivered


@pytest.fixture(scope="session")
def before(live):
    """Live versions by model and environment, after the fixture `live` and before other pushes."""
    return {model: live.versions(model) for model in ("sales", "offers")}


@pytest.fixture(scope="session")
def conflict(live, before, alerts):
    """A failed delivery: it adds a schedule to `sales` whose name exists already, and changes `offers`."""
    session = live.session("dev")
    scheduler, name = session.client("scheduler"), session.names.model("sales").schedule("retrain")
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": session.names.arn("sqs", "existing"), "RoleArn": scheduler_role_arn(session.names)},
    )
    live.restore_models()
    live.workspace.change("models/sales/model.yaml", "schedule: null", "schedule: rate(1 day)")
    live.workspace.change("models/offers/model.yaml", "{C: 1.0}", "{C: 2.0}")
    execution, approval = live.push("A schedule for sales")
    assert (execution["status"], approval) == ("Failed", None), live.failures(execution)
    yield execution
    scheduler.delete_schedule(Name=name)


@pytest.fixture(scope="session")
def smoke_failure(live, before, alerts):
    """A failed delivery: `sales` cannot predict a single row, the container of `offers` does not start."""
    live.restore_models()
    live.workspace.change("models/sales/model.py", "return model.", FAILS_ON_ONE_ROW)
    live.workspace.change("models/offers/model.py", "import pandas", DOES_NOT_START)
    execution, approval = live.push("Two models that fail the smoke test")
    assert (execution["status"], approval) == ("Failed", None), live.failures(execution)
    return execution


@pytest.fixture(scope="session")
def alerts(live):
    """Messages of the delivery's alerts topic since the start of the fixture."""
    factory = live.workspace.project.factory
    with subscribed_queue(live.client, factory.delivery_names(factory.delivery)) as alerts:
        yield alerts
