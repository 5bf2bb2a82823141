"""The story: a push that goes live in three accounts after an approval, one that fails its gate, one that breaks the build."""

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..deliveries import Approval, Deliveries
from ..demo.reading import Reader
from ..demo.run import embedded_aws
from ..project import UsageError
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
PATIENCE_SECONDS = 900
CONFIG = f"models/{MODEL}/model.yaml"
# Actions whose time is the model's: training, and the endpoint that comes up. The rest is the delivery's own.
TRAINING = ("Retrain", "Smoke")


@dataclass
class Push:
    """What became of one push."""

    what: str
    status: str = ""
    seconds: float = 0.0
    actions: int = 0
    training_seconds: float = 0.0
    why: str = ""
    versions: dict[str, int | None] = field(default_factory=dict)


class DeliveryDemo:
    """One run of the story."""

    def __init__(self, workspace: Workspace, console: Console) -> None:
        self.workspace, self.console = workspace, console
        client = workspace.local.accounts.client("codepipeline", *TOOLING)
        self.deliveries = Deliveries(client, "acme-delivery")
        self._started = time.perf_counter()
        self.pushes: list[Push] = []
        self._told: set[str] = set()

    def say(self, line: str, style: str | None = None) -> None:
        """A line of progress, with the seconds since the start."""
        self.console.print(f"[dim]{time.perf_counter() - self._started:6.1f} s[/]  ", end="")
        self.console.print(line, style=style, markup=False, soft_wrap=True)

    def push(self, what: str) -> Push:
        """Push, follow, and approve where the pipeline asks for it."""
        made = Push(what)
        self.pushes.append(made)
        self.say(f"git push: {what}", "bold")
        began = time.perf_counter()
        before = len(self.deliveries.executions())
        commit = self.workspace.push(what)
        if len(self.deliveries.executions()) == before and before:
            made.status = "not started"
            self.say("no delivery starts", "green")
        else:
            execution, approval = self.deliveries.follow(commit, PATIENCE_SECONDS, self._line)
            if approval:
                execution = self._approve(commit, approval)
            self._ended(made, execution)
        made.seconds = time.perf_counter() - began
        made.versions = self.versions()
        return made

    def first_push(self) -> None:
        """The factory itself: the pipeline is deployed by hand, once, and brings everything else."""
        commit = self.workspace.push("the factory")
        self.say("cdk deploy acme-delivery: by hand for the only time", "bold")
        self.workspace.deploy_pipeline()
        execution, approval = self.deliveries.follow(commit, PATIENCE_SECONDS, self._line)
        if approval:
            execution = self._approve(commit, approval)
        if execution["status"] != "Succeeded":
            raise UsageError("; ".join(self.deliveries.failures(execution["pipelineExecutionId"])))

    def land(self, data: pd.DataFrame) -> None:
        """Labelled records in every environment."""
        body = data.to_parquet(index=False)
        for name in ACCOUNTS:
            session = self.workspace.project.environment(name)
            key = f"{MODEL}/raw/dt=2026-11-01/part-0.parquet"
            session.client("s3").put_object(Bucket=session.names.bucket("data"), Key=key, Body=body)
        self.say(f"{len(data)} labelled records land in every environment")

    def versions(self) -> dict[str, int | None]:
        """What serves where."""
        project = self.workspace.project
        return {name: Reader(project.environment(name), MODEL).live_version() for name in ACCOUNTS}

    def _approve(self, commit: str, approval: Approval) -> dict[str, Any]:
        serving = ", ".join(f"{name} v{version}" for name, version in self.versions().items() if version) or "nothing"
        self.say(f"{approval.action} waits; serving: {serving}. model-factory approve --delivery --env prod", "yellow")
        self.deliveries.decide(approval, "Approved", "the report is convincing")
        return self.deliveries.follow(commit, PATIENCE_SECONDS, self._line)[0]

    def _ended(self, made: Push, execution: dict[str, Any]) -> None:
        identifier = execution["pipelineExecutionId"]
        actions = self.deliveries.actions(identifier)
        made.status, made.actions = execution["status"], len(actions)
        made.training_seconds = sum(
            (action["lastUpdateTime"] - action["startTime"]).total_seconds()
            for action in actions
            if action["actionName"].startswith(TRAINING)
        )
        made.why = "; ".join(self.deliveries.failures(identifier))
        self.say(f"{made.status} {made.why}".strip(), "green" if made.status == "Succeeded" else "red")

    def _line(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self.say(f"  {line}")

    def show(self) -> None:
        """The table of all pushes."""
        titles = ("push", "delivery", "seconds", "of it training", "actions", *ACCOUNTS)
        table = Table(*titles, box=SIMPLE_HEAD)
        for push in self.pushes:
            serving = [f"v{push.versions[name]}" if push.versions.get(name) else "-" for name in ACCOUNTS]
            table.add_row(
                push.what,
                push.status,
                f"{push.seconds:.1f}",
                f"{push.training_seconds:.1f}",
                str(push.actions),
                *serving,
            )
        self.console.print(table)
        for push in self.pushes:
            if push.why:
                self.console.print(f"{push.what}: {push.why}", markup=False, soft_wrap=True)


def run(console: Console) -> None:
    """Run the whole demo: a new repository with the example model, its pipeline, and four pushes."""
    with embedded_aws() as local, tempfile.TemporaryDirectory(prefix="model-factory-clone-") as folder:
        workspace = Workspace.create(local, Path(folder) / "factory", ENVIRONMENTS)
        demo = DeliveryDemo(workspace, console)
        demo.say("bootstrapping three accounts and the tooling account")
        workspace.bootstrap()
        demo.first_push()
        demo.land(pd.read_parquet(workspace.root / "models" / MODEL / "data" / "2015.parquet"))
        workspace.change(CONFIG, "learning_rate: 0.1}", "learning_rate: 0.2}")
        demo.push("a changed hyperparameter")
        (workspace.root / "docs").mkdir()
        (workspace.root / "docs" / "notes.md").write_text("# Notes\n")
        demo.push("documentation only")
        workspace.change(CONFIG, "minimum: 0.85", "minimum: 0.99")
        demo.push("a gate that the model fails")
        workspace.change(CONFIG, "minimum: 0.99", "minimun: 0.85")
        demo.push("a slip that breaks synth")
        demo.show()
