"""Checks a model's imports against Python, the image and the model's own libraries, before any job runs."""

import sys
from collections.abc import Collection
from pathlib import Path

from ..config import Mistake
from ..core.image import ImageContent
from .lockfile import REQUIREMENTS, nearest
from .modules import imports

_DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dotenv": "python-dotenv",
    "imblearn": "imbalanced-learn",
    "skimage": "scikit-image",
    "skopt": "scikit-optimize",
    "umap": "umap-learn",
}
"""Libraries whose modules have another name."""


def import_mistakes(project: Path, image: ImageContent, modules: Collection[str]) -> list[Mistake]:
    """Imports of modules that no job will find, in model.py and in the files that it imports.

    Files are parsed, not run; one with a syntax error is left out.

    Args:
        project: The model's folder, with the model's name.
        image: What its image brings.
        modules: Top-level modules of its own libraries.
    """
    known = {*sys.stdlib_module_names, *image.modules, *modules, "jobs"}
    mistakes: list[Mistake] = []
    read, waiting = set[Path](), [project / "model.py"]
    while waiting:
        path = waiting.pop()
        if path in read or not path.is_file():
            continue
        read.add(path)
        try:
            found = sorted(set(imports(path.read_text(encoding="utf-8"))), key=lambda each: each[1])
        except (SyntaxError, ValueError):
            continue
        for name, line in found:
            if own := _own_files(project, name):
                waiting += own
            elif name not in known:
                mistakes.append(Mistake(path, line, _message(project, name, image, known)))
    return sorted(mistakes, key=lambda each: (each.file, each.line or 0))


def _own_files(project: Path, name: str) -> list[Path]:
    """Files of a module or package in the model's folder."""
    package = project / name
    return [project / f"{name}.py"] if (project / f"{name}.py").is_file() else sorted(package.rglob("*.py"))


def _message(project: Path, name: str, image: ImageContent, known: Collection[str]) -> str:
    near = nearest(name, [each for each in known if not each.startswith("_")])
    library = _DISTRIBUTIONS.get(name, name)
    return (
        f"imports {name!r}{near}, which is not in Python {image.python}, in the image {image.name} or in {REQUIREMENTS}; to add "
        f"it, write `{library}` into {project / REQUIREMENTS} and run `model-factory lock {project.resolve().name}`"
    )
