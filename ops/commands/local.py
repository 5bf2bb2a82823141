"""Commands that run the embedded AWS on this machine: demo, demo-delivery, local up."""

from pathlib import Path
from typing import Annotated

import typer

from ..options import ProjectFolder, out
from ..project import Project, UsageError

local_app = typer.Typer(help="The embedded AWS on this machine.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    app.command()(demo)
    app.command("demo-delivery")(demo_delivery)
    app.add_typer(local_app, name="local")


def demo() -> None:
    """Run a week of the example model on the embedded AWS: deploy, train, serve, monitor, drift, retrain."""
    from ..local.demo.output import print_result
    from ..local.demo.run import run

    result = run(out)
    print_result(result, out)
    if result.failures:
        raise UsageError(
            f"{len(result.failures)} of {result.requests} requests failed; the first: {result.failures[0]}"
        )


def demo_delivery() -> None:
    """Push four changes to a local Git repository and show how the deployed delivery pipeline handles each."""
    from ..local.demo_delivery.run import run

    run(out)


@local_app.command()
def up(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 4566,
    keep: Annotated[bool, typer.Option("--keep", help="Keep everything in it for the next start.")] = False,
    root: ProjectFolder = Path(),
) -> None:
    """Run the embedded AWS in the foreground until Ctrl-C; the accounts of factory.yaml are bootstrapped."""
    from ..local.up import up as run_until_interrupted

    run_until_interrupted(Project(root), port, out, keep=keep)
