"""Evaluate, run on test rows with a new version's artifact and, where one is registered, a champion's."""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import joblib
import pandas as pd
import pytest

from jobs import s3 as storage
from jobs import train
from jobs.evaluation import evaluate
from local_aws.sagemaker.jobs.job import pack

ROOT = Path(__file__).parents[4]
CENTRE = """
import numpy as np

def features(raw):
    return raw[["x"]]

def train(train, validation, hyperparameters): ...

def predict(model, features):
    {predict}
"""
SIGMOID = CENTRE.format(predict="return 1 / (1 + np.exp(-model['weight'] * features['x']))")


def artifact(folder: Path, settings: dict, code: str, classes: list | None = None, columns: list | None = None) -> Path:
    """A model.tar.gz as Train writes it."""
    shutil.copytree(ROOT / "jobs", folder / "code/jobs")
    (folder / "code/project").mkdir()
    (folder / "code/project/model.py").write_text(code)
    (folder / "code/project/settings.json").write_text(json.dumps(settings))
    train.copy_code(folder / "model/code", folder / "code")
    columns = columns or [{"name": "x", "type": "number"}, {"name": "colour", "type": "string"}]
    serving = {"columns": columns, "classes": classes, "label": "sold", "problem": settings["problem"]}
    (folder / "model/serving.json").write_text(json.dumps(serving))
    joblib.dump({"weight": 1.0}, folder / "model/model.joblib")
    pack(folder / "model", folder / "model.tar.gz")
    return folder / "model.tar.gz"


@pytest.fixture
def evaluated(ml, s3, tmp_path, settings, records, monkeypatch):
    """Runs Evaluate on test rows with the artifact of a new version; its evaluation.json."""
    before, paths = set(sys.modules), list(sys.path)

    def run(code: str, rows: pd.DataFrame | None = None, classes: list | None = None, **sections) -> dict:
        given = ml / "processing/input"
        resolved = settings(**sections)
        for name in ("model", "test", "report"):
            (given / name).mkdir(parents=True)
        shutil.copy(artifact(tmp_path / "new", resolved, code, classes or [0, 1]), given / "model/model.tar.gz")
        (records(400) if rows is None else rows).to_parquet(given / "test/part-0.parquet", index=False)
        (given / "report/report.json").write_text(json.dumps({"data_digest": "d1"}))
        evaluate.run()
        return json.loads((ml / "processing/output/evaluation/evaluation.json").read_text())

    storage.client("sagemaker").create_model_package_group(ModelPackageGroupName="sales")
    yield run
    sys.path[:] = paths
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def register(s3, tmp_path, settings):
    """Registers the champion: a model.tar.gz, or one made of a model.py. `digest`: its `artifact_digest`, or "measured"."""

    def add(model: str | Path, upload: bool = True, digest: str = "", **more) -> None:
        path = model
        if isinstance(model, str):
            path = artifact(tmp_path / "old", settings(), model, more.pop("classes", [0, 1]), **more)
        if upload:
            s3.upload_file(str(path), "data", "old/model.tar.gz")
        if digest == "measured":
            digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        storage.client("sagemaker").create_model_package(
            ModelPackageGroupName="sales",
            CustomerMetadataProperties={"artifact_digest": digest} if digest else {},
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{"Image": "sklearn", "ModelDataUrl": "s3://data/old/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )

    return add
