"""Employment from a census record: gradient boosted trees on the age and the census's codes."""

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

LABEL = "employed"
UNORDERED = ["MAR", "RELP", "ESP", "CIT", "MIG", "MIL", "ANC", "RAC1P"]


def features(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.astype("float64")


def train(train: pd.DataFrame, validation: pd.DataFrame, hyperparameters: dict):
    inputs = train.drop(columns=LABEL)
    unordered = inputs.columns.isin(UNORDERED)
    model = HistGradientBoostingClassifier(categorical_features=unordered, random_state=0, **hyperparameters)
    return model.fit(inputs.to_numpy(), train[LABEL])


def predict(model, features: pd.DataFrame) -> np.ndarray:
    # Of one row, scikit-learn takes the columns of a DataFrame apart for longer than it predicts.
    return model.predict_proba(features.to_numpy())[:, 1]
