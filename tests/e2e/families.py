"""Families of models for the test of own libraries: requirements and model.py by name.

`make frameworks` runs all of them; `make test-slow` LightGBM alone. `IMAGES`: requirements of own images, for the embedded AWS.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
_PYTORCH = '''"""A neural network on a number and a colour."""

import numpy as np
import pandas as pd
import torch

COLUMNS = ["x", "red"]


def features(raw: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"x": raw["x"], "red": (raw["colour"] == "red") * 1.0})


def network():
    return torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))


def tensor(frame):
    return torch.tensor(frame.to_numpy(dtype="float32"))


def train(train, validation, hyperparameters):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model, loss = network(), torch.nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    inputs, labels = tensor(train[COLUMNS]), tensor(train[["sold"]])
    for _ in range(100):
        optimizer.zero_grad()
        loss(model(inputs), labels).backward()
        optimizer.step()
    return model.eval()


def predict(model, features):
    with torch.no_grad():
        return torch.sigmoid(model(tensor(features[COLUMNS])))[:, 0].double().numpy()


def save(model, path):
    torch.save(model.state_dict(), path / "weights.pt")


def load(path):
    torch.set_num_threads(1)
    model = network()
    model.load_state_dict(torch.load(path / "weights.pt", weights_only=True))
    return model.eval()
'''
IMAGES = {"torch": Path(__file__).parent / "images" / "torch" / "requirements.txt"}
"""By repository, in the account of prod."""
_LIGHTGBM = "lightgbm.LGBMClassifier(n_estimators=20, random_state=0, deterministic=True, n_jobs=1, verbose=-1)"


@dataclass(frozen=True)
class Family:
    """A model's files. `requirements` is empty for a model that needs no libraries besides the image's.

    `whole`: all of model.py. `training`: section of model.yaml, in which {registry} stands for that of prod.
    """

    requirements: str = ""
    imports: str = ""
    model: str = ""
    more: str = ""
    whole: str = ""
    training: dict[str, Any] = field(default_factory=dict)

    def code(self, name: str) -> str:
        """The content of model.py."""
        return self.whole or _CODE.format(name=name, imports=self.imports, model=self.model, more=self.more)


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
    "xgboost-image": Family(
        imports="from xgboost import XGBClassifier",
        model="XGBClassifier(n_estimators=20, random_state=0, n_jobs=1)",
        training={"framework": "xgboost"},
    ),
    "pytorch": Family(whole=_PYTORCH, training={"image": "{registry}/torch:1"}),
    "own-format": Family("lightgbm>=4.6\n", "import numpy as np\nimport lightgbm", _LIGHTGBM, _OWN_FORMAT),
}
