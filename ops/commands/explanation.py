"""The command explain: one captured prediction, its version, its score again, and the contributions of the columns."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ..options import EnvironmentName, ModelName, Profile, ProjectFolder, out, refuse
from ..project import Project

COLUMNS = 20
"""Columns that the table shows."""


def register(app: typer.Typer) -> None:
    """Add the command to `model-factory`."""
    app.command()(explain)


def explain(
    model: ModelName,
    inference_id: Annotated[
        str, typer.Option("--inference-id", help="Inference id of the request, or SageMaker's event id.")
    ],
    env: EnvironmentName = None,
    since: Annotated[
        str | None, typer.Option(help="Search requests since 2026-11-24T05:00, 6h or 3d. Default: 24h.")
    ] = None,
    date: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Search the requests of this day, UTC.")
    ] = None,
    record: Annotated[int | None, typer.Option(help="Number of the record in a request of several, from 0.")] = None,
    label: Annotated[
        str | None, typer.Option("--class", help="Class whose score is explained. Default: the one with the greatest.")
    ] = None,
    version: Annotated[
        int | None, typer.Option(help="Version that answered, where neither the answer nor the records say.")
    ] = None,
    columns: Annotated[
        int | None, typer.Option(help=f"Columns to show. Default: {COLUMNS}; --json has all.", min=1)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Explain one prediction: who answered, from what, the score computed again, and what each column adds to it.

    The version's own code scores the request again in a process of this machine. Exit code 1 also when the score is not the
    captured one.
    """
    from ..explanation import captures, text
    from ..explanation.explain import explain as explain_prediction

    if as_json:
        refuse("--json", "has all columns", {"--columns": columns})
    project = Project(root, profile)
    project.model(model)
    session = project.environment(env)
    within = captures.search_range(since, date, datetime.now(UTC))
    captured = captures.find(session, model, inference_id, within)
    found = explain_prediction(session, model, captured, record=record, version=version, label=label)
    if as_json:
        print(text.as_json(found))
    else:
        for line in text.heading(found):
            out.print(line, markup=False, soft_wrap=True)
        if found.columns:
            out.print(text.table(found, columns or COLUMNS))
    if not found.reproduced:
        raise typer.Exit(1)
