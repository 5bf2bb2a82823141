"""Commands on alerts: test."""

from pathlib import Path

import typer

from ..options import EnvironmentName, Profile, ProjectFolder, out
from ..project import Project

alerts_app = typer.Typer(no_args_is_help=True, help="Alerts of an environment.")


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    alerts_app.command("test")(send_test)
    app.add_typer(alerts_app, name="alerts")


def send_test(env: EnvironmentName = None, root: ProjectFolder = Path(), profile: Profile = None) -> None:
    """Send one alert through every configured way and say which arrived. Exit code 1 when one surely did not.

    --env delivery tests the alerts of the tooling account.
    """
    from ..operations.alerts import alerts_session, send_test_alert

    ways = send_test_alert(alerts_session(Project(root, profile), env))
    words = {True: "arrived", False: "did not arrive", None: "not known"}
    for way in ways:
        out.print(f"{way.name}: {words[way.arrived]}: {way.text}", markup=False, soft_wrap=True)
    if any(way.arrived is False for way in ways):
        raise typer.Exit(1)
