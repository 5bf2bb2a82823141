"""The command diff: two versions of a model, or two environments, side by side."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from model_factory.config import ConfigError

from ..options import EnvironmentName, Profile, ProjectFolder, err, out, refuse
from ..project import EnvironmentSession, Project, UsageError
from ..refusals import explain

if TYPE_CHECKING:
    from collections.abc import Sequence

SAME, DIFFERENT, TROUBLE = 0, 1, 2
"""Exit codes, as those of diff(1)."""
_SIDE = "MODEL@7, MODEL@dev (live in dev), MODEL@dev/7, MODEL (live), or an environment."

Before = Annotated[str, typer.Argument(metavar="BEFORE", help=_SIDE)]
After = Annotated[str, typer.Argument(metavar="AFTER", help="As BEFORE.")]


_ROWS = 10_000


class DiffError(UsageError):
    """Nothing was compared."""

    exit_code = TROUBLE


def register(app: typer.Typer) -> None:
    """Add the command to `model-factory`."""
    app.command()(diff)


def diff(
    before: Before,
    after: After,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Of environments: only this model; repeat it.")
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(min=0, help=f"Of versions: test rows that both score on this machine; 0: none. Default: {_ROWS}."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Of versions: print whole diffs of the code, of the library's too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    env: EnvironmentName = None,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Show what differs between two versions of a model, or between what is live in two environments.

    Everything is read from verified records and evidence. Exit codes: 0 nothing differs, 1 something does, 2 nothing could be
    compared, or a piece is missing, altered or unreadable, which is named.
    """
    try:
        from ..diff import references

        project = Project(root, profile)
        if pair := references.environments(project, before, after):
            refuse(
                "a comparison of environments",
                "compares no versions in one of them",
                {"--rows": None if rows is None else "given", "--full": full, "--env": env},
            )
            exit_code = _environments(*pair, model or (), as_json=as_json)
        else:
            refuse("a comparison of versions", "names their model itself", {"--model": model})
            limit = _ROWS if rows is None else rows
            exit_code = _versions(project, (before, after), env, limit, full=full, as_json=as_json)
    except ClientError as error:
        raise DiffError(explain(error)) from error
    except (UsageError, ConfigError, BotoCoreError) as error:
        raise DiffError(str(error)) from error
    raise typer.Exit(exit_code)


def _environments(
    before: EnvironmentSession, after: EnvironmentSession, models: "Sequence[str]", *, as_json: bool
) -> int:
    from ..diff.environments import compare_environments
    from ..diff.text import environment_lines

    found = compare_environments(before, after, models)
    if as_json:
        content = {
            "before": before.environment.name,
            "after": after.environment.name,
            "factory": found.factory.to_json(),
            "models": [each.to_json() for each in found.models],
        }
        return _end(content, found.problems, differs=found.differs)
    for line in environment_lines(found):
        out.print(line)
    return _end(None, found.problems, differs=found.differs)


def _versions(
    project: Project, texts: tuple[str, str], env: str | None, rows: int, *, full: bool, as_json: bool
) -> int:
    from ..diff import references
    from ..diff.text import version_lines
    from ..diff.versions import Limits, compare_versions

    one, other = (references.parse(project, text, env) for text in texts)
    if one.model != other.model:
        raise UsageError(f"{one.model} and {other.model} are two models; give two versions of one")
    kept = [references.open_version(each) for each in (one, other)]
    found = compare_versions(kept[0], kept[1], Limits(rows, full))
    if as_json:
        sides = [
            {"model": each.model, "environment": each.session.environment.name, "version": each.number} for each in kept
        ]
        content = {
            "before": sides[0],
            "after": sides[1],
            "about": found.about.to_json(),
            "sections": [each.to_json() for each in found.sections],
        }
        return _end(content, found.problems, differs=found.differs)
    for line in version_lines(found):
        out.print(line)
    return _end(None, found.problems, differs=found.differs)


def _end(content: dict[str, Any] | None, problems: "Sequence[str]", *, differs: bool) -> int:
    """Print JSON, or what could not be compared; the exit code."""
    if content is not None:
        print(json.dumps(content | {"differs": differs, "problems": list(problems)}, indent=2, default=str))
    for problem in problems:
        err.print(f"model-factory: {problem}", markup=False, soft_wrap=True)
    return TROUBLE if problems else DIFFERENT if differs else SAME
