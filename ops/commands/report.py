"""Commands that write reports: report."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ..options import Profile, ProjectFolder, err, out
from ..project import EnvironmentSession, Project, UsageError
from ..references import parse_reference
from ..wording import counted


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    app.command()(report)


def report(
    models: Annotated[
        list[str] | None, typer.Argument(help="Models to report on, with --framework also MODEL@7; default: all.")
    ] = None,
    env: Annotated[str | None, typer.Option("--env", "-e", help="Environment; default: all of factory.yaml.")] = None,
    framework: Annotated[
        str | None,
        typer.Option(help="Answer the clauses of eu-ai-act, sr-26-2 or nist-ai-rmf from verified records instead."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; default: report.html, or FRAMEWORK.html.")
    ] = None,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Write one HTML page about the models of an environment or of all: state, versions, metrics, drift, data and approvals."""
    project = Project(root, profile)
    names = [env] if env else [each.name for each in project.factory.environments]
    sessions = [project.environment(name) for name in names]
    file = file or Path(f"{framework or 'report'}.html")
    _check_writable(file)
    write = _framework if framework else _models
    count = write(project, sessions, models or [], framework or "", file)
    out.print(f"wrote {file} ({file.stat().st_size / 1000:.0f} kB, {counted(count, 'model')})", soft_wrap=True)


def _check_writable(file: Path) -> None:
    """Check before minutes of reading that the page can be written. Raises UsageError."""
    if file.is_dir():
        raise UsageError(f"--out {file} is a folder: name the file, such as {file / 'report.html'}")
    if not file.parent.is_dir():
        raise UsageError(f"--out {file}: there is no folder {file.parent}; create it first")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise UsageError(f"--out {file} cannot be written: you have no permission to")


def _models(project: Project, sessions: list[EnvironmentSession], models: list[str], _: str, file: Path) -> int:
    from ..report.page import page
    from ..report.sources import read_reports

    for model in models:
        if "@" in model:
            raise UsageError(f"{model}: a version is for --framework; without it the page has all versions of a model")
        project.model(model)
    now = datetime.now(UTC)
    reports = read_reports(sessions, models, now, _log)
    file.write_text(page(project.factory.name, reports, now))
    return len(reports)


def _framework(project: Project, sessions: list[EnvironmentSession], models: list[str], name: str, file: Path) -> int:
    from ..frameworks.framework import load
    from ..frameworks.reading import read_versions
    from ..report.framework_page import framework_page

    found = load(name)
    references = [parse_reference(project, each) for each in models]
    now = datetime.now(UTC)
    versions = read_versions(sessions, references, _log)
    file.write_text(framework_page(project.factory.name, found, versions, now))
    return len(versions)


def _log(line: str) -> None:
    err.print(line, markup=False)
