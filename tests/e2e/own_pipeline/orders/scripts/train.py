"""Fits a logistic regression; hyperparameters and folders are in the variables that SageMaker's containers have."""

import json
import os
import shutil
from pathlib import Path

import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression


def main() -> None:
    table = pd.read_csv(Path(os.environ["SM_CHANNEL_TRAIN"]) / "train.csv")
    model = LogisticRegression(C=json.loads(os.environ["SM_HPS"])["C"]).fit(table[["x", "red"]], table["sold"])
    folder = Path(os.environ["SM_MODEL_DIR"])
    joblib.dump(model, folder / "model.joblib")
    (folder / "code").mkdir(exist_ok=True)
    shutil.copy(Path(__file__).with_name("inference.py"), folder / "code")


if __name__ == "__main__":
    main()
