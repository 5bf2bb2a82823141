"""The user's project in a job: settings.json and the functions of model.py."""

import importlib
import inspect
import json
import pkgutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import numpy as np
import pandas as pd

from . import hosts, libraries, paths
from .failures import JobFailure, in_user_code
from .prepared_rows import Rows

MODEL_FILE = "model.joblib"
CHECKPOINTS = "checkpoints"
"""Optional parameter of train and train_batches: the folder of checkpoints."""
HOSTS = "hosts"
"""Optional parameter of train and train_batches: the instances of the training, `hosts.Hosts`."""
SIGNATURES = {
    "features": "features(raw)",
    "train": "train(train, validation, hyperparameters)",
    "predict": "predict(model, features)",
}


@dataclass(frozen=True)
class Project:
    """A model's settings and code. An error in one of the user's functions is raised as JobFailure with the user's line."""

    settings: dict[str, Any]
    module: ModuleType
    folder: str = "project"

    @property
    def label(self) -> str:
        """Name of the label's column."""
        return self.settings["data"]["label"]

    @property
    def problem(self) -> str:
        """binary_classification, multiclass_classification or regression."""
        return self.settings["problem"]

    def features(self, raw: pd.DataFrame) -> pd.DataFrame:
        """features(raw): one row per raw row, in the same order. Raises JobFailure."""
        features = self._call("features", raw.copy())
        if not isinstance(features, pd.DataFrame) or len(features) != len(raw):
            shape = f"{len(features)} rows" if isinstance(features, pd.DataFrame) else type(features).__name__
            raise JobFailure(
                f"model.py: features(raw) must return a DataFrame with a row for each of {len(raw)}; it gave {shape}"
            )
        if not features.columns.is_unique:
            twice = features.columns[features.columns.duplicated()][0]
            raise JobFailure(f"model.py: features(raw) made the column {twice!r} twice")
        if not all(isinstance(name, str) for name in features.columns):
            raise JobFailure("model.py: the names of the columns that features(raw) makes must be texts")
        return features

    def train(self, train: pd.DataFrame, validation: pd.DataFrame, hyperparameters: dict[str, Any]) -> Any:
        """train(train, validation, hyperparameters): the fitted model. Raises JobFailure."""
        return self._fitted("train", train, validation, hyperparameters)

    @property
    def takes_batches(self) -> bool:
        """Whether model.py trains with `train_batches` instead of `train`."""
        return hasattr(self.module, "train_batches")

    def train_batches(self, train: Rows, validation: Rows, hyperparameters: dict[str, Any]) -> Any:
        """train_batches(train, validation, hyperparameters): the fitted model. Raises JobFailure."""
        return self._fitted("train_batches", train, validation, hyperparameters)

    @property
    def takes_checkpoints(self) -> bool:
        """Whether the function that trains has the parameter `checkpoints`."""
        return self._takes(CHECKPOINTS)

    @property
    def takes_hosts(self) -> bool:
        """Whether the function that trains has the parameter `hosts`: it can use several instances."""
        return self._takes(HOSTS)

    def _takes(self, parameter: str) -> bool:
        function = getattr(self.module, "train_batches" if self.takes_batches else "train")
        return parameter in inspect.signature(function).parameters

    def _fitted(self, name: str, *arguments: Any) -> Any:
        more: dict[str, Any] = {CHECKPOINTS: paths.checkpoints()} if self.takes_checkpoints else {}
        here = hosts.read()
        fitted = self._call(name, *arguments, **more, **({HOSTS: here} if self.takes_hosts else {}))
        if fitted is None and here.index == 0:
            raise JobFailure(
                f"model.py: {name}(train, validation, hyperparameters) must return the fitted model; it returned None"
            )
        return fitted

    def predict(self, model: Any, features: pd.DataFrame) -> np.ndarray:
        """predict(model, features): finite float64 scores, (rows,) or for multiclass (rows x classes). Raises JobFailure."""
        given = self._call("predict", model, features)
        try:
            scores = np.asarray(given, dtype="float64")
        except (TypeError, ValueError):
            raise JobFailure(
                "model.py: predict(model, features) must return numbers, the scores, not for instance the labels; "
                f"it gave {type(given).__name__} {str(given)[:80]}"
            ) from None
        return self._checked(scores, len(features))

    def _checked(self, scores: np.ndarray, rows: int) -> np.ndarray:
        many = self.problem == "multiclass_classification"
        if not many and scores.ndim == 2 and scores.shape[1] == 1:
            scores = scores[:, 0]
        if scores.ndim != (2 if many else 1):
            wanted = "a row of scores, one a class, for each row" if many else "one score for each row"
            hint = "; return predict_proba(...)[:, 1]" if self.problem == "binary_classification" else ""
            raise JobFailure(
                f"model.py: predict(model, features) must return {wanted} in {self.problem}; "
                f"it gave an array of shape {scores.shape}{hint}"
            )
        if len(scores) != rows:
            raise JobFailure(f"model.py: predict(model, features) gave {len(scores)} scores for {rows} rows")
        if not np.isfinite(scores).all():
            row = int(np.argmax(~np.isfinite(scores.reshape(rows, -1)).all(axis=1)))
            raise JobFailure(f"model.py: predict(model, features) gave {scores[row]} for row {row + 1}")
        return scores

    def save(self, model: Any, folder: Path) -> None:
        """Write the model into `folder` with the user's save(model, path), else as model.joblib. Raises JobFailure."""
        if hasattr(self.module, "save"):
            self._call("save", model, folder)
        else:
            joblib.dump(model, folder / MODEL_FILE, compress=0)

    def load(self, folder: Path) -> Any:
        """Read the model from `folder` with the user's load(path), else from model.joblib. Raises JobFailure."""
        if hasattr(self.module, "load"):
            return self._call("load", folder)
        return joblib.load(folder / MODEL_FILE)

    def _call(self, name: str, *arguments: Any, **more: Any) -> Any:
        try:
            return getattr(self.module, name)(*arguments, **more)
        except (Exception, SystemExit) as error:
            raise in_user_code(error, name, self.folder) from error


def load(root: Path | None = None) -> Project:
    """Import project/model.py beside this package, in the zip or in the folder `root`. Raises JobFailure."""
    container = str(root or Path(__file__).parents[1])
    settings = json.loads(_read(container, "settings.json"))
    folder = f"{container}/project"
    if folder not in sys.path:
        sys.path.insert(0, folder)
    libraries.use(Path(container))
    importlib.invalidate_caches()
    try:
        module = importlib.import_module("model")
    except ModuleNotFoundError as error:
        if error.name == "model":
            raise JobFailure(f"models/{settings['name']}/model.py is missing") from None
        raise JobFailure(
            f"model.py imports {error.name!r}, which is not in the image; write its library into requirements.txt and run "
            f"model-factory lock {settings['name']}"
        ) from None
    except (Exception, SystemExit) as error:
        raise in_user_code(error, "importing model.py", folder) from error
    for name, signature in SIGNATURES.items():
        if not callable(getattr(module, name, None)) and not (name == "train" and hasattr(module, "train_batches")):
            raise JobFailure(f"models/{settings['name']}/model.py has no function {signature}")
    if hasattr(module, "train") and hasattr(module, "train_batches"):
        raise JobFailure(f"models/{settings['name']}/model.py has both train and train_batches; remove one")
    return Project(settings, module, folder)


def _read(container: str, name: str) -> bytes:
    """A file of project/, from a folder or from inside the zip."""
    path = Path(container) / "project" / name
    if path.exists():
        return path.read_bytes()
    importer = pkgutil.get_importer(container)
    return importer.get_data(f"{container}/project/{name}")  # ty: ignore[missing-attribute]
