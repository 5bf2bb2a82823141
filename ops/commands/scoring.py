"""The command `model-factory score`: predictions of a file, in the environment."""

from pathlib import Path
from typing import Annotated

import typer

from ..options import EnvironmentName, ModelName, Profile, ProjectFolder, err, out
from ..project import Project


def register(app: typer.Typer) -> None:
    """Add the command to `model-factory`."""
    app.command()(score)


def score(
    model: ModelName,
    data: Annotated[
        str,
        typer.Option(
            "--data",
            help="A .parquet, .csv (with a header) or .jsonl file, or s3://BUCKET/KEY of one; other columns are left out.",
        ),
    ],
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="Version that scores; default: the newest approved one.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="File for the predictions; default: they stay in the bucket.")
    ] = None,
    env: EnvironmentName = None,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Score a file with a model of any mode, in a job of the environment, and print where the predictions are.

    A version scores the same file once; a second call gives the first one's predictions.
    """
    from ..operations import scoring

    project = Project(root, profile)
    project.model(model)
    session = project.environment(env)

    def log(line: str) -> None:
        err.print(line, markup=False, highlight=False)

    scored = scoring.score(session, model, data, version, log)
    out.print(
        f"{scored.lineage['rows']} rows by version {scored.lineage['version']}: {scored.uri}",
        markup=False,
        soft_wrap=True,
    )
    if target:
        scoring.download(session, scored, target)
        err.print(f"written to {target}", markup=False, highlight=False)
