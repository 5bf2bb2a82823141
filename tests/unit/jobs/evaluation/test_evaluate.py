"""Evaluate: the verdict in words, what the model looks at, and the live version on the same rows."""

import hashlib
import json
import subprocess

import numpy as np
import pandas as pd
import pytest

from jobs.evaluation import evaluate
from jobs.evaluation.evaluate import Labels, permutation_importance, verdict
from jobs.failures import JobFailure

from .conftest import CENTRE, SIGMOID

GATE = {"metric": "auc", "minimum": 0.7, "maximum": None, "champion_margin": 0.01}
LESS = {"metric": "rmse", "minimum": None, "maximum": 2.0, "champion_margin": 0.1}


def champion_of(metric: str, value: float) -> dict:
    return {"version": 3, "metrics": {metric: {"value": value}}}


@pytest.mark.parametrize(
    ("gate", "value", "champion", "passed", "advantage", "reason"),
    [
        (GATE, 0.69, None, 0, 0.0, "auc 0.6900 is below the minimum 0.7"),
        (GATE, 0.8, None, 1, 0.0, "auc 0.8000; there is no live version yet"),
        (GATE, 0.8, champion_of("auc", 0.805), 1, -0.005, "auc 0.8000 against 0.8050 of the live version 3 on the same rows"),
        (GATE, 0.9, champion_of("auc", 0.8), 1, 0.1, "auc 0.9000 against 0.8000 of the live version 3 on the same rows"),
        (GATE, 0.8, champion_of("auc", 0.9), 0, -0.1,
         "auc 0.8000 is 0.1000 worse than the live version 3 (0.9000), more than the margin 0.01"),
        (GATE, 0.8, {"version": 3, "metrics": None, "reason": "the live version 3 cannot score"}, 1, 0.0,
         "auc 0.8000; not compared: the live version 3 cannot score"),
        (LESS, 2.5, None, 0, 0.0, "rmse 2.5000 is above the maximum 2"),
        (LESS, 1.5, champion_of("rmse", 1.0), 0, -0.5,
         "rmse 1.5000 is 0.5000 worse than the live version 3 (1.0000), more than the margin 0.1"),
        (LESS, 1.0, champion_of("rmse", 1.5), 1, 0.5, "rmse 1.0000 against 1.5000 of the live version 3 on the same rows"),
    ],
)  # fmt: skip
def test_the_verdict_in_words(gate, value, champion, passed, advantage, reason):
    made = verdict(gate, {gate["metric"]: {"value": value}}, champion)
    assert made == {
        "passed": passed,
        "reason": reason,
        "metric": gate["metric"],
        "value": value,
        "champion_advantage": pytest.approx(advantage),
    }


def test_the_column_that_matters_is_found():
    rng = np.random.default_rng(0)
    raw = pd.DataFrame({"noise": rng.normal(size=3000), "x": rng.normal(size=3000), "some": rng.normal(size=3000)})
    target = raw["x"] + 0.2 * raw["some"]
    shares = permutation_importance(
        "regression", "rmse", lambda rows: (rows["x"] + 0.2 * rows["some"]).to_numpy(), raw, target.to_numpy(), 0
    )
    assert list(shares) == ["x", "some", "noise"]
    assert shares["noise"] == 0
    assert sum(shares.values()) == pytest.approx(1)


def test_importance_sees_a_rare_class_and_scores_blocks_as_one(monkeypatch):
    rng = np.random.default_rng(0)
    raw = pd.DataFrame({f"c{i}": rng.normal(size=20_000) for i in range(5)}).assign(code="a")
    truth = np.zeros(20_000, dtype=int)
    truth[:20] = 1  # one in a thousand: two in a plain sample
    raw.loc[:19, "c3"] += 5

    def scores(rows: pd.DataFrame) -> np.ndarray:
        assert list(rows.dtypes) == list(raw.dtypes)
        return 1 / (1 + np.exp(-rows["c3"].to_numpy()))

    def importance() -> dict[str, float]:
        return permutation_importance("binary_classification", "auc", scores, raw, truth, 1)

    whole = importance()
    assert whole["c3"] == 1
    monkeypatch.setattr(evaluate, "IMPORTANCE_CALL_ROWS", 1)
    assert importance() == whole


def test_labels_become_indexes_of_what_train_knows():
    labels = Labels.of("multiclass_classification", pd.Series(["c", "a", "d"]), ["a", "b", "c"])
    assert labels.classes == ["a", "b", "c", "d"]  # the test lacks b, and d is new
    assert labels.truth.tolist() == [2, 0, 3]
    scores = labels.aligned(np.array([[0.1, 0.2, 0.7]] * 3), ["a", "b", "c"], "model.py")
    assert scores.tolist() == [[0.1, 0.2, 0.7, 0.0]] * 3


def test_scores_of_another_model_are_put_under_our_labels():
    labels = Labels.of("multiclass_classification", pd.Series(["a", "b"]), ["a", "b"])
    assert labels.aligned(np.array([[0.1, 0.2, 0.7]]), ["0", "b", "a"], "old").tolist() == [[0.7, 0.2]]
    with pytest.raises(
        JobFailure, match=r"model.py: predict\(model, features\) gave 3 columns of scores; .* 2 labels \['a', 'b'\]"
    ):
        labels.aligned(np.zeros((2, 3)), ["a", "b"], "model.py")


@pytest.mark.parametrize("values", [["no", "yes"], [False, True], [0, 1], [0.0, 1.0]])
def test_of_two_labels_the_greater_is_positive(values):
    labels = Labels.of("binary_classification", pd.Series([values[1], values[0], values[1]]), values)
    assert labels.truth.tolist() == [1, 0, 1]


def test_labels_that_cannot_be_measured_are_said():
    with pytest.raises(JobFailure, match="all test rows have the label 'a'; nothing can be measured"):
        Labels.of("multiclass_classification", pd.Series(["a", "a"]), ["a", "b"])
    with pytest.raises(JobFailure, match=r"the labels are \[0, 1, 2\]; binary_classification needs two"):
        Labels.of("binary_classification", pd.Series([0, 2]), [0, 1])
    labels = Labels.of("binary_classification", pd.Series([0, 1]), [0, 1])
    with pytest.raises(JobFailure, match=r"old: it tells \['no', 'yes'\] apart, the labels are \[0, 1\]"):
        labels.aligned(np.zeros(2), ["no", "yes"], "old")


def test_the_reports_of_a_first_version(evaluated, ml):
    made = evaluated(SIGMOID)
    assert made["gate"]["reason"] == f"auc {made['gate']['value']:.4f}; there is no live version yet"
    assert (made["gate"]["passed"], made["rows"], made["champion"]) == (1, 400, None)
    measured = (ml / "processing/input/model/model.tar.gz").read_bytes()
    assert made["lineage"] == {"data_digest": "d1", "artifact_digest": hashlib.sha256(measured).hexdigest()}
    for measure in made["metrics"].values():
        assert measure["low"] <= measure["value"] <= measure["high"]
    folder = ml / "processing/output/evaluation"
    importance = json.loads((folder / "importance.json").read_text())
    assert (importance["x"], importance["colour"]) == (1.0, 0.0)
    auc = made["metrics"]["auc"]
    quality = json.loads((folder / "statistics.json").read_text())["binary_classification_metrics"]["auc"]
    assert quality == {"value": auc["value"], "standard_deviation": auc["standard_deviation"]}
    constraints = json.loads((folder / "constraints.json").read_text())["binary_classification_constraints"]
    assert constraints == {"auc": {"threshold": auc["value"], "comparison_operator": "LessThanThreshold"}}
    assert json.loads((folder / "score_profile.json").read_text())["rows"] == 400


def test_the_live_version_is_measured_on_the_same_rows(evaluated, register):
    register(SIGMOID)
    made = evaluated(SIGMOID)
    assert made["champion"]["version"] == 1
    assert made["champion"]["metrics"] == made["metrics"]
    assert made["gate"]["champion_advantage"] == 0


def test_a_live_version_whose_process_would_not_end_well_is_measured(evaluated, register):
    register("import atexit, os\natexit.register(os.abort)\n" + SIGMOID)
    made = evaluated(SIGMOID)
    assert made["champion"]["metrics"] == made["metrics"]


def test_a_version_that_is_worse_is_refused(evaluated, register):
    register(SIGMOID)
    made = evaluated(CENTRE.format(predict="return 1 / (1 + np.exp(features['x']))"))
    assert made["gate"]["passed"] == 0
    assert "worse than the live version 1 (0." in made["gate"]["reason"]


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
def test_a_live_version_that_cannot_score_does_not_stop_the_new_one(evaluated, register, code, more, reason):
    register(code, **more)
    made = evaluated(SIGMOID)
    assert made["champion"]["metrics"] is None
    assert made["gate"]["passed"] == 1
    assert f"not compared: the live version 1 cannot score the test rows: {reason}" in made["gate"]["reason"]


def test_texts_as_labels(evaluated, records):
    rows = records(300).assign(sold=lambda t: t["sold"].map({0: "no", 1: "yes"}))
    made = evaluated(SIGMOID, rows, ["no", "yes"])
    assert made["metrics"]["auc"]["value"] > 0.75


def test_many_classes_of_which_the_test_lacks_one(evaluated, records):
    rows = records(300).assign(sold=lambda t: t["colour"])
    rows = rows[rows["sold"] != "green"]
    code = CENTRE.format(predict="return np.tile([0.5, 0.2, 0.3], (len(features), 1))")
    made = evaluated(code, rows, ["blue", "green", "red"], problem="multiclass_classification")
    assert made["metrics"]["accuracy"]["value"] == pytest.approx((rows["sold"] == "blue").mean())


def test_regression(evaluated, records):
    rows = records(300).assign(sold=lambda t: t["x"] * 2.0)
    made = evaluated(CENTRE.format(predict="return features['x'] * 2.0 + 1"), rows, problem="regression")
    assert made["metrics"]["rmse"]["value"] == pytest.approx(1)
    assert made["gate"]["metric"] == "rmse"


def test_no_test_rows_is_said(evaluated, ml, monkeypatch):
    monkeypatch.setattr(pd.DataFrame, "to_parquet", lambda *_, **__: None)
    with pytest.raises(JobFailure, match="there are no test rows; the data is too small for its test_fraction"):
        evaluated(SIGMOID)


def test_the_champions_process_is_ended_when_the_new_version_fails(evaluated, register, monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    register("import time\ntime.sleep(60)\n" + SIGMOID)
    with pytest.raises(JobFailure, match="predict raised"):
        evaluated(CENTRE.format(predict="raise RuntimeError"))
    assert [process.poll() is None for process in started] == [False]
