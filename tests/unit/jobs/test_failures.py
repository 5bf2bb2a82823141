"""Reasons of failed jobs: the user's own line without frames of this package, in the files that SageMaker reads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs import project as projects
from jobs.failures import JobFailure
from model_factory.config import ModelConfig
from model_factory.model.job_code import build_job_code

ROOT = Path(__file__).parents[3]
GOOD = """
import helper

def features(raw):
    return helper.halve(raw)

def train(train, validation, hyperparameters):
    {train}

def predict(model, features):
    return {predict}
"""
HELPER = """
def halve(raw):
    return raw[["missing"]] / 2
"""


def test_failure_names_the_line_in_the_users_file(project, records):
    model = project(GOOD.format(train="pass", predict="0"), {"helper.py": HELPER})
    with pytest.raises(JobFailure) as failed:
        model.features(records(5))
    assert str(failed.value).startswith("features raised KeyError: ")
    assert str(failed.value).endswith('(helper.py, line 3: return raw[["missing"]] / 2)')
    trace = failed.value.trace
    assert trace.splitlines()[0].endswith("line 5, in features")
    assert f"{ROOT / 'jobs'}/" not in trace
    assert trace.splitlines()[-1].startswith("KeyError: ")


@pytest.mark.parametrize(
    ("train", "what"),
    [
        ("raise ValueError('no')", "train raised ValueError: no (model.py, line 8: raise ValueError('no'))"),
        ("raise SystemExit(0)", "train raised SystemExit: 0 (model.py, line 8: raise SystemExit(0))"),
        ("assert train", "train raised AssertionError: (no message) (model.py, line 8: assert train)"),
    ],
)
def test_every_exception_becomes_a_failure(project, train, what):
    model = project(GOOD.format(train=train, predict="0"), {"helper.py": HELPER})
    with pytest.raises(JobFailure) as failed:
        model.train(None, None, {})  # type: ignore[arg-type]
    assert str(failed.value) == what


@pytest.mark.parametrize(
    ("predict", "what"),
    [
        ("features['x'] > 0", None),
        ("features['colour']", "must return numbers, the scores, not for instance the labels; it gave Series"),
        ("features[['x', 'x']]", "must return one score for each row in binary_classification; it gave an array of shape (3, 2); "
         "return predict_proba(...)[:, 1]"),
        ("features[['x']]", None),
        ("0.5", "it gave an array of shape ()"),
        ("features['x'][:2]", "gave 2 scores for 3 rows"),
        ("[0.1, float('nan'), 0.2]", "gave nan for row 2"),
    ],
)  # fmt: skip
def test_scores_must_be_one_number_per_row(project, records, predict, what):
    model = project(GOOD.format(train="pass", predict=predict), {"helper.py": ""})
    if what is None:
        assert model.predict(None, records(3)).shape == (3,)
        return
    with pytest.raises(JobFailure) as failed:
        model.predict(None, records(3))
    assert str(failed.value).startswith("model.py: predict(model, features) ")
    assert what in str(failed.value)


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (None, "models/sales/model.py is missing"),
        (
            "import nothing_like_it",
            "model.py imports 'nothing_like_it', which is not in the image; write its library into requirements.txt and run "
            "model-factory lock sales",
        ),
        ("def features(raw): ...", "models/sales/model.py has no function train(train, validation, hyperparameters)"),
        ("x = (", "importing model.py raised SyntaxError: '(' was never closed (model.py, line 1: x = ()"),
        ("x = 1 / 0", "importing model.py raised ZeroDivisionError: division by zero (model.py, line 1: x = 1 / 0)"),
        ("import sys\nsys.exit(3)", "importing model.py raised SystemExit: 3 (model.py, line 2: sys.exit(3))"),
    ],
)
def test_model_that_cannot_be_imported_fails_with_the_reason(tmp_path, settings, monkeypatch, code, what):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(settings()))
    if code is not None:
        (folder / "model.py").write_text(code)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "model", raising=False)
    with pytest.raises(JobFailure) as failed:
        projects.load(tmp_path)
    assert str(failed.value) == what
    sys.modules.pop("model", None)


def run_job(tmp_path: Path, settings: dict, job: str, model: str) -> subprocess.CompletedProcess[str]:
    """A job from its zip, as SageMaker starts it."""
    folder = tmp_path / "sales"
    folder.mkdir()
    (folder / "model.py").write_text(model)
    config = ModelConfig.model_validate({key: settings[key] for key in ("name", "problem", "data", "gate")})
    code = build_job_code(config, jobs=ROOT / "jobs", project=folder, target=tmp_path / "code.zip")
    environment = {"PATH": os.environ["PATH"], "FACTORY_ML_ROOT": str(tmp_path / "ml")}
    return subprocess.run(
        [sys.executable, str(code.path), job], env=environment, capture_output=True, text=True, check=False
    )


def test_failed_job_writes_its_reason_and_the_users_frames(tmp_path, settings):
    done = run_job(tmp_path, settings(), "train", "import csv\n\nn = csv.field_size_limit('many')\n")
    reason = "importing model.py raised TypeError: limit must be an integer (model.py, line 3: n = csv.field_size_limit('many'))"
    assert done.returncode == 1
    for name in ("message", "failure"):
        assert (tmp_path / "ml/output" / name).read_text() == reason
    assert f"train failed: {reason}" in done.stderr
    assert "__main__" not in done.stderr
    assert done.stderr.count("  File ") == 1


def test_library_that_aborts_at_exit_does_not_change_the_result(tmp_path, settings):
    done = run_job(tmp_path, settings(), "train", "import atexit, os\n\natexit.register(os.abort)\nn = 1 / 0\n")
    assert done.returncode == 1
    assert "ZeroDivisionError" in (tmp_path / "ml/output/message").read_text()


def test_unknown_job_prints_the_usage(tmp_path, settings):
    done = run_job(tmp_path, settings(), "trian", "")
    usage = "usage: python3 <zip> prepare|train|trial|evaluate|monitor|score|compare\n"
    assert (done.returncode, done.stderr) == (2, usage)
