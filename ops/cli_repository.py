"""The commands on the files of a repository: init, new, validate, schema, upgrade."""

import json
from pathlib import Path
from typing import Annotated

import typer

from model_factory.config import FactoryConfig, ModelConfig

from .options import ModelArgument, Root, out, print_mistakes
from .project import Project, UsageError
from .repository.init import CI


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    for command in (init, new, validate, schema, upgrade):
        app.command()(command)


def init(
    name: Annotated[str, typer.Argument(help="Name of the factory; it starts the names of all AWS resources.")],
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where to write; default: a folder of that name.")
    ] = None,
    example: Annotated[bool, typer.Option("--example", help="Also write the example model with its data.")] = False,
    ci: Annotated[CI | None, typer.Option("--ci", help="Also write a CI workflow: github or gitlab.")] = None,
) -> None:
    """Write a new repository: app.py, cdk.json, factory.yaml, requirements.txt, tests and README."""
    from .repository.init import init as write

    folder = folder or Path(name)
    for path in write(folder, name, example=example, ci=ci):
        out.print(f"wrote {path}", soft_wrap=True)
    out.print(f"next: cd {folder}, then the steps of README.md", soft_wrap=True)


def new(
    name: ModelArgument,
    data: Annotated[Path, typer.Option("--data", help="A .csv (with header) or .parquet file to start from.")],
    label: Annotated[str, typer.Option("--label", help="The column to predict.")],
    root: Root = Path(),
) -> None:
    """Start a model: model.yaml and model.py that already train on the given data."""
    from .repository.new import create, read_sample

    sketch = read_sample(data, label)
    for path in create(root, name, sketch):
        out.print(f"wrote {path}", soft_wrap=True)
    out.print(f"{sketch.problem} of {label!r} from {len(sketch.columns)} columns; next: model-factory validate")


def validate(root: Root = Path()) -> None:
    """Check factory.yaml, every model.yaml and model.py: each mistake with file, line and how to mend it."""
    from .repository.validate import mistakes

    found = mistakes(root)
    if found:
        print_mistakes(list(map(str, found)))
        raise typer.Exit(1)
    project = Project(root)
    environments = ", ".join(e.name for e in project.factory.environments)
    out.print(
        f"factory {project.factory.name}: environments {environments}; models {', '.join(project.models) or 'none'}"
    )


def schema(which: Annotated[str, typer.Argument(help="factory or model")]) -> None:
    """Print the JSON Schema of factory.yaml or model.yaml, for editors."""
    schemas = {"factory": FactoryConfig, "model": ModelConfig}
    if which not in schemas:
        raise UsageError(f"there is no schema {which!r}; choose factory or model")
    print(json.dumps(schemas[which].model_json_schema(by_alias=True), indent=2))


def upgrade(
    root: Root = Path(),
    diff: Annotated[bool, typer.Option(help="Also run cdk diff, and list replacements of stateful resources.")] = True,
) -> None:
    """Change the repository's files to fit the installed version of the library, and say what changed."""
    from .repository.upgrade import upgrade as change

    change(root, out, diff=diff)
