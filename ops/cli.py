"""`model-factory`: the commands and what they print. What they do is in the modules beside this one."""

import json
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from model_factory.config import ConfigError, FactoryConfig, ModelConfig

from . import cli_delivery
from .project import Project, UsageError

app = typer.Typer(help="Machine learning on AWS from `git push` to a watched endpoint.", no_args_is_help=True)
local_app = typer.Typer(help="The embedded AWS on this machine.", no_args_is_help=True)
app.add_typer(local_app, name="local")
cli_delivery.register(app)
# Into a file or a pipe, tables get the room that they need.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True, highlight=False)

Root = Annotated[Path, typer.Option("--project", help="Folder with factory.yaml and models/.")]
Profile = Annotated[str | None, typer.Option(help="AWS profile; default <factory>-<environment>.")]
EnvironmentName = Annotated[str | None, typer.Option("--env", "-e", help="Environment; default: the last one.")]
ModelArgument = Annotated[str, typer.Argument(help="Name of the model.")]


@app.command()
def validate(root: Root = Path()) -> None:
    """Check factory.yaml, every model.yaml and model.py: each mistake with file, line and how to mend it."""
    from .validate import mistakes

    found = mistakes(root)
    if found:
        _print_mistakes(list(map(str, found)))
        raise typer.Exit(1)
    project = Project(root)
    environments = ", ".join(e.name for e in project.factory.environments)
    out.print(
        f"factory {project.factory.name}: environments {environments}; models {', '.join(project.models) or 'none'}"
    )


@app.command()
def schema(which: Annotated[str, typer.Argument(help="factory or model")]) -> None:
    """Print the JSON Schema of factory.yaml or model.yaml, for editors."""
    schemas = {"factory": FactoryConfig, "model": ModelConfig}
    if which not in schemas:
        raise UsageError(f"there is no schema {which!r}; choose factory or model")
    print(json.dumps(schemas[which].model_json_schema(by_alias=True), indent=2))


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
def new(
    name: ModelArgument,
    data: Annotated[Path, typer.Option("--data", help="A .csv (with header) or .parquet file to start from.")],
    label: Annotated[str, typer.Option("--label", help="The column to predict.")],
    root: Root = Path(),
) -> None:
    """Start a model: model.yaml and model.py that already train on the given data."""
    from .new import create, read_sample

    sketch = read_sample(data, label)
    for path in create(root, name, sketch):
        out.print(f"wrote {path}", soft_wrap=True)
    out.print(f"{sketch.problem} of {label!r} from {len(sketch.columns)} columns; next: model-factory validate")


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
def demo(root: Root = Path()) -> None:
    """Live a week of the example model on the embedded AWS: deploy, train, serve, watch, drift, retrain."""
    from .demo.run import run
    from .demo.table import show

    result = run(Project(root), out)
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


def _print_mistakes(mistakes: list[str]) -> None:
    for mistake in mistakes:
        err.print(mistake, markup=False, soft_wrap=True)
    err.print(f"{len(mistakes)} mistake{'s' if len(mistakes) != 1 else ''}", style="bold red")


def main() -> None:
    """Run the command; a user's mistake is one sentence on standard error and exit code 1, never a traceback."""
    logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
    try:
        app()
    except ConfigError as error:
        _print_mistakes(list(map(str, error.mistakes)))
        sys.exit(1)
    except (UsageError, ClientError, BotoCoreError) as error:
        err.print(f"model-factory: {error}", markup=False, soft_wrap=True)
        sys.exit(1)
