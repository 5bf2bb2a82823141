"""Four pushes: one is deployed to three accounts after approval, one starts no delivery, one fails its gate, one fails synth."""

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ...delivery.deliveries import Approval, Deliveries
from ...operations.reader import Reader
from ...project import UsageError
from ..demo.run import embedded_aws
from .workspace import TOOLING, Workspace

MODEL = "employment"
ACCOUNTS = {"dev": "111111111111", "staging": "222222222222", "prod": "333333333333"}
ENVIRONMENTS = [
    {
        "name": name,
        "account": account,
        "region": "eu-west-1",
        "removal": "destroy",
        "approval": "manual" if name == "prod" else "automatic",
    }
    for name, account in ACCOUNTS.items()
]
TIMEOUT_SECONDS = 900
CONFIG = f"models/{MODEL}/model.yaml"
# Prefixes of actions whose time depends on the model: training, and tests of the endpoint.
MODEL_ACTIONS = ("Retrain", "Smoke")


@dataclass
class Push:
    """One push and its delivery. `versions`: the live version in each environment afterwards."""

    message: str
    status: str = ""
    seconds: float = 0.0
    actions: int = 0
    training_seconds: float = 0.0
    reason: str = ""
    versions: dict[str, int | None] = field(default_factory=dict)


class DeliveryDemo:
    """One run of the demo."""

    def __init__(self, workspace: Workspace, console: Console) -> None:
        self.workspace, self.console = workspace, console
        codepipeline, logs = (
            workspace.local.accounts.client(service, *TOOLING) for service in ("codepipeline", "logs")
        )
        self.deliveries = Deliveries(codepipeline, "acme-delivery", logs)
        self._started = time.perf_counter()
        self.pushes: list[Push] = []
        self._logged: set[str] = set()

    def log(self, line: str, style: str | None = None) -> None:
        """Print a line of progress, with the seconds since the start."""
        self.console.print(f"[dim]{time.perf_counter() - self._started:6.1f} s[/]  ", end="")
        self.console.print(line, style=style, markup=False, soft_wrap=True)

    def push(self, message: str) -> Push:
        """Commit and push, wait for the delivery, and approve it when it waits for approval."""
        push = Push(message)
        self.pushes.append(push)
        self.log(f"git push: {message}", "bold")
        started = time.perf_counter()
        before = len(self.deliveries.executions())
        commit = self.workspace.push(message)
        if len(self.deliveries.executions()) == before and before:
            push.status = "not started"
            self.log("no delivery was started", "green")
        else:
            execution, approval = self.deliveries.follow(commit, TIMEOUT_SECONDS, self._log_once)
            if approval:
                execution = self._approve(commit, approval)
            self._record(push, execution)
        push.seconds = time.perf_counter() - started
        push.versions = self.versions()
        return push

    def first_push(self) -> None:
        """Push the repository and deploy the pipeline with the CDK CLI; the pipeline deploys everything else."""
        commit = self.workspace.push("the factory")
        self.log("cdk deploy acme-delivery: needed once", "bold")
        self.workspace.deploy_pipeline()
        execution, approval = self.deliveries.follow(commit, TIMEOUT_SECONDS, self._log_once)
        if approval:
            execution = self._approve(commit, approval)
        if execution["status"] != "Succeeded":
            raise UsageError("; ".join(self.deliveries.failures(execution["pipelineExecutionId"])))

    def upload(self, data: pd.DataFrame) -> None:
        """Upload labelled records to every environment."""
        body = data.to_parquet(index=False)
        for name in ACCOUNTS:
            session = self.workspace.project.environment(name)
            key = f"{MODEL}/raw/dt=2026-11-01/part-0.parquet"
            session.client("s3").put_object(Bucket=session.names.bucket("data"), Key=key, Body=body)
        self.log(f"{len(data)} labelled records uploaded to every environment")

    def versions(self) -> dict[str, int | None]:
        """The live version in each environment."""
        project = self.workspace.project
        return {name: Reader(project.environment(name), MODEL).live_version() for name in ACCOUNTS}

    def _approve(self, commit: str, approval: Approval) -> dict[str, Any]:
        live = ", ".join(f"{name} v{version}" for name, version in self.versions().items() if version) or "none"
        self.log(
            f"{approval.action} waits; live versions: {live}. model-factory approve --delivery --env prod", "yellow"
        )
        self.deliveries.decide(approval, "Approved", "the report is convincing")
        return self.deliveries.follow(commit, TIMEOUT_SECONDS, self._log_once)[0]

    def _record(self, push: Push, execution: dict[str, Any]) -> None:
        identifier = execution["pipelineExecutionId"]
        actions = self.deliveries.actions(identifier)
        push.status, push.actions = execution["status"], len(actions)
        push.training_seconds = sum(
            (action["lastUpdateTime"] - action["startTime"]).total_seconds()
            for action in actions
            if action["actionName"].startswith(MODEL_ACTIONS)
        )
        push.reason = "; ".join(self.deliveries.failures(identifier))
        self.log(f"{push.status} {push.reason}".strip(), "green" if push.status == "Succeeded" else "red")

    def _log_once(self, line: str) -> None:
        if line not in self._logged:
            self._logged.add(line)
            self.log(f"  {line}")

    def print_table(self) -> None:
        """Print the table of all pushes."""
        titles = ("push", "delivery", "seconds", "of these training", "actions", *ACCOUNTS)
        table = Table(*titles, box=SIMPLE_HEAD)
        for push in self.pushes:
            live = [f"v{push.versions[name]}" if push.versions.get(name) else "-" for name in ACCOUNTS]
            table.add_row(
                push.message,
                push.status,
                f"{push.seconds:.1f}",
                f"{push.training_seconds:.1f}",
                str(push.actions),
                *live,
            )
        self.console.print(table)
        for push in self.pushes:
            if push.reason:
                self.console.print(f"{push.message}: {push.reason}", markup=False, soft_wrap=True)


def run(console: Console) -> None:
    """Run the demo: a new repository with the example model, its delivery pipeline, and four pushes."""
    with embedded_aws() as local, tempfile.TemporaryDirectory(prefix="model-factory-clone-") as folder:
        workspace = Workspace.create(local, Path(folder) / "factory", ENVIRONMENTS)
        demo = DeliveryDemo(workspace, console)
        demo.log("bootstrapping three accounts and the tooling account")
        workspace.bootstrap()
        demo.first_push()
        demo.upload(pd.read_parquet(workspace.root / "models" / MODEL / "data" / "2015.parquet"))
        workspace.change(CONFIG, "learning_rate: 0.1}", "learning_rate: 0.2}")
        demo.push("a changed hyperparameter")
        (workspace.root / "docs").mkdir()
        (workspace.root / "docs" / "notes.md").write_text("# Notes\n")
        demo.push("documentation only")
        workspace.change(CONFIG, "minimum: 0.85", "minimum: 0.99")
        demo.push("a gate that the model fails")
        workspace.change(CONFIG, "minimum: 0.99", "minimun: 0.85")
        demo.push("a misspelled key that fails synth")
        demo.print_table()
