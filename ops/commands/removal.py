"""Command that deletes the stack of a model which is no longer in the repository: remove-model."""

from pathlib import Path
from typing import Annotated

import typer

from ..options import ModelName, Profile, ProjectFolder, out
from ..project import Project


def register(app: typer.Typer) -> None:
    """Add the command to `model-factory`."""
    app.command("remove-model")(remove_model)


def remove_model(
    model: ModelName,
    env: Annotated[str, typer.Option("--env", "-e", help="Environment; there is no default.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Delete the stack of a model that is no longer in models/: endpoint, schedules, pipelines, alarms."""
    from ..delivery.removal import plan_removal, remove

    session = Project(root, profile).environment(env)
    removal = plan_removal(session, model)

    def say(text: str) -> None:
        out.print(text, markup=False, soft_wrap=True)

    say(f"{removal.stack} will be deleted: its endpoint, pipelines, schedules, alarms and settings. These stay:")
    for each in removal.kept:
        say(f"  {each}")
    if not yes:
        typer.confirm(f"Delete {removal.stack} in account {session.environment.account}?", abort=True)
    remove(session, removal, say)
    say(f"deleted {removal.stack}")
