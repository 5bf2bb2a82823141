"""Commands for the first deployment into an account: doctor, acceptance."""

import json
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Column, Table

from ..options import EnvironmentName, Profile, ProjectFolder, err, out, refuse
from ..project import Project

STYLES = {
    "ok": "green",
    "passed": "green",
    "warning": "yellow",
    "not checked": "yellow",
    "skipped": "yellow",
    "problem": "bold red",
    "failed": "bold red",
}
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table; progress goes to standard error.")]

PrintPolicy = Annotated[
    bool, typer.Option("--policy", help="Only print the IAM policy that running the command in this environment needs.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    for command in (doctor, acceptance):
        app.command()(command)


def doctor(
    app: Annotated[
        Path | None,
        typer.Option("--app", help="Cloud assembly to read, such as cdk.out; default: the app of cdk.json is run."),
    ] = None,
    as_json: AsJson = False,
    policy: PrintPolicy = False,
    env: EnvironmentName = None,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Check, read-only, that an account can take the stacks of an environment: bootstrap, region, quotas, names.

    Exit code 1 when there is a problem.
    """
    from ..doctor.policy import policy as required
    from ..doctor.run import examine

    if policy:
        refuse("--policy", "prints the policy and examines nothing", {"--app": app, "--json": as_json})
    session = Project(root, profile).environment(env)
    if policy:
        api_key = session.project.factory.openlineage.api_key_parameter
        print(json.dumps(required(session.names, api_key), indent=2))
        return
    findings = examine(session, app)
    if as_json:
        print(json.dumps([each.to_json() for each in findings], indent=2))
    else:
        for each in findings:
            style = STYLES.get(each.status, "")
            out.print(f"[{style}]{each.status:<11}[/] {each.check}: {escape(each.what)}", soft_wrap=True)
            if each.mend:
                out.print(f"            -> {each.mend}", markup=False, soft_wrap=True)
    if any(each.status == "problem" for each in findings):
        raise typer.Exit(1)


def acceptance(
    env: Annotated[str, typer.Option("--env", "-e", help="Environment.")],
    model: Annotated[str, typer.Option("--model", help="The throw-away model.")] = "acceptance",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether to start.")] = False,
    clean_up: Annotated[bool, typer.Option("--clean-up", help="Only remove what an earlier run left.")] = False,
    as_json: AsJson = False,
    policy: PrintPolicy = False,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Run the loop of a throw-away model in a deployed environment: train, serve, drift, retrain, roll back, clean up.

    Write the model with `model-factory new acceptance --acceptance` and deploy it first. Exit code 1 when a step fails.
    """
    from ..acceptance.clean_up import clean_up as remove
    from ..acceptance.policy import policy as required
    from ..acceptance.run import prepare, run

    if policy:
        others = {"--yes": yes, "--clean-up": clean_up, "--json": as_json}
        refuse("--policy", "prints the policy and runs nothing", others)
    if clean_up:
        refuse("--clean-up", "asks nothing and prints a line", {"--yes": yes, "--json": as_json})
    project = Project(root, profile)
    session = project.environment(env)
    if policy:
        print(json.dumps(required(session.names.model(model)), indent=2))
        return
    planned = prepare(project, session, model)
    if clean_up:
        out.print(remove(session, model), markup=False, soft_wrap=True)
        return
    where = f"{session.environment.name}, account {session.environment.account}, {session.environment.region}"
    err.print(
        f"acceptance of {where} with the model {model}: {planned}. All data, versions and the endpoint of {model} "
        "there are deleted, before and afterwards.",
        markup=False,
        soft_wrap=True,
    )
    if not yes:
        typer.confirm("Start?", abort=True, err=True)
    # CI systems end a job with SIGTERM; the clean-up has to run then, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    result = run(session, model, planned, lambda line: err.print(line, markup=False, soft_wrap=True))
    if as_json:
        print(json.dumps(result.to_json(), indent=2))
    else:
        table = Table("step", "what", "result", "seconds", Column("detail", overflow="fold"), box=SIMPLE_HEAD)
        for step in result.steps:
            status = f"[{STYLES[step.status]}]{step.status}[/]"
            table.add_row(step.name, step.what, status, f"{step.seconds:.1f}", escape(step.detail))
        out.print(table)
    if result.steps[-1].status != "passed":
        err.print(f"model-factory acceptance --clean-up --env {result.environment} removes the rest", markup=False)
    if not result.passed:
        raise typer.Exit(130 if result.interrupted else 1)
