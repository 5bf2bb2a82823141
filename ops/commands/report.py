"""Commands that write reports: report."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ..options import Profile, ProjectFolder, err, out
from ..project import Project


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    app.command()(report)


def report(
    models: Annotated[list[str] | None, typer.Argument(help="Models to report on; default: all.")] = None,
    env: Annotated[str | None, typer.Option("--env", "-e", help="Environment; default: all of factory.yaml.")] = None,
    file: Annotated[Path, typer.Option("--out", "-o", help="File to write.")] = Path("report.html"),
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Write one HTML page about the models of an environment or of all: state, versions, metrics, drift, data and approvals."""
    from ..report.page import page
    from ..report.sources import read_reports

    project = Project(root, profile)
    for model in models or ():
        project.model(model)
    names = [env] if env else [each.name for each in project.factory.environments]
    now = datetime.now(UTC)
    sessions = [project.environment(name) for name in names]
    reports = read_reports(sessions, models or [], now, lambda line: err.print(line, markup=False))
    file.write_text(page(project.factory.name, reports, now))
    out.print(f"wrote {file} ({file.stat().st_size / 1000:.0f} kB, {len(reports)} models)", soft_wrap=True)
