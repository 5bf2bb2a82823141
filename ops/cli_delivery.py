"""The commands of delivery: deliveries, approve, reject, promote, demo-delivery."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from model_factory.config import Environment

from .decisions import Decision
from .options import EnvironmentName, Profile, Root, out
from .project import EnvironmentSession, Project, UsageError

Model = Annotated[str | None, typer.Argument(help="Name of the model; leave it out with --delivery.")]
Version = Annotated[int | None, typer.Option("--version", help="Default: the newest that waits for an approval.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
ByDelivery = Annotated[bool, typer.Option("--delivery", help="Decide the delivery that waits in front of --env.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    app.command()(deliveries)
    app.command()(approve)
    app.command()(reject)
    app.command()(promote)
    app.command("demo-delivery")(demo_delivery)


def deliveries(root: Root = Path(), profile: Profile = None) -> None:
    """Show the latest deliveries: commit, status, and why one stopped."""
    pipeline = _pipeline(Project(root, profile))
    table = Table("started", "commit", "status", "type", "why")
    for execution in pipeline.executions()[:10]:
        started: datetime = execution["startTime"]
        revision: dict[str, Any] = next(iter(execution["sourceRevisions"]), {})
        failed = execution["status"] == "Failed"
        why = "; ".join(pipeline.failures(execution["pipelineExecutionId"])) if failed else ""
        if approval := pipeline.approval(execution["pipelineExecutionId"]):
            why = f"waits for {approval.action}"
        kind = execution.get("executionType", "STANDARD").lower()
        table.add_row(f"{started:%Y-%m-%d %H:%M}", revision.get("revisionId", "-")[:12], execution["status"], kind, why)
    out.print(table)


def approve(
    reason: Reason,
    model: Model = None,
    env: EnvironmentName = None,
    version: Version = None,
    delivery: ByDelivery = False,
    root: Root = Path(),
    profile: Profile = None,
) -> None:
    """Approve a version, which then goes live; or the delivery that waits in front of an environment."""
    _decide("Approved", reason, model, env, version, delivery, Project(root, profile))


def reject(
    reason: Reason,
    model: Model = None,
    env: EnvironmentName = None,
    version: Version = None,
    delivery: ByDelivery = False,
    root: Root = Path(),
    profile: Profile = None,
) -> None:
    """Reject a version (a live one goes back to the version before) or the delivery that waits."""
    _decide("Rejected", reason, model, env, version, delivery, Project(root, profile))


def promote(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    source: Annotated[str, typer.Option("--from", help="Environment that approved the version.")],
    reason: Reason,
    env: EnvironmentName = None,
    version: Annotated[int | None, typer.Option("--version", help="Default: the newest approved one.")] = None,
    root: Root = Path(),
    profile: Profile = None,
) -> None:
    """Register an approved version in another environment: the same artifact, encrypted anew; nothing is retrained."""
    from .promote import promote as take

    project = Project(root, profile)
    project.model(model)
    made = take(project.environment(source), project.environment(env), model, version, reason)
    out.print(
        f"{made.origin} is version {made.version} now, {made.approval_status}; artifact sha256 {made.artifact_digest}; "
        f"recorded in {made.record_uri}",
        soft_wrap=True,
    )


def demo_delivery() -> None:
    """Push three changes to a repository on this machine and watch the deployed pipeline deliver, or stop."""
    from .demo_delivery.run import run

    run(out)


def _decide(
    decision: Decision,
    reason: str,
    model: str | None,
    env: str | None,
    version: int | None,
    delivery: bool,
    project: Project,
) -> None:
    from .decisions import decide

    if delivery == (model is not None):
        raise UsageError("give the name of a model, or --delivery")
    session = project.environment(env)
    if delivery:
        pipeline, name = _pipeline(project), session.environment.name
        for execution in pipeline.executions():
            approval = pipeline.approval(execution["pipelineExecutionId"])
            if approval and approval.action == f"Approve-{name}":
                pipeline.decide(approval, decision, reason)
                out.print(f"{decision.lower()} the delivery {execution['pipelineExecutionId']} in front of {name}")
                return
        raise UsageError(f"no delivery waits in front of {name}; model-factory deliveries shows where they are")
    project.model(model or "")
    made = decide(session, model or "", version, decision, reason)
    out.print(
        f"{decision.lower()} version {made.version} of {model} in {session.environment.name}; recorded in {made.record_uri}",
        soft_wrap=True,
    )


def _pipeline(project: Project) -> Any:
    from .deliveries import Deliveries

    delivery = project.factory.delivery
    if delivery is None:
        raise UsageError(f"{project.root / 'factory.yaml'} has no `delivery`")
    names = project.factory.delivery_names(delivery)
    tooling = Environment(name=names.environment, account=delivery.account, region=delivery.region, approval="manual")
    return Deliveries(EnvironmentSession(project, tooling).client("codepipeline"), names.delivery_pipeline)
