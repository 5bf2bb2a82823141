"""The job train: fits the user's model on prepared rows, and writes the artifact with all that serving and scoring need.

The same rows, code, hyperparameters and seed give an artifact with the same bytes. Facts of the run lie beside it.
"""

import hashlib
import json
import os
import random
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import example_row, facts, hosts, libraries, memory, paths, payload, project, reproducibility, termination
from .columns import Column
from .failures import JobFailure
from .prepared_rows import Rows

ENTRY_POINTS = {
    "serve.py": 'from jobs.serve import model_fn, transform_fn\n\n__all__ = ["model_fn", "transform_fn"]\n',
    "score.py": "from jobs.score import run\n\nrun()\n",
    "wsgi.py": 'from jobs.wsgi import app\n\n__all__ = ["app"]\n',
}
"""Files of an artifact's code/: for AWS's serving toolkit, for a later version's evaluate job, and for an own image's server.

They are an interface of their own, so that jobs/ can change between versions (docs/reference/contracts.md).
"""


@dataclass(frozen=True)
class Fitted:
    """A model with what it was fitted with. `classes`: labels of the training rows, sorted; None for regression.

    `model` is what the user's function returned, which may be None on hosts other than the first.
    """

    project: project.Project
    model: Any
    validation: Rows
    classes: list[Any] | None
    hyperparameters: dict[str, Any]
    seed: int
    hosts: hosts.Hosts


def fit() -> Fitted:
    """Fit the model on the rows of the channels. Raises JobFailure."""
    model = project.load()
    here = _hosts(model)
    seed = int(model.settings["training"]["seed"])
    random.seed(seed)
    np.random.seed(seed)
    train, validation = (
        Rows.of(paths.channel(name), f"channel {name!r} has no rows") for name in ("train", "validation")
    )
    hyperparameters = read_hyperparameters()
    print(f"train     {len(train)} rows, validation {len(validation)}, hyperparameters {hyperparameters}", flush=True)
    classes = classes_of(train.column(model.label)) if model.problem != "regression" else None
    if model.takes_checkpoints and (found := sum(path.is_file() for path in paths.checkpoints().rglob("*"))):
        print(f"resume    {found} files of checkpoints in {paths.checkpoints()}", flush=True)
    with termination.announced(checkpoints=model.takes_checkpoints):
        fitted = _fit(model, train, validation, hyperparameters)
    return Fitted(model, fitted, validation, classes, hyperparameters, seed, here)


def run() -> None:
    """Run the job: the first host saves the model. Raises JobFailure.

    SageMaker makes one archive of what all hosts leave behind, and does not say which of two files with the same name it keeps.
    """
    done = fit()
    if done.hosts.index > 0:
        print(f"train     {done.hosts.names[0]} saves the model", flush=True)
        return
    model, fitted = done.project, done.model
    reproducibility.leave_out_threads()
    reproducibility.leave_out_identity(fitted)
    folder = paths.model()
    model.save(fitted, folder)
    columns = json.loads((paths.channel("schema") / "columns.json").read_text())
    serving = {
        **columns,
        "example": _example(model, fitted, payload.columns_of(columns["columns"])),
        "problem": model.problem,
        "classes": done.classes,
        "hyperparameters": done.hyperparameters,
        "seed": done.seed,
    }
    (folder / "serving.json").write_text(json.dumps(serving, indent=1, sort_keys=True))
    copy_code(folder / "code")
    libraries.copy(Path(__file__).parents[1], folder)
    _reset_times(folder)
    print(f"artifact  {digest(folder)}", flush=True)
    count = len(done.hosts.names)
    identical = reproducibility.describe(fitted, count)
    print(f"identical with {identical['same_bytes']}: {identical['reason']}", flush=True)
    of_run = facts.of_run("train", done.seed) | {"hyperparameters": done.hyperparameters, "identical": identical}
    facts.write(paths.training_output(), of_run | ({"hosts": count} if count > 1 else {}))


def _hosts(model: project.Project) -> hosts.Hosts:
    """The hosts of this job. Raises JobFailure when there are several and model.py would train the same model on each."""
    here = hosts.read()
    if len(here.names) == 1:
        return here
    if not model.takes_hosts:
        raise JobFailure(
            f"the training has {len(here.names)} instances, and each would train the same model: the function that trains has no "
            "parameter `hosts`; divide the rows with it, or set training.instance_count to 1"
        )
    print(f"hosts     {', '.join(here.names)}; this is {here.current}", flush=True)
    hosts.wait_until_resolved(here.names)
    return here


def _fit(model: project.Project, train: Rows, validation: Rows, hyperparameters: dict[str, Any]) -> Any:
    """What the user's function returns. Raises JobFailure when that is nothing, or a DataFrame does not fit into memory."""
    if model.takes_batches:
        return model.train_batches(train, validation, hyperparameters)
    needed, free = train.minimum_bytes + validation.minimum_bytes, memory.read().available
    print(f"memory    the rows need at least {needed / memory.GB:.1f} GB of {free / memory.GB:.1f} GB", flush=True)
    if needed > free:
        rows, columns = len(train) + len(validation), len(train.columns)
        what = f"{rows} rows with {columns} columns need at least {needed / memory.GB:.1f} GB"
        raise JobFailure(memory.too_little("train", what, free))
    return model.train(train.frame(), validation.frame(), hyperparameters)


def classes_of(labels: pd.Series) -> list[Any]:
    """The labels of the training rows, sorted as scikit-learn's `classes_`. Raises JobFailure when there is only one."""
    classes = sorted(labels.unique().tolist())
    if len(classes) < 2:
        raise JobFailure(f"all {len(labels)} training rows have the label {classes[0]!r}; nothing can be learned")
    return classes


def read_hyperparameters() -> dict[str, Any]:
    """Hyperparameters by name. SageMaker passes them as strings: one that is JSON gets its type, any other stays a string."""
    path = paths.root() / "input" / "config" / "hyperparameters.json"
    strings = json.loads(path.read_text()) if path.exists() else {}
    # The second is of a tuning job (developer guide, "Define metrics and environment variables").
    return {name: _value(text) for name, text in strings.items() if not name.startswith(("sagemaker_", "_tuning_"))}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _example(model: project.Project, fitted: Any, columns: list[Column]) -> list[Any] | None:
    """The example row of the artifact, a value for each column; None when the model cannot score it."""
    path = paths.channel("schema") / "sample.parquet"
    if not path.exists():
        return None
    example = example_row.of(pd.read_parquet(path), columns)
    try:
        model.predict(fitted, model.features(payload.typed([example], columns)[0]))
    except JobFailure as failure:
        print(f"no example row: usual values of all columns together fail: {failure}", flush=True)
        return None
    return example


def copy_code(target: Path, source: Path | None = None) -> None:
    """Copy jobs/ and project/ into `target`, the artifact's code/, and write the entry points beside them.

    `source` is the zip or the folder that holds both; by default the one that this module was loaded from.
    """
    source = source or Path(__file__).parents[1]
    target.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        with zipfile.ZipFile(source) as archive:
            archive.extractall(target, [name for name in archive.namelist() if name.startswith(("jobs/", "project/"))])
    else:
        for folder in ("jobs", "project"):
            shutil.copytree(source / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__", "data"))
    for name, text in ENTRY_POINTS.items():
        (target / name).write_text(text)


def _reset_times(folder: Path) -> None:
    """Set all modification times to 0: an archive keeps them, and the same artifact must be the same archive."""
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (0, 0))


def digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all files of a folder, as hexadecimal digits."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            total.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()
