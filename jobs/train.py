"""Train: the user's model on prepared rows, and everything its artifact needs to be served.

The same rows, code, hyperparameters and seed give the same bytes.
"""

import hashlib
import json
import os
import random
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import paths, project
from .failures import JobFailure


def run() -> None:
    """The job. Raises JobFailure."""
    model = project.load()
    seed = int(model.settings["training"]["seed"])
    random.seed(seed)
    np.random.seed(seed)
    train, validation = read("train"), read("validation")
    hyperparameters = read_hyperparameters()
    print(f"train     {len(train)} rows, validation {len(validation)}, hyperparameters {hyperparameters}", flush=True)
    classes = classes_of(train[model.label]) if model.problem != "regression" else None
    fitted = model.train(train, validation, hyperparameters)
    if fitted is None:
        raise JobFailure(
            "model.py: train(train, validation, hyperparameters) must return the fitted model; it gave None"
        )
    folder = paths.model()
    model.save(fitted, folder)
    columns = json.loads((paths.channel("schema") / "columns.json").read_text())
    serving = {
        **columns,
        "problem": model.problem,
        "classes": classes,
        "hyperparameters": hyperparameters,
        "seed": seed,
    }
    (folder / "serving.json").write_text(json.dumps(serving, indent=1, sort_keys=True))
    copy_code(folder / "code")
    _forget_times(folder)
    print(f"artifact  {digest(folder)}", flush=True)


def read(channel: str) -> pd.DataFrame:
    """All rows of a channel, in the order of its files. Raises JobFailure when there are none."""
    files = sorted(paths.channel(channel).glob("*.parquet")) if paths.channel(channel).exists() else []
    if not files:
        raise JobFailure(f"channel {channel!r} holds no rows")
    return pd.concat([pd.read_parquet(path) for path in files], ignore_index=True)


def classes_of(labels: pd.Series) -> list[Any]:
    """The labels that the model can know, sorted: the order of scikit-learn's `classes_`. Raises JobFailure for only one."""
    found = sorted(labels.unique().tolist())
    if len(found) < 2:
        raise JobFailure(f"all {len(labels)} training rows have the label {found[0]!r}; nothing can be learned")
    return found


def read_hyperparameters() -> dict[str, Any]:
    """Hyperparameters as typed values: SageMaker carries them as texts, ours are JSON where they are not plain text."""
    path = paths.root() / "input" / "config" / "hyperparameters.json"
    given = json.loads(path.read_text()) if path.exists() else {}
    return {name: _value(text) for name, text in given.items() if not name.startswith("sagemaker_")}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def copy_code(target: Path) -> None:
    """jobs/ and project/ beside serve.py, as the serving container expects them."""
    source = Path(__file__).parents[1]
    target.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        with zipfile.ZipFile(source) as archive:
            archive.extractall(target, [name for name in archive.namelist() if name.startswith(("jobs/", "project/"))])
    else:
        for folder in ("jobs", "project"):
            shutil.copytree(source / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__", "data"))
    (target / "serve.py").write_text(
        'from jobs.serve import model_fn, transform_fn\n\n__all__ = ["model_fn", "transform_fn"]\n'
    )


def _forget_times(folder: Path) -> None:
    """An archive keeps the times of its files; the same artifact shall be the same archive."""
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (0, 0))


def digest(folder: Path) -> str:
    """SHA-256 over names and contents of all files of a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            total.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()
