"""A repository, a pipeline and three accounts on one embedded AWS; the pipeline has delivered the first push."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from local_aws.server import LocalAws
from ops.deliveries import Approval, Deliveries
from ops.demo.reading import Reader
from ops.demo_delivery.workspace import TOOLING, Workspace

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "tests" / "e2e" / "project" / "models"
ENVIRONMENTS = [
    {"name": "dev", "account": "111111111111", "region": "eu-west-1", "approval": "automatic", "removal": "destroy"},
    {
        "name": "staging",
        "account": "222222222222",
        "region": "eu-west-1",
        "approval": "automatic",
        "removal": "destroy",
    },
    {"name": "prod", "account": "333333333333", "region": "eu-west-1", "approval": "manual", "removal": "destroy"},
]
PATIENCE_SECONDS = 600


def records(rows: int = 1500, seed: int = 0) -> pd.DataFrame:
    """Labelled records of the test's model."""
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(0, 1, rows), rng.normal(0, 1, rows)
    colour = rng.choice(["red", "green", "blue"], rows)
    sold = ((x + (colour == "red") + noise / 2) > 0.5) * 1
    return pd.DataFrame({"x": x.round(4), "y": noise.round(4), "colour": colour, "sold": sold})


class Delivered:
    """The developer's clone, and the pipeline behind it."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.deliveries = Deliveries(self.client("codepipeline"), "acme-delivery")
        self.lines: list[str] = []

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

    def reader(self, environment: str) -> Reader:
        return Reader(self.workspace.project.environment(environment), "sales")

    def versions(self) -> dict[str, int | None]:
        """What serves in every environment."""
        return {one["name"]: self.reader(one["name"]).live_version() for one in ENVIRONMENTS}

    def trainings(self, environment: str) -> int:
        reach = self.workspace.project.environment(environment)
        pipeline = reach.names.model("sales").training_pipeline
        return len(
            reach.client("sagemaker").list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
        )

    def land(self) -> None:
        """Labelled data in every environment."""
        for one in ENVIRONMENTS:
            reach = self.workspace.project.environment(one["name"])
            bucket = reach.names.bucket("data")
            body = records().to_csv(index=False).encode()
            reach.client("s3").put_object(Bucket=bucket, Key="sales/raw/dt=2026-11-01/part-0.csv", Body=body)


@pytest.fixture(scope="session")
def delivered(tmp_path_factory):
    """The pipeline deployed by hand, everything else by the pipeline; data has landed, nothing is trained yet."""
    state, clone = tmp_path_factory.mktemp("aws"), tmp_path_factory.mktemp("clone") / "factory"
    with LocalAws(state) as local:
        workspace = Workspace.create(local, clone, ROOT, MODELS, ENVIRONMENTS)
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
