"""Commands on deployed models: status, retrain, invoke, upload."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from ..options import EnvironmentName, ModelName, Profile, ProjectFolder, err, out
from ..project import Project, UsageError
from ..refusals import explain


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    for command in (status, retrain, invoke, upload):
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
    """Start a training: send a message to the retrain queue, as the schedule and the drift alarm do."""
    from ..operations.trigger import send_manual_trigger

    project = Project(root, profile)
    config, session = project.model(model), project.environment(env)
    if source := project.factory.promoted_from(session.environment, config.promote):
        raise UsageError(
            f"{model} has `promote: model`: {session.environment.name} trains no versions, they are promoted from "
            f"{source.name}; train in the first environment, then deliver, or model-factory promote {model} "
            f"--from {source.name} --env {session.environment.name}"
        )
    identifier = send_manual_trigger(session, "retrain", model, reason)
    out.print(
        f"sent a retrain message for {model} to {session.environment.name} ({identifier}); "
        "model-factory status shows the training"
    )


def invoke(
    model: ModelName,
    rows: Annotated[Path | None, typer.Option("--rows", help="A .csv file without header, or a .json file.")] = None,
    instance: Annotated[str | None, typer.Option("--json", help="One record: '{\"column\": value, …}'")] = None,
    inference_id: Annotated[
        str | None, typer.Option("--inference-id", help="Identifies the request when its labels are uploaded later.")
    ] = None,
    env: EnvironmentName = None,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Send records to the live endpoint and print the predictions as JSON."""
    from ..operations import invoke as endpoint

    if (rows is None) == (instance is None):
        raise UsageError("give either --rows FILE or --json RECORD")
    project = Project(root, profile)
    project.model(model)
    if rows:
        body, content_type = endpoint.read_rows(rows)
    else:
        try:
            body = json.dumps({"instances": [json.loads(instance or "")]})
        except ValueError as error:
            raise UsageError(f"--json is not JSON: {error}") from None
        content_type = "application/json"
    print(json.dumps(endpoint.invoke(project.environment(env), model, body, content_type, inference_id)))


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
