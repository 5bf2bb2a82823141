"""Commands on deployed models: status, retrain, redeploy, rollback, invoke, upload, policy."""

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from botocore.exceptions import ClientError

from ..options import EnvironmentName, ModelName, Profile, ProjectFolder, err, out
from ..project import EnvironmentSession, Project, UsageError
from ..refusals import explain

if TYPE_CHECKING:
    from ..operations.deployments import Requested

NoWait = Annotated[bool, typer.Option("--no-wait", help="Send the request, and do not wait for the deployment.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    for command in (status, retrain, redeploy, rollback, invoke, upload, policy):
        app.command()(command)


def status(
    models: Annotated[list[str] | None, typer.Argument(help="Models to show; default: all.")] = None,
    env: EnvironmentName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Show what each model's endpoint serves, what is on its way, what waits for whom, what failed and why.

    Also models that are deployed and no longer in the repository. Default of --env: all environments; those that cannot be read
    are named on standard error, and the exit code is 1.
    """
    from ..operations.facts import read_environment
    from ..operations.layout import lines
    from ..operations.status import judge

    project = Project(root, profile)
    sessions = [project.environment(name) for name in ([env] if env else _environment_names(project))]
    printed: list[dict[str, object]] = []
    unread: list[str] = []
    for session in sessions:
        names = session.names
        try:
            facts = read_environment(session, models or ())
        except (UsageError, ClientError) as error:
            if env:
                raise
            unread.append(f"{session.environment.name}: {explain(error) if isinstance(error, ClientError) else error}")
            continue
        for missing in set(models or ()) - {each.model for each in facts}:
            project.model(missing)  # raises UsageError with the nearest name
        statuses = [judge(each, datetime.now(UTC)) for each in facts]
        printed += [each.to_json() for each in statuses]
        if not as_json:
            for text, style in lines(session.environment.name, f"{names.account}, {names.region}", statuses, out.width):
                out.print(text, style=style or None, markup=False, soft_wrap=True)
    if as_json:
        print(json.dumps(printed, indent=2))
    for line in unread:
        err.print(line, markup=False, soft_wrap=True)
    if unread:
        raise typer.Exit(1)


def _environment_names(project: Project) -> list[str]:
    return [each.name for each in project.factory.environments]


def retrain(
    model: ModelName,
    reason: Annotated[str, typer.Option(help="Reason; recorded with the version.")] = "manual start",
    env: EnvironmentName = None,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Request a training, as the schedule and the drift alarm do. During another one, it starts when that one ends."""
    from ..operations.trigger import request_training

    project = Project(root, profile)
    config, session = project.model(model), project.environment(env)
    if source := project.factory.promoted_from(session.environment, config.promote):
        raise UsageError(
            f"{model} has `promote: model`: {session.environment.name} trains no versions, they are promoted from "
            f"{source.name}; train in the first environment, then deliver, or model-factory promote {model} "
            f"--from {source.name} --env {session.environment.name}"
        )
    request = request_training(session, model, reason)
    out.print(
        f"sent a retrain message for {model} to {session.environment.name} ({request.id}): {request.outlook}; "
        "model-factory status shows it",
        soft_wrap=True,
    )


def redeploy(
    model: ModelName,
    reason: Annotated[str, typer.Option(help="Reason; part of the request.")] = "redeploy by hand",
    without_trial: Annotated[
        bool,
        typer.Option("--without-trial", help="Deploy it without a trial against the live version, or end its trial."),
    ] = False,
    env: EnvironmentName = None,
    no_wait: NoWait = False,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Deploy the newest approved version, also after a rollback or a deleted endpoint, with canary, alarms and record.

    Exit codes: 0 it is live (with --no-wait: the request is sent), 1 mistake or refusal, 3 rolled back or failed, 4 not ended in
    time.
    """
    from ..operations import deployments

    project = Project(root, profile)
    project.model(model)
    session = project.environment(env)
    requested = deployments.redeploy(session, model, reason, without_trial=without_trial)
    out.print(f"asked {session.environment.name} to deploy version {requested.version} of {model}")
    _wait_for_deployment(session, requested, no_wait=no_wait)


def rollback(
    model: ModelName,
    to: Annotated[
        int | None, typer.Option("--to", help="An approved version; default: the one before the live one.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Reason; recorded with the rejections.")] = "rollback by hand",
    env: EnvironmentName = None,
    no_wait: NoWait = False,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Return to an older approved version: reject the newer ones, then deploy it with canary, alarms and record.

    Exit codes: 0 it is live (with --no-wait: the request is sent), 1 mistake or refusal, 3 rolled back or failed, 4 not ended in
    time. After 1 half way, the same command goes on.
    """
    from ..operations import deployments

    project = Project(root, profile)
    project.model(model)
    session = project.environment(env)
    requested = deployments.rollback(session, model, to, reason, lambda line: out.print(line, soft_wrap=True))
    out.print(f"asked {session.environment.name} to deploy version {requested.version} of {model}")
    _wait_for_deployment(session, requested, no_wait=no_wait)


def _wait_for_deployment(session: EnvironmentSession, requested: "Requested", *, no_wait: bool) -> None:
    from ..operations.deployments import NotEndedError, follow

    if no_wait:
        out.print(f"model-factory status {requested.model} --env {session.environment.name} shows what becomes of it")
        return
    try:
        ended = follow(session, requested, lambda line: err.print(line, markup=False))
    except NotEndedError as error:
        err.print(f"model-factory: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(4) from None
    recorded = f"; record {ended.record}" if ended.record else ""
    if ended.outcome in ("succeeded", "unchanged"):
        already = " already; there was nothing to deploy" if ended.outcome == "unchanged" else ""
        out.print(f"version {ended.version} of {requested.model} is live{already}{recorded}", soft_wrap=True)
        return
    if ended.outcome == "on trial":
        out.print(
            f"version {ended.version} of {requested.model} is on trial against version {ended.live}{recorded}",
            soft_wrap=True,
        )
        return
    serves = f"; the endpoint serves version {ended.live} as before" if ended.live else ""
    message = f"the deployment of version {ended.version} of {requested.model} was {ended.outcome}"
    if ended.outcome == "failed":
        message = f"the deployment of version {ended.version} of {requested.model} failed"
    err.print(f"model-factory: {message}: {ended.reason}{serves}{recorded}", markup=False, soft_wrap=True)
    raise typer.Exit(3)


def invoke(
    model: ModelName,
    rows: Annotated[
        Path | None,
        typer.Option(
            "--rows", help="A .csv file with a header, or a .json, .jsonl or .parquet file; other columns are left out."
        ),
    ] = None,
    instance: Annotated[str | None, typer.Option("--json", help="One record: '{\"column\": value, …}'")] = None,
    inference_id: Annotated[
        str | None, typer.Option("--inference-id", help="Identifies the request when its labels are uploaded later.")
    ] = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="Print the label and the score of each class instead of the score.")
    ] = False,
    env: EnvironmentName = None,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Send records to the live endpoint and print the predictions as JSON; standard error names the version that answered.

    A request to an asynchronous endpoint waits in its queue, for minutes when an instance has to start first.
    """
    from ..operations import invoke as endpoint

    if (rows is None) == (instance is None):
        raise UsageError("give either --rows FILE or --json RECORD")
    project = Project(root, profile)
    project.model(model)
    if rows:
        body, content_type = endpoint.read_rows(rows)
    else:
        try:
            body = json.dumps({"instances": [json.loads(instance or "")]}).encode()
        except ValueError as error:
            raise UsageError(f"--json is not JSON: {error}") from None
        content_type = "application/json"
    session = project.environment(env)
    log = partial(err.print, markup=False, highlight=False, soft_wrap=True)
    answer = endpoint.ask(session, model, body, content_type, inference_id, labels=labels, log=log)
    print(json.dumps(answer.content))
    if answer.version is not None:
        err.print(f"version {answer.version} answered", markup=False, highlight=False)


def upload(
    model: ModelName,
    file: Annotated[Path, typer.Argument(help="Labelled records, in the format of data.format in model.yaml.")],
    labels: Annotated[
        bool, typer.Option("--labels", help="The file has ground truth: inference_id and the label of past requests.")
    ] = False,
    day: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Partition; default: today, UTC.")
    ] = None,
    env: EnvironmentName = None,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Upload training data to s3://<data>/<model>/raw/dt=<date>/, or labels to ground-truth/dt=<date>/."""
    from ..operations.upload import upload as upload_file

    project = Project(root, profile)
    uri = upload_file(project.environment(env), model, file, day.date() if day else None, labels=labels)
    out.print(f"uploaded {uri}", soft_wrap=True)


def policy(
    commands: Annotated[list[str] | None, typer.Argument(help="Commands; default: all that have a policy.")] = None,
    env: EnvironmentName = None,
    root: ProjectFolder = Path(),
) -> None:
    """Print the IAM policy that running commands such as status, approve or rollback in an environment needs."""
    from ..operations.policy import policy as required

    print(json.dumps(required(Project(root).environment(env).names, commands or ()), indent=2))
