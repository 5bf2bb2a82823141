"""The command reproduce."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from model_factory.config import ConfigError

from ..options import EnvironmentName, Profile, ProjectFolder, err, out, print_mistakes
from ..project import EnvironmentSession, Project, UsageError
from ..references import parse_reference
from ..refusals import explain

if TYPE_CHECKING:
    from ..reproduction.recorded import Recorded
    from ..reproduction.verdict import Verdict

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
    except ConfigError as error:
        print_mistakes(list(map(str, error.mistakes)))
        exit_code = CANNOT
    except ClientError as error:
        err.print(f"model-factory: {explain(error)}", markup=False, soft_wrap=True)
        exit_code = CANNOT
    except (UsageError, BotoCoreError) as error:
        err.print(f"model-factory: {error}", markup=False, soft_wrap=True)
        exit_code = CANNOT
    raise typer.Exit(exit_code)


def _reproduce(project: Project, text: str, env: str | None, *, local: bool, as_json: bool) -> int:
    from ..operations.reader import Reader
    from ..reproduction.failures import CannotRebuild
    from ..reproduction.rebuild import home_of
    from ..reproduction.recorded import find
    from ..reproduction.verdict import record, record_failure, recorder

    session = project.environment(env)
    reference = parse_reference(project, text, session)
    version = reference.version or Reader(session, reference.model).live_version()
    if version is None:
        raise UsageError(
            f"no version of {reference.model} is live in {session.environment.name}; write {text}@<version>"
        )
    queue, identifier = recorder(session), uuid.uuid4().hex

    def log(line: str) -> None:
        err.print(line, markup=False, soft_wrap=True)

    try:
        recorded = find(session, reference.model, version)
        verdict = _train(session, home_of(session, recorded), recorded, log, local=local)
    except CannotRebuild as error:
        log(f"recorded as reproduction {record_failure(session, queue, reference.model, version, error, identifier)}")
        raise
    if as_json:
        print(json.dumps(verdict.content | {"notes": verdict.notes}, indent=2))
    else:
        for line in verdict.lines():
            out.print(line, markup=False, soft_wrap=True)
    log(f"recorded as reproduction {record(session, queue, recorded, verdict, identifier)}")
    return verdict.exit_code


def _train(
    session: EnvironmentSession,
    home: EnvironmentSession,
    recorded: "Recorded",
    log: Callable[[str], None],
    *,
    local: bool,
) -> "Verdict":
    """Train the version of `session` again in `home`, which has its data, or on this machine; the verdict."""
    from ..reproduction import local as machine
    from ..reproduction import rebuild as pipeline
    from ..reproduction.verdict import Verdict, expectation

    what = f"version {recorded.version} of {recorded.model} in {session.environment.name}"
    if local and home.environment.name != session.environment.name:
        # The jobs have the credentials of one account.
        raise UsageError(
            f"{what} was promoted and its data is in {home.environment.name}: leave out --local, or reproduce the version of "
            f"{home.environment.name} that it was promoted from"
        )
    where = "this machine" if local else home.environment.name
    log(f"trains {what} again on {where}; nothing is registered")
    log(expectation(recorded))
    if local:
        run = machine.rebuild(home, recorded, log)
        return Verdict(run.verdict | {"where": where}, run.notes)
    return Verdict(pipeline.rebuild(home, recorded, log) | {"where": where})
