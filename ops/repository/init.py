"""`model-factory init`: write a new repository from the templates in template/."""

import shutil
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Literal

from model_factory.config.fields import ShortName

from ..project import UsageError
from .names import check_name

DISTRIBUTION = "model-factory-cdk"
TEMPLATES = Path(__file__).parent / "template"
EXAMPLE = "employment"
FILES = {
    "app.py": "app.py",
    "cdk.json": "cdk.json",
    "factory.yaml": "factory.yaml",
    "requirements.txt": "requirements.txt",
    "gitignore": ".gitignore",
    "README.md": "README.md",
    "AGENTS.md": "AGENTS.md",
    "test_models.py": "tests/test_models.py",
}
"""Path in the new repository by name of the template. Some templates are links to files in the root of this repository."""
CI_FILES = {"github": ".github/workflows/ci.yml", "gitlab": ".gitlab-ci.yml"}

type CI = Literal["github", "gitlab"]


def init(folder: Path, name: str, *, example: bool = False, ci: CI | None = None) -> list[Path]:
    """Write a new repository.

    Args:
        folder: The repository. It may exist, if it has none of the files to write.
        name: The factory's name, prefix of the names of all AWS resources.
        example: Also write the example model with its data (0.3 MB). Default: no model.
        ci: Also write a CI workflow that validates, tests and synthesizes. Default: none.

    Returns:
        The paths of the files, and the folder of the example.

    Raises:
        UsageError: The name is invalid, or a file exists already.
    """
    check_name(name, ShortName)
    targets = FILES | ({f"{ci}.yml": CI_FILES[ci]} if ci else {})
    example_folder = folder / "models" / EXAMPLE
    paths = [folder / target for target in targets.values()]
    if existing := [str(path) for path in [*paths, *([example_folder] if example else [])] if path.exists()]:
        raise UsageError(f"nothing was written, because {', '.join(existing)} exists already; choose another folder")
    values = {"name": name, "distribution": DISTRIBUTION, "version": version(DISTRIBUTION)}
    for template, path in zip(targets, paths, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_render(template, values), encoding="utf-8")
    (folder / "models").mkdir(exist_ok=True)
    if example:
        shutil.copytree(TEMPLATES / EXAMPLE, example_folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        paths.append(example_folder)
    return paths


def _render(template: str, values: dict[str, str]) -> str:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    if template == "factory.yaml":  # a link to this repository's file, in which the name is acme
        return text.replace("\nname: acme\n", f"\nname: {values['name']}\n")
    if template in ("app.py", "cdk.json", "test_models.py"):
        return text
    return Template(text).substitute(values)
