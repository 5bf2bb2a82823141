"""Exact values of calibration, partial dependence, groups and importance, at the limits of their sizes."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jobs.evaluation import importance
from jobs.evaluation.calibration import calibration, share_interval
from jobs.evaluation.dependence import partial_dependence
from jobs.evaluation.labels import Labels
from jobs.evaluation.slices import slices


def labels_of(truth, problem="binary_classification"):
    return Labels(problem, np.asarray(truth), [0, 1] if problem == "binary_classification" else [])


@pytest.mark.parametrize(("hits", "rows"), [(0, 10), (3, 10), (10, 10)])
def test_interval_of_share_is_that_of_jeffreys_prior(hits, rows):
    expected = stats.beta.ppf([0.025, 0.975], hits + 0.5, rows - hits + 0.5)
    low, high = share_interval(hits, rows)
    assert low == (pytest.approx(expected[0]) if hits else 0.0)
    assert high == (pytest.approx(expected[1]) if hits < rows else 1.0)


@pytest.mark.parametrize(("rows", "bins"), [(29, 1), (59, 1), (60, 2), (299, 9), (300, 10), (3_000, 10)])
def test_bin_of_calibration_has_thirty_rows(rows, bins):
    found = calibration(np.linspace(0, 1, rows), labels_of(np.arange(rows) % 2))["bins"]
    assert len(found) == bins
    sizes = [each["rows"] for each in found]
    assert max(sizes) - min(sizes) <= 1
    assert [each["predicted"] for each in found] == sorted(each["predicted"] for each in found)


def test_rows_with_the_same_prediction_are_in_one_bin():
    predicted = np.r_[np.full(45, 0.2), np.full(15, 0.8)]
    found = calibration(predicted, labels_of(np.r_[np.zeros(45), np.ones(15)].astype(int)))
    assert [(each["rows"], each["predicted"], each["observed"]) for each in found["bins"]] == [
        (45, pytest.approx(0.2), 0.0),
        (15, pytest.approx(0.8), 1.0),
    ]
    assert found["error"] == pytest.approx(0.2)


def test_calibration_of_regression_has_the_interval_of_a_mean():
    truth = np.arange(40.0)
    (found,) = calibration(truth + 1, labels_of(truth, "regression"))["bins"]
    half = 1.96 * truth.std(ddof=1) / np.sqrt(40)
    assert (found["low"], found["high"]) == (pytest.approx(19.5 - half), pytest.approx(19.5 + half))
    assert (found["predicted"], found["observed"]) == (20.5, 19.5)
    (two,) = calibration(np.ones(2), labels_of(np.array([0.0, 2.0]), "regression"))["bins"]
    assert (two["low"], two["high"]) == (pytest.approx(1 - 1.96), pytest.approx(1 + 1.96))
    (alone,) = calibration(np.ones(1), labels_of(np.zeros(1), "regression"))["bins"]
    assert (alone["low"], alone["high"], alone["rows"]) == (0.0, 0.0, 1)


def test_most_frequent_texts_get_a_point_each():
    raw = pd.DataFrame({"code": [f"c{n:02}" for n in range(13) for _ in range(20 - n)] + ["c12"]})
    found = partial_dependence(lambda rows: np.ones(len(rows)), raw, ["code"], [], seed=0)["code"]
    # c11 and c12 have nine rows each: eleven points have no room for them.
    assert found["values"] == [f"c{n:02}" for n in range(11)]


def test_equally_frequent_texts_are_in_the_order_of_their_names():
    raw = pd.DataFrame({"code": ["b", "a", "c", "c"]})
    found = partial_dependence(lambda rows: np.ones(len(rows)), raw, ["code"], [], seed=0)["code"]
    assert found["values"] == ["c", "a", "b"]


def test_numbers_get_eleven_points_between_the_extremes():
    raw = pd.DataFrame({"x": np.arange(1_001), "flag": np.arange(1_001) % 2 == 0})
    found = partial_dependence(lambda rows: np.ones(len(rows)), raw, ["x", "flag"], [], seed=0)
    assert found["x"]["values"] == [10, 108, 206, 304, 402, 500, 598, 696, 794, 892, 990]
    assert found["flag"]["values"] == [True, False]


def test_dependence_is_measured_on_200_rows_and_for_five_classes():
    raw, calls = pd.DataFrame({"x": np.arange(1_000), "y": np.arange(1_000.0)}), []

    def score(rows):
        assert rows.index.is_unique, "features() may join columns by the index"
        calls.append(rows)
        return np.tile(np.arange(7.0), (len(rows), 1))

    found = partial_dependence(score, raw, ["x"], [np.int64(n) for n in range(7)], seed=0)["x"]
    (rows,) = calls
    assert len(rows) == 11 * 200
    assert rows["y"].nunique() == 200
    assert rows["y"].head(200).is_monotonic_increasing
    assert (len(found["scores"]), found["classes"]) == (5, [0, 1, 2, 3, 4])
    assert found["scores"][4] == [4.0] * 11


def test_values_of_a_curve_are_as_json_has_them():
    days = pd.to_datetime(["2026-11-25", "2026-11-26"])
    raw = pd.DataFrame(
        {"day": days, "flag": [True, False], "n": np.array([1, 2], "int8"), "x": np.array([0.5, 1], "float32")}
    )
    found = partial_dependence(lambda rows: np.ones(len(rows)), raw, list(raw), [], seed=0)
    assert json.loads(json.dumps({name: each["values"] for name, each in found.items()})) == {
        "day": ["2026-11-25 00:00:00", "2026-11-26 00:00:00"], "flag": [False, True], "n": [1, 2], "x": [0.5, 1.0],
    }  # fmt: skip


def test_column_with_one_value_gets_no_curve():
    raw = pd.DataFrame({"one": [1.0] * 50, "two": [1.0, 2.0] * 25})
    assert list(partial_dependence(lambda rows: np.ones(len(rows)), raw, ["one", "two"], [], seed=0)) == ["two"]


@pytest.mark.parametrize(("values", "groups"), [(20, 20), (21, 4)])
def test_column_with_more_than_twenty_numbers_is_cut_at_quartiles(values, groups):
    raw = pd.DataFrame({"age": np.arange(840) % values})
    truth = np.arange(840) // values % 2
    found = slices(["age"], "auc", raw, truth.astype(float), labels_of(truth), seed=0)["age"]
    assert len(found) == groups


def test_groups_of_numbers_are_named_by_their_quartiles():
    raw = pd.DataFrame({"age": np.arange(840) % 40, "late": np.arange(840) % 40 >= 10})
    truth = np.arange(840) // 40 % 2
    found = slices(["age", "late"], "auc", raw, truth.astype(float), labels_of(truth), seed=0)
    names = {name: [each["group"] for each in groups] for name, groups in found.items()}
    assert sorted(names["age"]) == ["-0.001 to 9.75", "19.5 to 29.25", "29.25 to 39", "9.75 to 19.5"]
    assert names["late"] == ["True", "False"]


def test_groups_of_the_same_size_are_in_the_order_of_their_names():
    raw, truth = pd.DataFrame({"g": ["b", "a", "c", "c"] * 40}), np.arange(160) // 4 % 2
    found = slices(["g"], "auc", raw, truth.astype(float), labels_of(truth), seed=0)["g"]
    assert [each["group"] for each in found] == ["c", "a", "b"]


def test_the_twenty_largest_groups_are_measured():
    raw = pd.DataFrame({"g": [f"g{n:02}" for n in range(22) for _ in range(60 - n)]})
    truth = np.arange(len(raw)) % 2
    found = slices(["g"], "auc", raw, truth.astype(float), labels_of(truth), seed=0)["g"]
    assert [each["group"] for each in found] == [f"g{n:02}" for n in range(20)]
    assert "value" in found[0]


def test_group_of_thirty_rows_is_measured():
    raw = pd.DataFrame({"g": ["a"] * 30 + ["b"] * 29})
    truth = np.arange(59) % 2
    a, b = slices(["g"], "auc", raw, truth.astype(float), labels_of(truth), seed=0)["g"]
    assert (a["rows"], a["mean_label"], a["mean_score"]) == (30, 0.5, 0.5)
    assert b == {"group": "b", "rows": 29, "reason": "fewer than 30 rows"}


def test_group_of_regression_may_have_one_label():
    raw, truth = pd.DataFrame({"g": ["a"] * 40}), np.full(40, 2.0)
    (found,) = slices(["g"], "rmse", raw, np.full(40, 3.0), labels_of(truth, "regression"), seed=0)["g"]
    assert (found["value"], found["mean_score"], found["mean_label"]) == (1.0, 3.0, 2.0)


def test_group_of_several_classes_has_no_mean_label():
    truth = np.arange(60) % 3
    labels = Labels("multiclass_classification", truth, [0, 1, 2])
    (found,) = slices(["g"], "accuracy", pd.DataFrame({"g": ["a"] * 60}), np.eye(3)[truth], labels, seed=0)["g"]
    assert found["value"] == 1.0
    assert not {"mean_score", "mean_label"} & set(found)


def test_importance_is_measured_on_a_sample_with_every_class():
    truth = np.r_[np.zeros(9_990), np.ones(10)].astype(int)
    sample = importance._sample(labels_of(truth), np.random.default_rng(0))
    assert len(sample) == len(set(sample)) == 2_000
    assert truth[sample].sum() == 10
    assert len(importance._sample(labels_of(truth.astype(float), "regression"), np.random.default_rng(0))) == 2_000


def test_columns_are_scored_in_calls_of_50_000_rows(monkeypatch):
    raw, calls = pd.DataFrame(np.zeros((2_000, 30))).rename(columns=str), []

    def score(rows):
        assert rows.index.is_unique, "features() may join columns by the index"
        calls.append(len(rows))
        return np.zeros(len(rows))

    shares = importance.permutation_importance("rmse", score, raw, labels_of(np.ones(2_000), "regression"), 0)
    assert calls == [2_000, 25 * 2_000, 5 * 2_000]
    assert set(shares.values()) == {0.0}
    calls.clear()
    monkeypatch.setattr(importance, "CALL_ROWS", 1_999)
    importance.permutation_importance("rmse", score, raw, labels_of(np.ones(2_000), "regression"), 0)
    assert calls == [2_000] * 31


def test_eight_columns_get_a_curve():
    raw = pd.DataFrame({f"c{n}": np.arange(50.0) for n in range(10)})
    assert len(partial_dependence(lambda rows: np.ones(len(rows)), raw, list(raw), [], seed=0)) == 8
