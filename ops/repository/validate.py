"""`model-factory validate`: check factory.yaml, each model.yaml and each model.py without running code.

A pipeline.py is run, as at synth: only its get_pipeline says what the pipeline is.
"""

import ast
from pathlib import Path

from model_factory.config import ConfigError, FactoryConfig, Mistake, load_factory, load_model, naming_mistakes
from model_factory.libraries.bundle import library_mistakes
from model_factory.libraries.instances import instance_mistakes
from model_factory.model.training_hosts import HOSTS, host_mistakes
from model_factory.own_pipeline.synthesis import checked_pipeline, has_own_pipeline

REQUIRED = {"features": ["raw"], "train": ["train", "validation", "hyperparameters"], "predict": ["model", "features"]}
INSTEAD = {"train": "train_batches"}
"""Functions that a model.py may have instead, with the same parameters."""
OPTIONAL = {"checkpoints", HOSTS}
"""Parameters that both of them may have besides."""


def find_mistakes(root: Path) -> list[Mistake]:
    """All mistakes in the project at `root`, ordered by file."""
    mistakes: list[Mistake] = []
    factory: FactoryConfig | None = None
    models: list[str] = []
    try:
        factory = load_factory(root / "factory.yaml")
    except ConfigError as error:
        mistakes += error.mistakes
    for path in sorted((root / "models").glob("*/model.yaml")):
        try:
            config = load_model(path.parent)
            models.append(config.name)
            if config.pipeline:
                for region in sorted({each.region for each in factory.environments} if factory else ()):
                    checked_pipeline(config, path.parent, region)
                continue
            for find in (instance_mistakes, library_mistakes, host_mistakes):
                mistakes += find(config, path.parent)
        except ConfigError as error:
            mistakes += error.mistakes
        if not has_own_pipeline(path.parent):
            mistakes += model_code_mistakes(path.parent / "model.py")
    if factory:
        mistakes += naming_mistakes(factory, models, path=root / "factory.yaml")
    return mistakes


def model_code_mistakes(path: Path) -> list[Mistake]:
    """Mistakes in a model.py: syntax errors, and missing functions or parameters. The file is parsed, not run."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [
            Mistake(
                path,
                None,
                f"there is no such file; it defines {', '.join(_signature(*each) for each in REQUIRED.items())}",
            )
        ]
    except SyntaxError as error:
        return [Mistake(path, error.lineno, f"syntax error: {error.msg}")]
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
    mistakes: list[Mistake] = []
    for required, parameters in REQUIRED.items():
        present = [each for each in (required, INSTEAD.get(required)) if each in {*defined, *assigned, *imported}]
        if not present:
            mistakes.append(Mistake(path, None, f"has no function {_signature(required, parameters)}"))
        if len(present) > 1:
            mistakes.append(Mistake(path, None, f"has both {' and '.join(map(str, present))}; remove one"))
        mistakes += [
            mistake
            for name in present
            if name in defined and (mistake := _wrong_parameters(path, defined[name], parameters))
        ]
    return mistakes


def _wrong_parameters(path: Path, function: ast.FunctionDef, parameters: list[str]) -> Mistake | None:
    arguments = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    optional = len(function.args.defaults)
    if parameters == REQUIRED["train"] and arguments[3:] and {*arguments[3:]} <= OPTIONAL:
        return None  # the job passes them by their names
    if len(arguments) - optional <= len(parameters) <= len(arguments) or function.args.vararg:
        return None
    wanted = _signature(function.name, parameters)
    return Mistake(path, function.lineno, f"{function.name} takes ({', '.join(arguments)}); it must be {wanted}")


def _signature(name: str, parameters: list[str]) -> str:
    return f"{name}({', '.join(parameters)})"
