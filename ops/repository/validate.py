"""Everything that can be found wrong before anything is deployed: both configuration files and each model.py."""

import ast
from pathlib import Path

from model_factory.config import ConfigError, Mistake, load_factory, load_model

REQUIRED = {"features": ["raw"], "train": ["train", "validation", "hyperparameters"], "predict": ["model", "features"]}


def mistakes(root: Path) -> list[Mistake]:
    """All mistakes of the project at `root`, in the order of the files."""
    found: list[Mistake] = []
    try:
        load_factory(root / "factory.yaml")
    except ConfigError as error:
        found += error.mistakes
    for path in sorted((root / "models").glob("*/model.yaml")):
        try:
            load_model(path.parent)
        except ConfigError as error:
            found += error.mistakes
        if not (path.parent / "pipeline.py").exists():
            found += model_code_mistakes(path.parent / "model.py")
    return found


def model_code_mistakes(path: Path) -> list[Mistake]:
    """What is missing in a model.py, read without running it."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [Mistake(path, None, f"there is no such file; it defines {', '.join(map(_signature, REQUIRED))}")]
    except SyntaxError as error:
        return [Mistake(path, error.lineno, f"is not Python: {error.msg}")]
    defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assigned = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in node.names
    }
    found: list[Mistake] = []
    for name, parameters in REQUIRED.items():
        if function := defined.get(name):
            given = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
            optional = len(function.args.defaults)
            if not len(given) - optional <= len(parameters) <= len(given) and not function.args.vararg:
                found.append(
                    Mistake(path, function.lineno, f"{name} takes ({', '.join(given)}); it must be {_signature(name)}")
                )
        elif name not in assigned | imported:
            found.append(Mistake(path, None, f"has no function {_signature(name)}"))
    return found


def _signature(name: str) -> str:
    return f"{name}({', '.join(REQUIRED[name])})"
