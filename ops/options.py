"""Options and arguments that several commands share, and the consoles they print to."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

# Tables written to a file or a pipe get a fixed width; a terminal gives its own.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True, highlight=False)

Root = Annotated[Path, typer.Option("--project", help="Folder with factory.yaml and models/.")]
Profile = Annotated[str | None, typer.Option(help="AWS profile; default <factory>-<environment>.")]
EnvironmentName = Annotated[str | None, typer.Option("--env", "-e", help="Environment; default: the last one.")]
ModelArgument = Annotated[str, typer.Argument(help="Name of the model.")]


def print_mistakes(mistakes: list[str]) -> None:
    """Print one mistake a line on standard error, and their number."""
    for mistake in mistakes:
        err.print(mistake, markup=False, soft_wrap=True)
    err.print(f"{len(mistakes)} mistake{'s' if len(mistakes) != 1 else ''}", style="bold red")
