"""Commands on deployed models: status, retrain, invoke, upload."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..options import EnvironmentName, ModelName, Profile, ProjectFolder, out
from ..project import Project, UsageError


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    for command in (status, retrain, invoke, upload):
        app.command()(command)


def status(
    env: EnvironmentName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Show the live version of each model, its metric, the endpoint, the last training and the alarms in ALARM.

    Default of --env: all environments.
    """
    from ..operations.status import model_status

    project = Project(root, profile)
    environments = [env] if env else [each.name for each in project.factory.environments]
    statuses = [model_status(project.environment(name), model) for name in environments for model in project.models]
    if as_json:
        print(json.dumps([each.to_json() for each in statuses], indent=2))
        return
    table = Table("model", "version", "metric", "endpoint", "last training", "alarms", box=SIMPLE_HEAD)
    for each in statuses:
        training = f"{each.training} {each.trained:%m-%d %H:%M} ({each.trigger})" if each.trained else "never"
        table.add_row(
            f"{each.environment}/{each.model}",
            str(each.version or "-"),
            each.metric or "-",
            each.endpoint or "none yet",
            training,
            ", ".join(each.alarms) or "-",
        )
    out.print(table)
    for each in statuses:
        if each.training_reason:
            out.print(f"{each.environment}/{each.model}: {each.training_reason}", markup=False, soft_wrap=True)


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
