"""The command reproduce."""

import json
import uuid
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ..options import EnvironmentName, Profile, ProjectFolder, err, out
from ..project import Project, UsageError
from ..references import parse_reference
from ..refusals import explain

Version = Annotated[
    str, typer.Argument(metavar="MODEL@VERSION", help="A version, such as employment@7; the live one without @7.")
]
Local = Annotated[bool, typer.Option("--local", help="Run the version's jobs on this machine, without SageMaker.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the verdict as JSON; progress goes to standard error.")]


def register(app: typer.Typer) -> None:
    """Add the command to `model-factory`."""
    app.command()(reproduce)


def reproduce(
    version: Version,
    local: Local = False,
    as_json: AsJson = False,
    env: EnvironmentName = None,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Train a version again with its own data, code, image, parameters and seed, and say whether it is the same.

    Nothing is registered. Exit codes: 0 the same bytes, content or scores; 1 it differs; 2 it cannot be trained again, and the
    missing object, permission or library is named.
    """
    from ..reproduction.verdict import CANNOT

    try:
        exit_code = _reproduce(Project(root, profile), version, env, local=local, as_json=as_json)
    except ClientError as error:
        err.print(f"model-factory: {explain(error)}", markup=False, soft_wrap=True)
        exit_code = CANNOT
    except (UsageError, BotoCoreError) as error:
        err.print(f"model-factory: {error}", markup=False, soft_wrap=True)
        exit_code = CANNOT
    raise typer.Exit(exit_code)


def _reproduce(project: Project, text: str, env: str | None, *, local: bool, as_json: bool) -> int:
    from ..operations.reader import Reader
    from ..reproduction import local as machine
    from ..reproduction import rebuild as pipeline
    from ..reproduction.recorded import find
    from ..reproduction.verdict import Verdict, record

    reference, session = parse_reference(project, text), project.environment(env)
    version = reference.version or Reader(session, reference.model).live_version()
    if version is None:
        raise UsageError(
            f"no version of {reference.model} is live in {session.environment.name}; write {text}@<version>"
        )
    recorded = find(session, reference.model, version)
    home = pipeline.home_of(session, recorded)

    def log(line: str) -> None:
        err.print(line, markup=False, soft_wrap=True)

    what = f"version {version} of {reference.model} in {session.environment.name}"
    where = "this machine" if local else home.environment.name
    log(f"trains {what} again on {where}; nothing is registered")
    if local:
        run = machine.rebuild(home, recorded, log)
        verdict = Verdict(run.verdict | {"where": where}, run.notes)
    else:
        verdict = Verdict(pipeline.rebuild(home, recorded, log) | {"where": where})
    if as_json:
        print(json.dumps(verdict.content | {"notes": verdict.notes}, indent=2))
    else:
        for line in verdict.lines():
            out.print(line, markup=False, soft_wrap=True)
    log(f"recorded as reproduction {record(session, recorded, verdict, uuid.uuid4().hex)}")
    return verdict.exit_code
