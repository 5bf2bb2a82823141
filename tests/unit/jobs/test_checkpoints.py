"""Checkpoints: a training that goes on from one has the same artifact, and SIGTERM leaves the time to write one."""

import os
import signal
import threading

import pytest

from jobs import termination, train
from jobs.failures import JobFailure

from .test_train import channels

SGD = """
import os
import joblib
import numpy as np
from sklearn.linear_model import SGDClassifier

PASSES = 4

def features(raw):
    return raw

def train_batches(train, validation, hyperparameters, *, checkpoints):
    saved = checkpoints / "state.joblib"
    first, random, model = 0, np.random.default_rng(0), SGDClassifier(loss="log_loss", random_state=0)
    if saved.exists():
        first, random, model = joblib.load(saved)
    for each in range(first, PASSES):
        for batch in train:
            batch = batch.iloc[random.permutation(len(batch))]
            model.partial_fit(batch[["x"]], batch["sold"], classes=[0, 1])
        joblib.dump((each + 1, random, model), checkpoints / "new")
        os.replace(checkpoints / "new", saved)
        _, random, model = joblib.load(saved)
        if each == int(os.environ.get("INTERRUPTED_AFTER", -1)):
            raise RuntimeError("interrupted")
    return model

def predict(model, features):
    return model.predict_proba(features[["x"]])[:, 1]
"""


def test_resumed_training_has_bytes_of_uninterrupted_one(project, ml, records, monkeypatch, capsys):
    monkeypatch.setattr(train, "copy_code", lambda target, source=None: None)
    project(code=SGD)
    channels(ml, records(50))
    train.run()
    uninterrupted = train.digest(ml / "model")
    for path in (ml / "model/model.joblib", ml / "checkpoints/state.joblib"):
        path.unlink()

    monkeypatch.setenv("INTERRUPTED_AFTER", "1")
    with pytest.raises(JobFailure, match="interrupted"):
        train.run()
    monkeypatch.delenv("INTERRUPTED_AFTER")
    assert "resume" not in capsys.readouterr().out
    train.run()

    assert train.digest(ml / "model") == uninterrupted
    assert f"resume    1 files of checkpoints in {ml}/checkpoints" in capsys.readouterr().out


@pytest.fixture
def ended(monkeypatch):
    """The exit codes with which the process would have ended, and an event when it would have."""
    codes, event = [], threading.Event()

    def end(code):
        codes.append(code)
        event.set()

    monkeypatch.setattr(termination.os, "_exit", end)
    return codes, event


def test_training_without_checkpoints_ends_at_once(ended, capsys):
    codes, event = ended
    with termination.announced(checkpoints=False):
        os.kill(os.getpid(), signal.SIGTERM)
        assert event.wait(10)
    assert codes == [143]
    assert "SageMaker ends this job (SIGTERM); the next attempt starts at the beginning" in capsys.readouterr().out


def test_training_with_checkpoints_ends_before_it_is_killed(ended, capsys, monkeypatch):
    codes, event = ended
    monkeypatch.setattr(termination, "FINISH_SECONDS", 0.05)
    with termination.announced(checkpoints=True):
        os.kill(os.getpid(), signal.SIGTERM)
        assert event.wait(10)
    assert codes == [143]
    assert "the model has 0.05 s to finish its checkpoint" in capsys.readouterr().out
    assert termination.FINISH_SECONDS < 120


def test_handler_of_model_is_called_and_gets_the_time(ended):
    codes, _ = ended
    called = threading.Event()
    with termination.announced(checkpoints=False):
        signal.signal(signal.SIGTERM, lambda *_: called.set())
        os.kill(os.getpid(), signal.SIGTERM)
        assert called.wait(10)
    assert codes == []
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
