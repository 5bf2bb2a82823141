"""Command-line options and arguments that more than one command has, and the consoles that commands print to."""

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from .project import UsageError
from .wording import counted

# A table in a file or a pipe has a fixed width; in a terminal it has the terminal's.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True, highlight=False)

ProjectFolder = Annotated[Path, typer.Option("--project", help="Folder with factory.yaml and models/.")]
Profile = Annotated[str | None, typer.Option(help="AWS profile; default: <factory>-<environment>, if it exists.")]
EnvironmentName = Annotated[
    str | None, typer.Option("--env", "-e", help="Environment; default: the last one in factory.yaml.")
]
ModelName = Annotated[str, typer.Argument(help="Name of the model.")]
OptionalModelName = Annotated[str | None, typer.Argument(help="Name of the model; omit it with --delivery.")]
CapturedSince = Annotated[
    str | None, typer.Option(help="With --inference-id: search since 2026-11-24T05:00, 6h or 3d. Default: 24h.")
]
CapturedOn = Annotated[
    datetime | None,
    typer.Option("--date", formats=["%Y-%m-%d"], help="With --inference-id: search the requests of this day, UTC."),
]
Reason = Annotated[str, typer.Option("--reason", help="Reason; recorded with the decision.")]


def refuse(option: str, why: str, others: Mapping[str, object]) -> None:
    """Refuse options that would be ignored: raises UsageError that says why `option` does not go with those that are given.

    `others`: the options that have no meaning beside it, with their values; an empty value, or None, is not given.
    """
    given = [name for name, value in others.items() if value not in (None, False, "", ())]
    if given:
        raise UsageError(f"{option} {why}: omit {' and '.join(given)}")


def print_mistakes(mistakes: list[str]) -> None:
    """Print one mistake a line on standard error, and their number."""
    for mistake in mistakes:
        err.print(mistake, markup=False, soft_wrap=True)
    err.print(counted(len(mistakes), "mistake"), style="bold red")
