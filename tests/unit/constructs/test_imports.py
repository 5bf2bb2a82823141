"""Which package may import which: the table in CONTRIBUTING.md."""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[3] / "constructs" / "model_factory"
MAY_IMPORT = {
    "core": {"assets"},
    "definition": set(),
    "config": {"core"},
    "environment": {"core"},
    "libraries": {"config", "core"},
    "own_pipeline": {"config", "core", "definition"},
    "model": {"assets", "config", "core", "definition", "environment", "libraries", "own_pipeline"},
    "delivery": {"config", "core"},
    "testing": {"config", "model"},
    "stacks": {"assets", "config", "core", "definition", "delivery", "environment", "model", "own_pipeline"},
    "ops": {"assets", "config", "core", "functions", "jobs", "libraries", "model", "own_pipeline"},
    "jobs": set(),
    "functions": set(),
}


def imported_packages(package: str) -> set[str]:
    """Packages of the library that the files of `package` import."""
    found = set()
    for path in (LIBRARY / package).rglob("*.py"):
        if "template" in path.parts:  # files that init writes
            continue
        here = ["model_factory", package, *path.relative_to(LIBRARY / package).parent.parts]
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                parent = here[: len(here) - node.level + 1] if node.level else []
                module = [*parent, *(node.module or "").split(".")]
            elif isinstance(node, ast.Import):
                module = node.names[0].name.split(".")
            else:
                continue
            if module[0] == "model_factory" and len(module) > 1 and module[1]:
                found.add(module[1])
    return found - {package}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_package_imports_only_packages_below_it(package):
    assert imported_packages(package) - MAY_IMPORT[package] == set()


def test_every_package_has_an_entry():
    packages = {path.parent.name for path in LIBRARY.glob("*/__init__.py")} | {"functions"}
    assert packages == set(MAY_IMPORT)


def test_embedded_aws_and_shipped_code_import_nothing_of_the_library():
    for folder in ("local_aws", "jobs", "lambda"):
        for path in (LIBRARY.parents[1] / folder).rglob("*.py"):
            names = {
                module.split(".")[0]
                for node in ast.walk(ast.parse(path.read_text()))
                for module in (
                    [node.module or ""]
                    if isinstance(node, ast.ImportFrom) and not node.level
                    else [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else []
                )
            }
            assert not names & {"model_factory", "stacks", "ops"}, path
