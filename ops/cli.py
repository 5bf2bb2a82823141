"""`model-factory`: the commands and what they print. What they do is in the modules beside this one."""

import json
import logging
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.box import SIMPLE_HEAD
from rich.table import Table

from model_factory.config import ConfigError

from . import cli_delivery, cli_repository
from .options import EnvironmentName, ModelArgument, Profile, Root, err, out, print_mistakes
from .project import Project, UsageError
from .repository.init import DISTRIBUTION

LOCAL_PACKAGES = ("local_aws", "pandas", "pyarrow", "numpy")
"""Import names of the extra `local` that commands use."""

app = typer.Typer(no_args_is_help=True, invoke_without_command=True)
local_app = typer.Typer(help="The embedded AWS on this machine.", no_args_is_help=True)
app.add_typer(local_app, name="local")


@app.callback()
def options(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Machine learning on AWS from `git push` to a monitored endpoint."""
    if show_version:
        print(version(DISTRIBUTION))
        raise typer.Exit


cli_repository.register(app)
cli_delivery.register(app)


@app.command()
def status(
    env: EnvironmentName = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    root: Root = Path(),
    profile: Profile = None,
) -> None:
    """Show which version of each model runs where, how good it is and which alarms are on."""
    from .status import model_status

    project = Project(root, profile)
    environments = [env] if env else [e.name for e in project.factory.environments]
    found = [model_status(project.environment(name), model) for name in environments for model in project.models]
    if as_json:
        print(json.dumps([one.to_json() for one in found], indent=2))
        return
    table = Table("where", "version", "quality", "endpoint", "last training", "alarms", box=SIMPLE_HEAD)
    for one in found:
        trained = f"{one.training} {one.trained:%m-%d %H:%M} ({one.trigger})" if one.trained else "never"
        table.add_row(
            f"{one.environment}/{one.model}",
            str(one.version or "-"),
            one.metric or "-",
            one.endpoint or "none yet",
            trained,
            ", ".join(one.alarms) or "-",
        )
    out.print(table)
    for one in found:
        if one.training_reason:
            out.print(f"{one.environment}/{one.model}: {one.training_reason}", markup=False, soft_wrap=True)


@app.command()
def retrain(
    model: ModelArgument,
    reason: Annotated[str, typer.Option(help="Why; kept with the version.")] = "asked for by hand",
    env: EnvironmentName = None,
    root: Root = Path(),
    profile: Profile = None,
) -> None:
    """Train a model now, through the same queue as the schedule and the drift alarm."""
    from .retrain import request

    project = Project(root, profile)
    config, session = project.model(model), project.environment(env)
    if before := project.factory.promoted_from(session.environment, config.promote):
        raise UsageError(
            f"{model} has `promote: model`: {session.environment.name} trains nothing, it is given versions of "
            f"{before.name}; train in the first environment, then deliver, or model-factory promote {model} "
            f"--from {before.name} --env {session.environment.name}"
        )
    identifier = request(session, model, reason)
    out.print(
        f"asked {session.environment.name} to train {model} ({identifier}); model-factory status shows how it goes"
    )


@app.command()
def invoke(
    model: ModelArgument,
    rows: Annotated[Path | None, typer.Option("--rows", help="A .csv (no header) or .json file.")] = None,
    instance: Annotated[str | None, typer.Option("--json", help="One record: '{\"column\": value, …}'")] = None,
    inference_id: Annotated[
        str | None, typer.Option("--inference-id", help="What labels will call this request when they come.")
    ] = None,
    env: EnvironmentName = None,
    root: Root = Path(),
    profile: Profile = None,
) -> None:
    """Ask the live endpoint for predictions."""
    from . import invoke as invoking

    if (rows is None) == (instance is None):
        raise UsageError("give either --rows FILE or --json RECORD")
    project = Project(root, profile)
    project.model(model)
    if rows:
        body, content_type = invoking.read_rows(rows)
    else:
        try:
            body = json.dumps({"instances": [json.loads(instance or "")]})
        except ValueError as error:
            raise UsageError(f"--json is not JSON: {error}") from None
        content_type = "application/json"
    print(json.dumps(invoking.invoke(project.environment(env), model, body, content_type, inference_id)))


@app.command()
def upload(
    model: ModelArgument,
    file: Annotated[Path, typer.Argument(help="Labelled records, in the model's data.format.")],
    labels: Annotated[
        bool, typer.Option("--labels", help="Labels of requests that were answered: inference_id and the label.")
    ] = False,
    day: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Partition; default today.")
    ] = None,
    env: EnvironmentName = None,
    root: Root = Path(),
    profile: Profile = None,
) -> None:
    """Put records where the training looks for them, s3://<data>/<model>/raw/dt=<date>/, or labels where the monitor does."""
    from .upload import upload as put

    project = Project(root, profile)
    uri = put(project.environment(env), model, file, day.date() if day else None, labels=labels)
    out.print(f"uploaded {uri}", soft_wrap=True)


@app.command()
def demo() -> None:
    """Live a week of the example model on the embedded AWS: deploy, train, serve, watch, drift, retrain."""
    from .demo.run import run
    from .demo.table import show

    result = run(out)
    show(result, out)
    if result.failures:
        raise UsageError(
            f"{len(result.failures)} of {result.requests} requests failed; the first: {result.failures[0]}"
        )


@local_app.command()
def up(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 4566,
    root: Root = Path(),
) -> None:
    """Run the embedded AWS in the foreground, its accounts bootstrapped, until Ctrl-C."""
    from .local import up as run_up

    run_up(Project(root), port, out)


def main() -> None:
    """Run the command; a user's mistake is one sentence on standard error and exit code 1, never a traceback."""
    logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
    try:
        app()
    except ConfigError as error:
        print_mistakes(list(map(str, error.mistakes)))
        sys.exit(1)
    except ModuleNotFoundError as error:
        if error.name not in LOCAL_PACKAGES:
            raise
        _fail(f"this command needs {error.name}: pip install '{DISTRIBUTION}[local]=={version(DISTRIBUTION)}'")
    except (UsageError, ClientError, BotoCoreError) as error:
        _fail(str(error))


def _fail(message: str) -> None:
    err.print(f"model-factory: {message}", markup=False, soft_wrap=True)
    sys.exit(1)
