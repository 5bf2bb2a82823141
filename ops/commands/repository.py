"""Commands on the files of a user's repository: init, new, lock, check-image, validate, schema, upgrade."""

import json
from pathlib import Path
from typing import Annotated

import typer

from model_factory.config import FactoryConfig, ModelConfig

from ..options import ModelName, Profile, ProjectFolder, out, print_mistakes
from ..project import EnvironmentSession, Project, UsageError
from ..repository.init import CI


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    for command in (init, new, lock, validate, schema, upgrade):
        app.command()(command)
    app.command("check-image")(check_image)


def init(
    name: Annotated[str, typer.Argument(help="Name of the factory; prefix of the names of all AWS resources.")],
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Folder to write to; default: a folder with the factory's name.")
    ] = None,
    example: Annotated[bool, typer.Option("--example", help="Also write the example model with its data.")] = False,
    ci: Annotated[CI | None, typer.Option("--ci", help="Also write a CI workflow: github or gitlab.")] = None,
) -> None:
    """Write a new repository: app.py, cdk.json, factory.yaml, requirements.txt, tests and README."""
    from ..repository.init import init as write_repository

    folder = folder or Path(name)
    for path in write_repository(folder, name, example=example, ci=ci):
        out.print(f"wrote {path}", soft_wrap=True)
    out.print(f"next: cd {folder}, then follow README.md", soft_wrap=True)


def new(
    name: ModelName,
    data: Annotated[
        Path | None, typer.Option("--data", help="Sample of the data: a .csv file with header, or a .parquet file.")
    ] = None,
    label: Annotated[str | None, typer.Option("--label", help="The column to predict.")] = None,
    acceptance: Annotated[
        bool, typer.Option("--acceptance", help="Write the throw-away model of model-factory acceptance.")
    ] = False,
    root: ProjectFolder = Path(),
) -> None:
    """Write model.yaml and model.py for a new model that trains on the given data."""
    if acceptance:
        from ..repository.throw_away import create_throw_away

        if data or label:
            raise UsageError("--acceptance has its own data; omit --data and --label")
        for path in create_throw_away(root, name):
            out.print(f"wrote {path}", soft_wrap=True)
        return
    if data is None or label is None:
        raise UsageError("give --data FILE and --label COLUMN")
    from ..repository.new import create, read_sample

    summary = read_sample(data, label)
    for path in create(root, name, summary):
        out.print(f"wrote {path}", soft_wrap=True)
    out.print(f"{summary.problem} of {label!r} from {len(summary.columns)} columns; next: model-factory validate")


def lock(name: ModelName, root: ProjectFolder = Path()) -> None:
    """Resolve requirements.txt of a model for its image and write requirements.lock, with hashes. Needs a package index."""
    from model_factory.libraries.bundle import image_of
    from model_factory.libraries.lockfile import read_lock
    from model_factory.libraries.resolve import write_lock

    config = Project(root).model(name)
    folder = root / "models" / name
    if (image := image_of(config, folder)) is None:
        raise UsageError(f"the libraries of {config.training.image} are not known, so there is nothing to lock")
    path = write_lock(folder, image)
    locked = read_lock(folder, image)
    brought = ", ".join(f"{each} {version}" for each, version in locked.packages.items()) if locked else ""
    out.print(f"wrote {path}: {brought or f'all libraries are in the image {image.name}'}; commit it", soft_wrap=True)


def check_image(
    out_file: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path("check-image.pyz"),
) -> None:
    """Write a file that Python runs inside of an own image: it says which points of the contract the image does not meet."""
    from ..image_check.build import build

    path = build(out_file)
    out.print(f"wrote {path}; run it in the image:", soft_wrap=True)
    volume = f"--volume {path.resolve().parent}:/check:ro --tmpfs /opt/ml:mode=1777"
    out.print(f"docker run --rm --entrypoint python3 {volume} <image> /check/{path.name}", soft_wrap=True, markup=False)


def validate(
    root: ProjectFolder = Path(),
    env: Annotated[
        str | None,
        typer.Option(
            "--env",
            "-e",
            help="Also compare with what is deployed in this environment: replacements, deletions, leftovers.",
        ),
    ] = None,
    profile: Profile = None,
) -> None:
    """Check factory.yaml and each model.yaml and model.py; print each mistake with file, line and correction."""
    from ..repository.validate import find_mistakes

    if mistakes := find_mistakes(root):
        print_mistakes(list(map(str, mistakes)))
        raise typer.Exit(1)
    project = Project(root, profile)
    environments = ", ".join(e.name for e in project.factory.environments)
    out.print(
        f"factory {project.factory.name}: environments {environments}; models {', '.join(project.models) or 'none'}"
    )
    if env:
        _compare_with_deployed(project.environment(env))


def _compare_with_deployed(session: EnvironmentSession) -> None:
    """Print what a deployment would replace, delete or leave behind; exit with 1 when it would lose state."""
    from ..operations.leftovers import find_leftovers
    from ..repository.stateful_changes import stacks_pattern, stateful_changes

    for leftover in find_leftovers(session):
        out.print(f"{leftover}", markup=False, soft_wrap=True)
    profile = session.boto_session.profile_name
    try:  # credentials of the environment's variables have the profile name `default`, which need not exist
        changes = stateful_changes(
            session.project.root,
            stacks_pattern(session),
            session.project.profile or (None if profile == "default" else profile),
        )
    except RuntimeError as error:
        raise UsageError(f"cdk diff failed, so what a deployment replaces is unknown:\n{error}") from None
    for change in changes:
        out.print(f"a deployment loses state: {change}", style="bold red", markup=False, soft_wrap=True)
    if changes:
        raise typer.Exit(1)
    out.print(f"{session.environment.name}: a deployment replaces and deletes no stateful resource")


def schema(which: Annotated[str, typer.Argument(help="`factory` or `model`.")]) -> None:
    """Print the JSON Schema of factory.yaml or model.yaml, for editors."""
    schemas = {"factory": FactoryConfig, "model": ModelConfig}
    if which not in schemas:
        raise UsageError(f"there is no schema {which!r}; choose factory or model")
    print(json.dumps(schemas[which].model_json_schema(by_alias=True), indent=2))


def upgrade(
    root: ProjectFolder = Path(),
    diff: Annotated[
        bool, typer.Option(help="Also run cdk diff, and warn of replacements of stateful resources.")
    ] = True,
) -> None:
    """Change the repository's files for the installed version of the library, and print each change."""
    from ..repository.upgrade import upgrade as upgrade_repository

    upgrade_repository(root, out, diff=diff)
