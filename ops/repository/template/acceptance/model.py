"""The throw-away model of `model-factory acceptance`: logistic regression on a number and a colour."""

import pandas as pd
from sklearn.linear_model import LogisticRegression


def features(raw: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"x": raw["x"], "red": (raw["colour"] == "red") * 1.0})


def train(train, validation, hyperparameters):
    return LogisticRegression().fit(train[["x", "red"]], train["sold"])


def predict(model, features):
    return model.predict_proba(features[["x", "red"]])[:, 1]
