"""Evaluate as a whole: a new version, the champion on the same rows, and the files that are written."""

import hashlib
import json
import signal
import subprocess
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from jobs import metrics
from jobs.evaluation import evaluate
from jobs.evaluation.gate import Comparison
from jobs.evaluation.labels import Labels
from jobs.failures import JobFailure

from .conftest import CENTRE, SIGMOID


def test_first_version_writes_all_reports(evaluated, ml):
    evaluation = evaluated(SIGMOID)
    assert evaluation["gate"]["reason"] == f"auc {evaluation['gate']['value']:.4f}; there is no live version yet"
    assert (evaluation["gate"]["passed"], evaluation["rows"], evaluation["champion"]) == (1, 400, None)
    measured = (ml / "processing/input/model/model.tar.gz").read_bytes()
    assert evaluation["lineage"] == {
        "data_digest": "d1",
        "artifact_digest": hashlib.sha256(measured).hexdigest(),
        "hyperparameters_digest": hashlib.sha256(b"{}").hexdigest(),
    }
    assert evaluation["uses"] == {"intended": "", "limits": ""}
    for measure in evaluation["metrics"].values():
        assert measure["low"] <= measure["value"] <= measure["high"]
    folder = ml / "processing/output/evaluation"
    importance = json.loads((folder / "importance.json").read_text())
    assert (importance["x"], importance["colour"]) == (1.0, 0.0)
    explanation = json.loads((folder / "explanation.json").read_text())
    assert {"x"} <= set(explanation["partial_dependence"]) <= {"x", "colour"}
    assert sum(each["rows"] for each in explanation["calibration"]["bins"]) == 400
    auc = evaluation["metrics"]["auc"]
    quality = json.loads((folder / "statistics.json").read_text())["binary_classification_metrics"]["auc"]
    assert quality == {"value": auc["value"], "standard_deviation": auc["standard_deviation"]}
    constraints = json.loads((folder / "constraints.json").read_text())["binary_classification_constraints"]
    assert constraints == {"auc": {"threshold": auc["value"], "comparison_operator": "LessThanThreshold"}}
    assert json.loads((folder / "score_profile.json").read_text())["rows"] == 400


def test_champion_is_measured_on_the_same_rows(evaluated, register):
    register(SIGMOID)
    evaluation = evaluated(SIGMOID)
    assert evaluation["champion"]["version"] == 1
    assert evaluation["champion"]["metrics"] == evaluation["metrics"]
    assert evaluation["gate"]["champion_advantage"] == 0


def test_champion_that_aborts_at_exit_is_measured(evaluated, register):
    register("import atexit, os\natexit.register(os.abort)\n" + SIGMOID)
    evaluation = evaluated(SIGMOID)
    assert evaluation["champion"]["metrics"] == evaluation["metrics"]


def test_worse_version_does_not_pass_the_gate(evaluated, register):
    register(SIGMOID)
    evaluation = evaluated(CENTRE.format(predict="return 1 / (1 + np.exp(features['x']))"))
    assert evaluation["gate"]["passed"] == 0
    assert "worse than the live version 1 (0." in evaluation["gate"]["reason"]


@pytest.mark.parametrize(
    ("code", "more", "reason"),
    [
        (CENTRE.format(predict="return features['gone']"), {},
         "predict raised KeyError: 'gone' (model.py, line 10: return features['gone'])"),
        (SIGMOID, {"columns": [{"name": "x", "type": "number"}, {"name": "age", "type": "number"}]},
         "the column 'age', which it needs, is not in the data any more"),
        (SIGMOID, {"columns": [{"name": "colour", "type": "number"}]}, "column 'colour': 400 values are no number"),
        ("x = 1 / 0", {}, "importing model.py raised ZeroDivisionError: division by zero (model.py, line 1: x = 1 / 0)"),
        (SIGMOID, {"upload": False}, "its artifact s3://data/old/model.tar.gz cannot be read: An error occurred (404)"),
    ],
)  # fmt: skip
def test_champion_that_cannot_score_does_not_stop_the_new_version(evaluated, register, code, more, reason):
    register(code, **more)
    evaluation = evaluated(SIGMOID)
    assert evaluation["champion"]["metrics"] is None
    assert evaluation["gate"]["passed"] == 1
    assert f"not compared: the live version 1 cannot score the test rows: {reason}" in evaluation["gate"]["reason"]


def test_changed_champion_stops_the_job_before_it_is_loaded(evaluated, register, tmp_path):
    loaded = tmp_path / "loaded"
    register(f"open({str(loaded)!r}, 'w')\n" + SIGMOID, digest="0" * 64)
    with pytest.raises(JobFailure, match="is not the file that version 1 was evaluated with") as failure:
        evaluated(SIGMOID)
    assert f"and the evaluation measured {'0' * 64}. Restore the object's version" in str(failure.value)
    assert not loaded.exists()


def test_unchanged_champion_is_measured(evaluated, register):
    register(SIGMOID, digest="measured")
    assert evaluated(SIGMOID)["champion"]["metrics"]["auc"]["value"] > 0.7


def test_digest_is_of_the_file_before_its_code_runs(evaluated, ml):
    path = ml / "processing/input/model/model.tar.gz"
    evaluation = evaluated(f"import pathlib\nmoved = pathlib.Path({str(path)!r})\nmoved.rename(moved.with_name('before'))\n"
                           f"moved.write_bytes(b'another')\n" + SIGMOID)  # fmt: skip
    measured = path.with_name("before").read_bytes()
    assert evaluation["lineage"]["artifact_digest"] == hashlib.sha256(measured).hexdigest()


def test_labels_may_be_strings(evaluated, records):
    rows = records(300).assign(sold=lambda t: t["sold"].map({0: "no", 1: "yes"}))
    report = {"intended_use": "offers", "limits_of_use": "no credit decisions", "groups": ["colour"]}
    evaluation = evaluated(SIGMOID, rows, ["no", "yes"], report=report)
    assert evaluation["metrics"]["auc"]["value"] > 0.75
    assert (evaluation["problem"], evaluation["classes"]) == ("binary_classification", ["no", "yes"])
    assert evaluation["uses"] == {"intended": "offers", "limits": "no credit decisions"}


def test_digest_of_hyperparameters_does_not_depend_on_their_order(tmp_path):
    digests = set()
    for content in ('{"hyperparameters": {"a": 1, "b": "é"}}', '{"x": 0, "hyperparameters": {"b": "é", "a": 1}}'):
        (tmp_path / "serving.json").write_text(content)
        digests.add(evaluate._hyperparameters_digest(tmp_path))
    assert digests == {hashlib.sha256(b'{"a":1,"b":"\\u00e9"}').hexdigest()}


def test_champion_without_a_score_for_each_row_is_not_compared():
    labels = Labels("binary_classification", np.array([0, 1] * 20), [0, 1])
    measured = metrics.bootstrap(labels.problem, labels.truth, labels.truth * 0.5, 0)
    scoring = SimpleNamespace(version=3)
    for count in (39, 41):
        scoring.scores = lambda count=count: (np.zeros(count), [0, 1])
        section, compared = evaluate._compare(scoring, "auc", measured, labels, 0)
        reason = f"the live version 3 gave {count} scores for 40 test rows"
        assert (section, compared) == ({"version": 3, "metrics": None, "reason": reason}, Comparison(3, reason=reason))
    scoring.scores = lambda: (labels.truth * 0.5, [1, 2])
    section, _ = evaluate._compare(scoring, "auc", measured, labels, 0)
    assert section["reason"] == "the live version 3: its labels are [1, 2], the labels of the test rows are [0, 1]"


def test_class_without_test_rows_is_allowed(evaluated, records, ml):
    rows = records(300).assign(sold=lambda t: t["colour"])
    rows = rows[rows["sold"] != "green"]
    code = CENTRE.format(predict="return np.tile([0.5, 0.2, 0.3], (len(features), 1))")
    evaluation = evaluated(code, rows, ["blue", "green", "red"], problem="multiclass_classification")
    assert evaluation["metrics"]["accuracy"]["value"] == pytest.approx((rows["sold"] == "blue").mean())
    explained = json.loads((ml / "processing/output/evaluation/explanation.json").read_text())
    assert explained["partial_dependence"]["colour"]["classes"] == ["blue", "green", "red"]
    profile = json.loads((ml / "processing/output/evaluation/score_profile.json").read_text())
    assert (profile["rows"], "0.5" in json.dumps(profile)) == (len(rows), True), "of the largest score of each row"


def test_regression_is_measured_by_its_errors(evaluated, records, ml):
    rows = records(300).assign(sold=lambda t: t["x"] * 2.0)
    evaluation = evaluated(CENTRE.format(predict="return features['x'] * 2.0 + 1"), rows, problem="regression")
    assert evaluation["metrics"]["rmse"]["value"] == pytest.approx(1)
    assert evaluation["gate"]["metric"] == "rmse"
    constraints = json.loads((ml / "processing/output/evaluation/constraints.json").read_text())
    assert constraints["regression_constraints"]["rmse"]["comparison_operator"] == "GreaterThanThreshold"


def test_missing_test_rows_are_reported(evaluated, ml, monkeypatch):
    monkeypatch.setattr(pd.DataFrame, "to_parquet", lambda *_, **__: None)
    with pytest.raises(JobFailure, match="there are no test rows; the data is too small for its test_fraction"):
        evaluated(SIGMOID)


def test_champion_process_is_killed_when_new_version_fails(evaluated, register, monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    register("import time\ntime.sleep(60)\n" + SIGMOID)
    with pytest.raises(JobFailure, match="predict raised"):
        evaluated(CENTRE.format(predict="raise RuntimeError"))
    assert started[-1].returncode == -signal.SIGKILL  # the first one may be the template that it is forked from
