"""Families of models for the test of own libraries: requirements and model.py by name.

`make frameworks` runs all of them; `make test-slow` LightGBM alone.
"""

from dataclasses import dataclass

_CODE = '''"""{name} on a number and a colour."""

import pandas as pd
{imports}

COLUMNS = ["x", "red"]


def features(raw: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({{"x": raw["x"], "red": (raw["colour"] == "red") * 1.0}})


def train(train, validation, hyperparameters):
    return {model}.fit(train[COLUMNS], train["sold"])


def predict(model, features):
    return model.predict_proba(features[COLUMNS])[:, 1]
{more}'''
_OWN_FORMAT = """

def save(model, path):
    model.booster_.save_model(path / "trees.txt")


def load(path):
    return _Trees(lightgbm.Booster(model_file=path / "trees.txt"))


class _Trees:
    def __init__(self, booster):
        self.booster = booster

    def predict_proba(self, rows):
        scores = self.booster.predict(rows, num_threads=1)
        return np.column_stack([1 - scores, scores])
"""
_LIGHTGBM = "lightgbm.LGBMClassifier(n_estimators=20, random_state=0, deterministic=True, n_jobs=1, verbose=-1)"


@dataclass(frozen=True)
class Family:
    """A model's files. `requirements` is empty for a model that needs no libraries besides the image's."""

    requirements: str
    imports: str
    model: str
    more: str = ""

    def code(self, name: str) -> str:
        """The content of model.py."""
        return _CODE.format(name=name, imports=self.imports, model=self.model, more=self.more)


FAMILIES = {
    "scikit-learn": Family(
        "",
        "from sklearn.ensemble import RandomForestClassifier",
        "RandomForestClassifier(n_estimators=20, random_state=0)",
    ),
    "lightgbm": Family("lightgbm>=4.6\n", "import lightgbm", _LIGHTGBM),
    "xgboost": Family(
        "xgboost-cpu>=3\n",
        "from xgboost import XGBClassifier",
        "XGBClassifier(n_estimators=20, random_state=0, n_jobs=1)",
    ),
    "catboost": Family(
        "catboost>=1.2\n",
        "from catboost import CatBoostClassifier",
        "CatBoostClassifier(iterations=20, random_seed=0, thread_count=1, verbose=False, allow_writing_files=False)",
    ),
    "own-format": Family("lightgbm>=4.6\n", "import numpy as np\nimport lightgbm", _LIGHTGBM, _OWN_FORMAT),
}
