"""Train: the same rows, code, hyperparameters and seed give the same archive, and others another."""

import json
import os
import subprocess
import sys
from pathlib import Path

import joblib
import pandas as pd
import pytest

from jobs import __main__, memory, train
from jobs.failures import JobFailure
from local_aws.sagemaker.jobs.job import pack
from model_factory.config import ModelConfig, hyperparameters
from model_factory.model.job_code import build_job_code

ROOT = Path(__file__).parents[3]
MODEL = """
import random
import numpy as np

def features(raw):
    return raw

def train(train, validation, hyperparameters):
    # What differs from process to process unless the job takes care: the order of a set of texts, random numbers.
    columns = list({"x", "red", "green", "blue"})
    start = np.random.normal(size=len(columns)) + random.random()
    return {"columns": columns, "weights": start * train["x"].mean(), "given": hyperparameters}

def predict(model, features):
    return features["x"] * 0.0
"""


def channels(ml: Path, rows: pd.DataFrame) -> None:
    for part in ("train", "validation"):
        folder = ml / "input/data" / part
        folder.mkdir(parents=True)
        rows.to_parquet(folder / "part-0.parquet", index=False)
    (ml / "input/data/schema").mkdir()
    columns = {"columns": [{"name": "x", "type": "number", "nullable": True}], "label": "sold"}
    (ml / "input/data/schema/columns.json").write_text(json.dumps(columns))
    (ml / "input/config").mkdir()
    given = {"depth": "3", "rate": "0.1", "name": "fast", "flag": "true", "sagemaker_program": "x"}
    (ml / "input/config/hyperparameters.json").write_text(json.dumps(given))


@pytest.fixture
def archive(tmp_path, settings):
    """Trains in a process of its own, from the zip; the bytes of model.tar.gz as the embedded AWS packs it."""

    def run(name: str, rows: pd.DataFrame, seed: int = 0, model: str = MODEL) -> bytes:
        folder = tmp_path / name
        (folder / "sales").mkdir(parents=True)
        (folder / "sales/model.py").write_text(model)
        given = {key: settings()[key] for key in ("name", "problem", "data", "gate")}
        config = ModelConfig.model_validate(given | {"training": {"seed": seed}})
        code = build_job_code(config, jobs=ROOT / "jobs", project=folder / "sales", target=folder / "code.zip")
        channels(folder / "ml", rows)
        environment = {"PATH": os.environ["PATH"], "FACTORY_ML_ROOT": str(folder / "ml")}
        subprocess.run([sys.executable, str(code.path), "train"], env=environment, check=True, capture_output=True)
        pack(folder / "ml/model", folder / "model.tar.gz")
        return (folder / "model.tar.gz").read_bytes()

    return run


def test_archive_depends_on_rows_and_seed_only(archive, records):
    rows = records(50)
    first = archive("first", rows)
    assert archive("again", rows) == first
    assert archive("seed", rows, seed=1) != first
    assert archive("data", records(50, 1)) != first


def in_process(project, ml, rows, **more) -> None:
    project(**more)
    channels(ml, rows)
    train.run()


@pytest.fixture
def no_code(monkeypatch):
    """In this process there is no zip to copy code from."""
    monkeypatch.setattr(train, "copy_code", lambda target, source=None: None)


def test_serving_json_has_columns_classes_and_hyperparameters(project, ml, records, no_code):
    in_process(project, ml, records(50).rename(columns={"colour": "red"}).assign(red=1.0))
    serving = json.loads((ml / "model/serving.json").read_text())
    assert serving == {
        "columns": [{"name": "x", "type": "number", "nullable": True}],
        "label": "sold",
        "problem": "binary_classification",
        "classes": [0, 1],
        "example": None,
        "hyperparameters": {"depth": 3, "rate": 0.1, "name": "fast", "flag": True},
        "seed": 0,
    }
    assert {path.stat().st_mtime for path in (ml / "model").rglob("*")} == {0.0}


@pytest.mark.parametrize(
    "value", ["10", "true", "null", "NaN", '"quoted"', "[1]", "log_loss", "", "1.5.3", 10, 0.1, True]
)
def test_hyperparameters_keep_value_and_type(ml, value):
    (ml / "input/config").mkdir(parents=True)
    (ml / "input/config/hyperparameters.json").write_text(json.dumps({"x": hyperparameters.text(value)}))
    read = train.read_hyperparameters()["x"]
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("labels", "known"),
    [(["no", "yes"], ["no", "yes"]), ([True, False], [False, True]), ([2.5, 1.0], [1.0, 2.5])],
)
def test_classes_are_the_sorted_labels(labels, known):
    assert train.classes_of(pd.Series(labels * 3)) == known


def test_one_class_cannot_be_trained(project, ml, records, no_code):
    with pytest.raises(JobFailure, match="all 50 training rows have the label 1; nothing can be learned"):
        in_process(project, ml, records(50).assign(sold=1))


def test_train_that_returns_none_fails(project, ml, records, no_code):
    code = MODEL.replace('return {"columns"', 'made = {"columns"')
    with pytest.raises(JobFailure, match="must return the fitted model; it returned None"):
        in_process(project, ml, records(50), code=code)


BATCHES = """
def features(raw):
    return raw

def train_batches(train, validation, hyperparameters):
    return {"rows": sum(len(batch) for batch in train), "validation": len(validation), "columns": train.columns}

def predict(model, features):
    return features["x"] * 0.0
"""


def test_train_batches_is_called_with_rows(project, ml, records, no_code):
    in_process(project, ml, records(50), code=BATCHES)
    assert joblib.load(ml / "model/model.joblib") == {"rows": 50, "validation": 50, "columns": ["x", "colour", "sold"]}


def test_train_and_train_batches_are_refused(project):
    with pytest.raises(JobFailure, match=r"model\.py has both train and train_batches; remove one"):
        project(code=BATCHES + "def train(train, validation, hyperparameters):\n    return 1\n")


def test_rows_that_do_not_fit_are_refused_before_they_are_read(project, ml, records, no_code, monkeypatch):
    monkeypatch.setattr(memory, "read", lambda: memory.Memory(10**9, 2000))
    reason = "100 rows with 3 columns need at least 0.0 GB, and 0.0 GB of memory are available; choose a larger training.instance"
    with pytest.raises(JobFailure, match=reason):
        in_process(project, ml, records(50))


def test_memory_error_says_what_to_do(project, ml, records, no_code, monkeypatch):
    code = MODEL.replace("columns = list", 'raise MemoryError("Unable to allocate 3 TiB")\n    columns = list')
    project(code=code)
    channels(ml, records(50))
    monkeypatch.setenv("PYTHONHASHSEED", "0")  # else Python restarts with it
    monkeypatch.setattr(sys, "argv", ["zip", "train"])
    assert __main__.main() == 1
    reason = (ml / "output/failure").read_text()
    assert "Unable to allocate 3 TiB (model.py, line" in reason
    assert "choose a larger training.instance in model.yaml" in reason


def test_channel_without_rows_fails(project, ml):
    project()
    with pytest.raises(JobFailure, match="channel 'train' has no rows"):
        train.run()


def test_users_save_and_load_are_used(project, tmp_path):
    code = MODEL + "\ndef save(model, path):\n    (path / 'm.txt').write_text(model)\n"
    code += "\ndef load(path):\n    return (path / 'm.txt').read_text()\n"
    model = project(code)
    model.save("weights", tmp_path)
    assert model.load(tmp_path) == "weights"
    assert not (tmp_path / "model.joblib").exists()
