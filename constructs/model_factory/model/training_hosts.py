"""Trainings on several instances: the function in model.py that trains must be able to divide the work."""

import ast
from pathlib import Path

from ..config import Mistake, ModelConfig, line_of

HOSTS = "hosts"
"""Parameter of a function that can use several instances (jobs/hosts.py)."""
_TRAINS = ("train", "train_batches")


def host_mistakes(config: ModelConfig, project: Path) -> list[Mistake]:
    """The key `training.instance_count`, when the instances would all train the same model.

    model.py is parsed, not run. A function that it imports is examined when the job begins.

    Args:
        config: The content of model.yaml.
        project: The model's folder.
    """
    count = config.training.instance_count
    if count == 1 or config.pipeline is not None:
        return []
    found = [each for each in _functions(project / "model.py") if HOSTS not in _parameters(each)]
    return [
        Mistake(
            path := project / "model.yaml",
            line_of(path, "training", "instance_count"),
            f"training.instance_count is {count}, but {each.name} in model.py has no parameter `{HOSTS}`: every instance would "
            f"train the same model. Add it, `{each.name}(train, validation, hyperparameters, {HOSTS})`, and divide the rows "
            "with it; or train on one instance",
        )
        for each in found
    ]


def _functions(path: Path) -> list[ast.FunctionDef]:
    """The functions of a file that train; none of one that cannot be parsed, which is reported elsewhere."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return []
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in _TRAINS]


def _parameters(function: ast.FunctionDef) -> set[str]:
    given = function.args
    return {each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
