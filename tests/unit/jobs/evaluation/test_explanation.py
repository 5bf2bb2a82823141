"""Calibration, partial dependence and performance by group."""

import numpy as np
import pandas as pd
import pytest

from jobs.evaluation.calibration import calibration, share_interval
from jobs.evaluation.dependence import COLUMNS, partial_dependence
from jobs.evaluation.labels import Labels
from jobs.evaluation.slices import MIN_ROWS, slices
from jobs.failures import JobFailure


def binary(truth):
    return Labels("binary_classification", np.asarray(truth), [0, 1])


def test_scores_that_are_true_probabilities_are_calibrated():
    rng = np.random.default_rng(0)
    scores = rng.uniform(size=20_000)
    found = calibration(scores, binary((rng.uniform(size=20_000) < scores).astype(int)))
    assert found["error"] < 0.02
    assert [each["rows"] for each in found["bins"]] == [2_000] * 10
    assert all(each["low"] <= each["observed"] <= each["high"] for each in found["bins"])


def test_overconfident_scores_have_their_error():
    truth = np.tile([0, 1], 1_000)
    assert calibration(np.where(truth, 0.9, 0.9), binary(truth))["error"] == pytest.approx(0.4)


def test_few_rows_make_few_bins():
    assert len(calibration(np.linspace(0, 1, 59), binary([0, 1] * 29 + [0]))["bins"]) == 1


def test_calibration_of_several_classes_is_of_the_largest_score():
    scores = np.tile([0.7, 0.2, 0.1], (100, 1))
    found = calibration(scores, Labels("multiclass_classification", np.repeat([0, 1], [70, 30]), [0, 1, 2]))
    assert found["error"] == pytest.approx(0.0)
    assert sum(each["rows"] * each["observed"] for each in found["bins"]) == pytest.approx(70)


def test_interval_of_a_share_holds_it():
    assert share_interval(0, 10)[0] == 0.0
    assert share_interval(10, 10)[1] == 1.0
    low, high = share_interval(5, 10)
    assert low < 0.5 < high
    assert high == pytest.approx(1 - low)


def test_dependence_follows_the_score():
    raw = pd.DataFrame({"a": np.arange(1_000) % 50, "b": ["x", "y"] * 500})

    def score(rows):
        return rows["a"].to_numpy() * 2.0 + (rows["b"] == "y").to_numpy() * 10

    found = partial_dependence(score, raw, ["a", "b"], [], seed=0)
    (curve,) = found["a"]["scores"]
    assert np.diff(curve) == pytest.approx(2 * np.diff(found["a"]["values"]))
    assert all(isinstance(value, int) for value in found["a"]["values"])
    by_value = dict(zip(found["b"]["values"], found["b"]["scores"][0], strict=True))
    assert by_value["y"] - by_value["x"] == pytest.approx(10)


def test_dependence_of_classes_has_a_curve_for_each():
    raw = pd.DataFrame({"a": np.arange(300)})
    found = partial_dependence(
        lambda rows: np.tile([0.5, 0.3, 0.2], (len(rows), 1)), raw, ["a"], ["x", "y", "z"], seed=0
    )
    assert [curve[0] for curve in found["a"]["scores"]] == pytest.approx([0.5, 0.3, 0.2])
    assert found["a"]["classes"] == ["x", "y", "z"]


def test_only_the_first_columns_get_a_curve():
    raw = pd.DataFrame({f"c{index}": np.arange(100.0) for index in range(COLUMNS + 2)}).assign(constant=1.0)
    found = partial_dependence(lambda rows: rows["c0"].to_numpy(), raw, ["constant", *raw.columns[:-1]], [], seed=0)
    assert list(found) == [f"c{index}" for index in range(COLUMNS - 1)]


def test_group_that_is_predicted_badly_is_seen():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 2_000)
    group = np.where(np.arange(2_000) < 1_500, "good", "bad")
    scores = np.where(group == "good", truth * 0.8 + 0.1, rng.uniform(size=2_000))
    (good, bad) = slices(["g"], "auc", pd.DataFrame({"g": group}), scores, binary(truth), seed=0)["g"]
    assert (good["group"], good["rows"], good["value"]) == ("good", 1_500, 1.0)
    assert bad["low"] < 0.5 < bad["high"]
    assert bad["mean_label"] == pytest.approx(truth[1_500:].mean())


def test_numbers_are_grouped_by_quartiles_and_missing_values():
    raw = pd.DataFrame({"age": [None] * 100 + list(range(400))})
    truth = np.arange(500) % 2
    found = slices(["age"], "auc", raw, truth.astype(float), binary(truth), seed=0)["age"]
    assert sorted(each["rows"] for each in found) == [100] * 5
    assert "(missing)" in {each["group"] for each in found}


def test_group_without_a_measure_has_its_reason():
    raw = pd.DataFrame({"g": ["few"] * (MIN_ROWS - 1) + ["one"] * 50 + ["both"] * 100})
    truth = np.r_[np.zeros(MIN_ROWS - 1 + 50), np.arange(100) % 2].astype(int)
    found = {each["group"]: each for each in slices(["g"], "auc", raw, truth.astype(float), binary(truth), seed=0)["g"]}
    assert found["few"]["reason"] == f"fewer than {MIN_ROWS} rows"
    assert found["one"]["reason"] == "all rows have the same label"
    assert found["both"]["value"] == 1.0


def test_unknown_group_column_is_named():
    with pytest.raises(JobFailure, match=r"report\.groups names 'sex'"):
        slices(["sex"], "auc", pd.DataFrame({"SEX": [1]}), np.zeros(1), binary([0]), seed=0)
