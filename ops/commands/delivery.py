"""Commands on delivery: deliveries, approve, reject, promote."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from model_factory.config import Environment

from ..delivery.approvals import Decision
from ..delivery.deliveries import Deliveries
from ..delivery.left_behind import left_behind
from ..options import EnvironmentName, ModelName, OptionalModelName, Profile, ProjectFolder, Reason, out, refuse
from ..project import EnvironmentSession, Project, UsageError

PendingVersion = Annotated[
    int | None, typer.Option("--version", help="Default: the newest one in PendingManualApproval.")
]
WholeDelivery = Annotated[
    bool, typer.Option("--delivery", help="Decide on the delivery that waits for approval of --env, not on a version.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    for command in (deliveries, approve, reject, promote):
        app.command()(command)


def deliveries(root: ProjectFolder = Path(), profile: Profile = None) -> None:
    """Show the latest executions of the delivery pipeline, why one failed, and what is deployed but no longer delivered."""
    project = Project(root, profile)
    pipeline = _pipeline(project)
    table = Table("started", "commit", "status", "type", "reason")
    for execution in pipeline.executions()[:10]:
        started: datetime = execution["startTime"]
        revision: dict[str, Any] = next(iter(execution["sourceRevisions"]), {})
        failed = execution["status"] == "Failed"
        reason = "; ".join(pipeline.failures(execution["pipelineExecutionId"])) if failed else ""
        if approval := pipeline.approval(execution["pipelineExecutionId"]):
            reason = f"waits for {approval.action}"
        kind = execution.get("executionType", "STANDARD").lower()
        commit = revision.get("revisionId", "-")[:12]
        table.add_row(f"{started:%Y-%m-%d %H:%M}", commit, execution["status"], kind, Text(reason))
    out.print(table)
    for line in left_behind(project, pipeline):
        out.print(line, markup=False, soft_wrap=True)


def approve(
    reason: Reason,
    model: OptionalModelName = None,
    env: EnvironmentName = None,
    version: PendingVersion = None,
    delivery: WholeDelivery = False,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Approve a version, which is then deployed; or, with --delivery, the delivery that waits for approval."""
    _decide("Approved", reason, model, env, version, delivery, Project(root, profile))


def reject(
    reason: Reason,
    model: OptionalModelName = None,
    env: EnvironmentName = None,
    version: PendingVersion = None,
    delivery: WholeDelivery = False,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Reject a version (the endpoint then returns to the newest approved one) or, with --delivery, the delivery."""
    _decide("Rejected", reason, model, env, version, delivery, Project(root, profile))


def promote(
    model: ModelName,
    source: Annotated[str, typer.Option("--from", help="Environment in which the version is approved.")],
    reason: Reason,
    env: EnvironmentName = None,
    version: Annotated[int | None, typer.Option("--version", help="Default: the newest approved one.")] = None,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Register an approved version in another environment: the same artifact, encrypted with that environment's key."""
    from ..delivery.promote import promote as promote_version

    project = Project(root, profile)
    project.model(model)
    promoted = promote_version(project.environment(source), project.environment(env), model, version, reason)
    out.print(
        f"registered {promoted.origin} as version {promoted.version}, {promoted.approval_status}; "
        f"artifact sha256 {promoted.artifact_digest}; record {promoted.record}",
        soft_wrap=True,
    )


def _decide(
    decision: Decision,
    reason: str,
    model: str | None,
    env: str | None,
    version: int | None,
    delivery: bool,
    project: Project,
) -> None:
    from ..delivery.approvals import decide

    if delivery == (model is not None):
        raise UsageError("give the name of a model, or --delivery")
    if delivery:
        refuse("--delivery", "is about no version of a model", {"--version": version})
    session = project.environment(env)
    if model is None:
        _decide_delivery(decision, reason, session.environment.name, project)
        return
    project.model(model)
    decided = decide(session, model, version, decision, reason)
    where = f"version {decided.version} of {model} in {session.environment.name}"
    done = f"{where} was {decision} already, without a record" if decided.completed else f"{decision.lower()} {where}"
    out.print(f"{done}; record {decided.record}", soft_wrap=True)


def _decide_delivery(decision: Decision, reason: str, environment: str, project: Project) -> None:
    pipeline = _pipeline(project)
    for execution in pipeline.executions():
        approval = pipeline.approval(execution["pipelineExecutionId"])
        if approval and approval.action == f"Approve-{environment}":
            pipeline.decide(approval, decision, reason)
            out.print(f"{decision.lower()} delivery {execution['pipelineExecutionId']} for {environment}")
            return
    raise UsageError(f"no delivery waits for approval of {environment}; model-factory deliveries lists them")


def _pipeline(project: Project) -> Deliveries:
    delivery = project.factory.delivery
    if delivery is None:
        raise UsageError(f"{project.root / 'factory.yaml'} has no `delivery`")
    names = project.factory.delivery_names(delivery)
    tooling = Environment(name=names.environment, account=delivery.account, region=delivery.region, approval="manual")
    session = EnvironmentSession(project, tooling)
    return Deliveries(session.client("codepipeline"), names.delivery_pipeline, session.client("logs"))
