"""Command on audit records: audit."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from model_factory.config import ConfigError

from ..options import EnvironmentName, Profile, ProjectFolder, err, out, refuse
from ..project import Project, UsageError
from ..refusals import explain

if TYPE_CHECKING:
    from ..records.audit import Report
    from ..records.request import Request


class AuditError(UsageError):
    """The audit could not be made; whether the records are intact is not known."""

    exit_code = 2


def register(app: typer.Typer) -> None:
    """Add the command to `model-factory`."""
    app.command()(audit)


def audit(
    model: Annotated[
        str | None, typer.Argument(help="Model, or _environment for records about no model; default: all of them.")
    ] = None,
    env: EnvironmentName = None,
    since: Annotated[
        str | None, typer.Option(help="Records from this time on: 7d, 12h, or 2026-11-01 (UTC); default: all.")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Kinds of records to list; repeat it for several.")] = None,
    version: Annotated[int | None, typer.Option(help="List records of this version of the model.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Verify files, markers and signed heads, not only records.")
    ] = True,
    public_key: Annotated[
        Path | None, typer.Option("--public-key", help="Public key of the signed heads, PEM or DER; default: from KMS.")
    ] = None,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """List audit records, oldest first, and verify that none was altered, deleted, inserted, back-dated or moved.

    --kind and --version choose what is listed; all records of the chosen models since --since are verified. Exit codes: 0 intact,
    1 something is wrong, 2 not audited: a mistake, or a missing permission.
    """
    try:
        from model_factory.functions.shared.chain import ENVIRONMENT

        from ..records.request import Request, check_kinds, make_report, read_since

        if model == ENVIRONMENT:
            refuse(ENVIRONMENT, "has records of no version", {"--version": version})
        if not verify:
            refuse("--no-verify", "verifies no signed heads", {"--public-key": public_key})
        request = Request(
            model=model,
            since=read_since(since, datetime.now(UTC)) if since else None,
            kinds=check_kinds(kind or ()),
            version=version,
            verify=verify,
            public_key=public_key,
        )
        session = Project(root, profile).environment(env)
        with err.status("reading records") as status:
            report = make_report(
                session, request, lambda name, count: status.update(f"reading records of {name}: {count}")
            )
    except ClientError as error:
        raise AuditError(explain(error)) from error
    except (UsageError, ConfigError, BotoCoreError) as error:
        raise AuditError(str(error)) from error
    _print(report, request, session.environment.name, as_json=as_json)
    if not report.intact:
        raise typer.Exit(1)


def _print(report: "Report", request: "Request", environment: str, *, as_json: bool) -> None:
    from ..records.listing import finding_lines, record_lines, summary_lines, to_json

    if as_json:
        print(json.dumps(to_json(report, request, environment), indent=2))
        return
    for line in record_lines(report, request, out.width):
        out.print(line, markup=False, soft_wrap=True)
    for line in finding_lines(report):
        err.print(line, markup=False, soft_wrap=True, style="bold red")
    for line in summary_lines(report, request):
        out.print(line, markup=False, soft_wrap=True)
