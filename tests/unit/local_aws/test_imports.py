"""The structure of local_aws: extensions depend on interfaces, and no module imports itself through others."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "local_aws"
ENTRY_POINTS = {"local_aws", "local_aws.cli", "local_aws.pytest_plugin"}


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


def imports(name, path):
    """The modules of local_aws that a module imports anywhere, also for type checking only."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                submodule = f"{source}.{alias.name}"
                if submodule in MODULES:
                    yield submodule
                elif source in MODULES and source != name:
                    yield source


GRAPH = {name: set(imports(name, path)) for name, path in MODULES.items()}


def test_modules_have_no_import_cycle():
    try:
        tuple(TopologicalSorter(GRAPH).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_only_entry_points_import_server():
    assert {name for name, imported in GRAPH.items() if "local_aws.server" in imported} == ENTRY_POINTS


def test_files_stay_below_300_lines():
    assert not [path.name for path in PACKAGE.rglob("*.py") if len(path.read_text().splitlines()) > 300]
