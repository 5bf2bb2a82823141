"""A repository, a pipeline and three accounts on one embedded AWS; the pipeline has delivered the first push.

Two models with the same data: `sales` is trained in every environment, `offers` in dev only and promoted from there.
Staging is in a region of its own.
"""

import shutil
from functools import cache
from pathlib import Path

import pytest

from local_aws.server import LocalAws
from model_factory.ops.delivery.deliveries import Approval, Deliveries
from model_factory.ops.local.demo.reader import Reader
from model_factory.ops.local.demo_delivery.workspace import TOOLING, Workspace
from model_factory.ops.waiting import wait_for
from tests.e2e.alerts import subscribed
from tests.e2e.recorder import Recorder
from tests.e2e.sales import records

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
PATIENCE_SECONDS = 600
# Enough for the gate, which asks for many rows at once.
REFUSES_ONE_ROW = "\n    if len(features) == 1:\n        raise RuntimeError('one row alone')\n    return model."
# What only the container of an endpoint knows.
DOES_NOT_START = """import os

if "SAGEMAKER_PROGRAM" in os.environ:
    raise OSError("lookup.csv is missing")

import pandas"""


class Delivered:
    """The developer's clone, and the pipeline behind it."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.deliveries = Deliveries(self.client("codepipeline"), "acme-delivery")
        self.lines: list[str] = []
        self.session = cache(workspace.project.environment)

    def client(self, service: str):
        """A client in the tooling account."""
        return self.workspace.local.accounts.client(service, *TOOLING)

    def push(self, message: str) -> tuple[dict, Approval | None]:
        """Push, and wait for the end or for an approval."""
        return self.follow(self.workspace.push(message))

    def follow(self, commit: str) -> tuple[dict, Approval | None]:
        return self.deliveries.follow(commit, PATIENCE_SECONDS, self.lines.append)

    def approve(self, execution: dict, approval: Approval, reason: str) -> tuple[dict, Approval | None]:
        self.deliveries.decide(approval, "Approved", reason)
        return self.follow(execution["sourceRevisions"][0]["revisionId"])

    def failures(self, execution: dict) -> str:
        """What failed, with the end of the log of a build that did."""
        told = self.deliveries.failures(execution["pipelineExecutionId"])
        for action in self.deliveries.actions(execution["pipelineExecutionId"]):
            if action["status"] == "Failed" and action["input"]["actionTypeId"]["provider"] == "CodeBuild":
                group, _, stream = action["output"]["executionResult"]["externalExecutionUrl"].rpartition("/")
                events = self.client("logs").get_log_events(logGroupName=group, logStreamName=stream)["events"]
                told += [event["message"] for event in events[-30:]]
        return "\n".join(told)

    def reader(self, environment: str, model: str = "sales") -> Reader:
        return Reader(self.session(environment), model)

    def versions(self, model: str = "sales") -> dict[str, int | None]:
        """What serves in every environment."""
        return {one["name"]: self.reader(one["name"], model).live_version() for one in ENVIRONMENTS}

    def version(self, environment: str, model: str, number: int) -> dict:
        """A version, described."""
        session = self.session(environment)
        name = f"model-package/{session.names.model(model).model_package_group}/{number}"
        return session.client("sagemaker").describe_model_package(ModelPackageName=session.names.arn("sagemaker", name))

    def trainings(self, environment: str, model: str = "sales") -> int:
        session = self.session(environment)
        pipeline = session.names.model(model).training_pipeline
        return len(
            session.client("sagemaker").list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
        )

    def as_at_first(self) -> None:
        """The models as in the push that went live, whatever other tests pushed since."""
        self.workspace.git("checkout", "--quiet", self.good, "--", "models")

    def rolled_back(self, execution: dict) -> dict:
        """The rollback that a failed execution started, ended."""

        def look() -> dict | None:
            for found in self.deliveries.executions():
                if found.get("trigger", {}).get("triggerDetail") == execution["pipelineExecutionId"]:
                    return found if found["status"] != "InProgress" else None
            return None

        return wait_for("the rollback", look, 300)

    def land(self) -> None:
        """Labelled data in every environment that trains."""
        body = records().to_csv(index=False).encode()
        for name, model in [(one["name"], "sales") for one in ENVIRONMENTS] + [("dev", "offers")]:
            session = self.session(name)
            key = f"{model}/raw/dt=2026-11-01/part-0.csv"
            session.client("s3").put_object(Bucket=session.names.bucket("data"), Key=key, Body=body)


def models(folder: Path) -> Path:
    """The project's models: `sales`, and `offers`, which is the same but promoted and has a schedule."""
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
    """What was asked of the policies and allowed."""
    return Recorder()


@pytest.fixture(scope="session")
def delivered(tmp_path_factory, recorder):
    """The pipeline deployed by hand, everything else by the pipeline; data has landed, nothing is trained yet."""
    state, clone = tmp_path_factory.mktemp("aws"), tmp_path_factory.mktemp("clone") / "factory"
    with LocalAws(state) as local:
        local.authorization.watch = recorder.see
        workspace = Workspace.create(local, clone, ENVIRONMENTS, models(tmp_path_factory.mktemp("models")))
        workspace.bootstrap()
        commit = workspace.push("the factory")
        workspace.deploy_pipeline()
        made = Delivered(workspace)
        execution, approval = made.follow(commit)
        assert approval, made.failures(execution)
        execution, _ = made.approve(execution, approval, "a new factory")
        assert execution["status"] == "Succeeded", made.failures(execution)
        made.land()
        yield made


@pytest.fixture(scope="session")
def live(delivered):
    """The first push with data: every environment serves version 1 of it, prod after an approval."""
    for model in ("sales", "offers"):
        path = f"models/{model}/model.yaml"
        delivered.workspace.change(path, "retrain:", "training: {hyperparameters: {C: 1.0}}\nretrain:")
    execution, approval = delivered.push("Say how strongly to regularize")
    assert approval, delivered.failures(execution)
    delivered.before_approval = {model: delivered.versions(model) for model in ("sales", "offers")}
    execution, _ = delivered.approve(execution, approval, "the report is convincing")
    assert execution["status"] == "Succeeded", delivered.failures(execution)
    delivered.execution = execution
    delivered.good = delivered.workspace.git("rev-parse", "HEAD")
    return delivered


@pytest.fixture(scope="session")
def before(live):
    """Every environment as after the first push with data, whatever other tests pushed since."""
    return {model: live.versions(model) for model in ("sales", "offers")}


@pytest.fixture(scope="session")
def taken(live, before, alerts):
    """A push that gives `sales` a schedule which somebody made by hand before, and trains `offers` another way."""
    session = live.session("dev")
    scheduler, name = session.client("scheduler"), session.names.model("sales").schedule("retrain")
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": session.names.arn("sqs", "by-hand"), "RoleArn": session.names.iam_arn("role/by-hand")},
    )
    live.as_at_first()
    live.workspace.change("models/sales/model.yaml", "schedule: null", "schedule: rate(1 day)")
    live.workspace.change("models/offers/model.yaml", "{C: 1.0}", "{C: 2.0}")
    execution, approval = live.push("A schedule for sales")
    assert (execution["status"], approval) == ("Failed", None), live.failures(execution)
    yield execution
    scheduler.delete_schedule(Name=name)


@pytest.fixture(scope="session")
def stopped(live, before, alerts):
    """A push with a model that answers no single row, and one whose container does not start."""
    live.as_at_first()
    live.workspace.change("models/sales/model.py", "return model.", REFUSES_ONE_ROW)
    live.workspace.change("models/offers/model.py", "import pandas", DOES_NOT_START)
    execution, approval = live.push("Two models that do not serve")
    assert (execution["status"], approval) == ("Failed", None), live.failures(execution)
    return execution


@pytest.fixture(scope="session")
def alerts(live):
    """Reads what the delivery's alerts topic published since its first use."""
    factory = live.workspace.project.factory
    with subscribed(live.client, factory.delivery_names(factory.delivery)) as read:
        yield read
