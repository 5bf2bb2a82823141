"""Serves the model in AWS's scikit-learn container: rows of x and red in, a probability for each out."""

import io
from pathlib import Path

import joblib
import pandas as pd


def model_fn(model_dir):
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body, content_type):
    if content_type != "text/csv":
        raise ValueError(f"{content_type} is not text/csv")
    return pd.read_csv(io.StringIO(body), header=None, names=["x", "red"])


def predict_fn(rows, model):
    return model.predict_proba(rows)[:, 1]


def output_fn(scores, accept):
    return "\n".join(str(score) for score in scores), "text/csv"
