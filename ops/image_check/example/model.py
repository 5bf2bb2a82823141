"""The model with which an image is checked: it uses the libraries that the jobs need, and no others."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

COLUMNS = ["x", "red"]


def features(raw: pd.DataFrame) -> pd.DataFrame:
    """A number, and whether the colour is red."""
    return pd.DataFrame({"x": raw["x"], "red": (raw["colour"] == "red") * 1.0})


def train(train: pd.DataFrame, validation: pd.DataFrame, hyperparameters: dict[str, Any]) -> LogisticRegression:
    """A fitted classifier."""
    return LogisticRegression().fit(train[COLUMNS], train["sold"])


def predict(model: LogisticRegression, features: pd.DataFrame) -> np.ndarray:
    """Probabilities of a sale."""
    return model.predict_proba(features[COLUMNS])[:, 1]
