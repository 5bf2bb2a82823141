"""Trial: the metric on the validation rows, in a line that SageMaker reads; how the toolkit starts the job."""

import os
import re
import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from jobs import train, trial
from jobs.failures import JobFailure

from .test_train import channels

MODEL = """
def features(raw):
    return raw

def train(train, validation, hyperparameters):
    return hyperparameters

def predict(model, features):
    return features["x"].clip(0.01, 0.99)
"""
TUNING = {"tuning": {"ranges": {"rate": {"type": "continuous", "minimum": 0, "maximum": 1}}}}


@pytest.fixture
def rows(records):
    return records(50).rename(columns={"colour": "red"}).assign(red=1.0)


def value_in(text):
    (found,) = re.findall(r"objective \w+=([^;]+);", text)
    return float(found)


@pytest.mark.parametrize(("metric", "measure"), [(None, roc_auc_score), ("log_loss", log_loss)], ids=["gate", "own"])
def test_trial_prints_metric_of_validation_rows(project, ml, rows, capsys, metric, measure):
    project(MODEL, training={"tuning": TUNING["tuning"] | {"metric": metric}})
    channels(ml, rows)
    trial.run()
    printed = capsys.readouterr().out
    assert value_in(printed) == pytest.approx(measure(rows["sold"], rows["x"].clip(0.01, 0.99)))
    assert printed.count("objective ") == 1
    assert not (ml / "model").exists() or not list((ml / "model").iterdir())


def test_undefined_metric_fails_in_words(project, ml, rows):
    project(MODEL, training=TUNING)
    channels(ml, rows)
    rows.assign(sold=1).to_parquet(ml / "input/data/validation/part-0.parquet", index=False)
    with pytest.raises(JobFailure, match="all validation rows have the label 1; nothing can be measured"):
        trial.run()


def test_objective_of_tuning_job_is_no_hyperparameter(ml):
    (ml / "input/config").mkdir(parents=True)
    given = '{"rate": "0.5", "_tuning_objective_metric": "auc", "sagemaker_program": "x.py"}'
    (ml / "input/config/hyperparameters.json").write_text(given)
    assert train.read_hyperparameters() == {"rate": 0.5}


def test_program_runs_trial_of_the_zip(tmp_path, monkeypatch):
    (code := tmp_path / "input/data/code").mkdir(parents=True)
    (code / "abc.zip").touch()
    called = []
    monkeypatch.setenv("FACTORY_ML_ROOT", str(tmp_path))
    monkeypatch.setattr(os, "execv", lambda *command: called.append(command))
    runpy.run_path(str(Path(trial.__file__).with_name("start_trial.py")))
    assert called == [(sys.executable, [sys.executable, str(code / "abc.zip"), "trial"])]


def test_scores_of_batches_are_put_together(project, ml, rows, monkeypatch, capsys):
    project(MODEL, training=TUNING)
    channels(ml, pd.concat([rows, rows]))
    monkeypatch.setattr("jobs.prepared_rows.Rows.batches.__defaults__", (7,))
    trial.run()
    assert value_in(capsys.readouterr().out) == pytest.approx(roc_auc_score(rows["sold"], rows["x"].clip(0.01, 0.99)))
