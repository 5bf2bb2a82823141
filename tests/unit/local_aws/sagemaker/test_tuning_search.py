"""The search of tuning jobs, the median rule and the completion criteria: plain functions."""

import sys

import pytest

from local_aws.sagemaker.jobs.metric_definitions import values
from local_aws.sagemaker.tuning.search import Range, SearchError, make
from local_aws.sagemaker.tuning.stops import complete, early_stop, not_improving

RANGES = {
    "IntegerParameterRanges": [{"Name": "n", "MinValue": "1", "MaxValue": "50"}],
    "ContinuousParameterRanges": [
        {"Name": "rate", "MinValue": "0.001", "MaxValue": "1", "ScalingType": "Logarithmic"},
        {"Name": "decay", "MinValue": "0.5", "MaxValue": "0.99", "ScalingType": "ReverseLogarithmic"},
    ],
    "CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b"]}],
}


def searched(strategy, *, seed, parallel=2, count=12):
    """Values of a search whose objective is best where the rate is 0.1."""
    search = make(strategy, RANGES, maximize=True, seed=seed)
    asked = []
    for number in range(count):
        if number >= parallel:
            rate = float(asked[number - parallel]["rate"])
            search.tell(None if number == 5 else -abs(rate - 0.1))
        asked.append(search.ask())
    return asked


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_same_seed_and_results_choose_same_values(strategy):
    if strategy == "Bayesian":
        pytest.importorskip("optuna")
    first = searched(strategy, seed=7)
    assert first == searched(strategy, seed=7)
    assert first != searched(strategy, seed=8)
    assert all(1 <= int(each["n"]) <= 50 and each["n"].isdecimal() for each in first)
    assert all(0.001 <= float(each["rate"]) <= 1 and 0.5 <= float(each["decay"]) <= 0.99 for each in first)
    assert {each["kind"] for each in first} == {"a", "b"}


def test_warm_start_knows_results_of_parent():
    pytest.importorskip("optuna")
    cold, warm = (make("Bayesian", RANGES, maximize=True, seed=7) for _ in range(2))
    for number in range(20):
        warm.learn({"n": str(number + 1), "rate": "0.1", "decay": "0.9", "kind": "a"}, number)
    warm.learn({"n": "1000", "rate": "0.1", "decay": "0.9", "kind": "a"}, 1)  # outside of the range
    assert cold.ask() != warm.ask()


@pytest.mark.parametrize(
    ("scaling", "whole", "low", "high", "expected"),
    [
        ("Auto", False, 0.0, 1.0, ["0.0", "0.5", "1.0"]),
        ("Linear", True, 1, 3, ["1", "2", "3"]),
        ("Logarithmic", False, 0.01, 1, ["0.01", "0.1", "1.0"]),
        ("Logarithmic", True, 1, 100, ["1", "7", "100"]),
        ("ReverseLogarithmic", False, 0.0, 0.99, ["0.0", "0.9", "0.99"]),
    ],
)
def test_values_lie_evenly_on_the_scale(scaling, whole, low, high, expected):
    found = [Range("x", low, high, scaling, whole).at(share) for share in (0, 0.5, 1)]
    assert [pytest.approx(float(each), abs=1e-9) for each in expected] == [float(each) for each in found]
    assert not whole or found == expected


def test_grid_has_every_combination_once():
    grid = {"CategoricalParameterRanges": [{"Name": "a", "Values": ["1", "2"]}, {"Name": "b", "Values": ["x", "y"]}]}
    search = make("Grid", grid, maximize=True, seed=None)
    found = [search.ask() for _ in range(5)]
    assert found == [{"a": a, "b": b} for a in "12" for b in "xy"] + [None]


def test_unsupported_strategy_is_named():
    with pytest.raises(SearchError, match="does not support the strategy Hyperband"):
        make("Hyperband", {}, maximize=True, seed=None)


def test_missing_optuna_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SearchError, match=r"pip install 'local-aws\[tuning\]'"):
        make("Bayesian", RANGES, maximize=True, seed=None)


PREVIOUS = [[0.5, 0.7], [0.6, 0.8], [0.7]]


@pytest.mark.parametrize(
    ("values", "maximize", "stopped_at"),
    [
        ([0.6], True, None),
        ([0.59], True, 0.59),
        ([0.61], False, 0.61),
        ([0.9, 0.64], True, 0.64),  # averages up to the second epoch: 0.6 and 0.7
        ([0.9, 0.65, 0.0], True, None),
        ([], True, None),
    ],
)
def test_job_below_median_of_averages_is_stopped(values, maximize, stopped_at):
    assert early_stop(values, PREVIOUS, maximize=maximize) == stopped_at


def test_first_job_is_never_stopped():
    assert early_stop([0.0], [], maximize=True) is None


def test_tuning_completes_at_target_or_without_improvement():
    assert complete({"TargetObjectiveMetricValue": 0.9}, [0.8, 0.9], maximize=True)
    assert not complete({"TargetObjectiveMetricValue": 0.9}, [0.95], maximize=False)
    few = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    assert complete(few, [0.8, 0.801, 0.7, 0.805], maximize=True)
    assert not complete(few, [0.8, 0.7, 0.7], maximize=True)
    assert not complete({}, [], maximize=True)
    assert not_improving([1.0, 0.5, 0.499], maximize=False) == 1


def test_metric_is_the_group_of_the_expression():
    lines = ["auc=0.5; auc=0.75;", "auc=none;", "loss 1e-3"]
    assert list(values("auc=([^;]+);", lines)) == [0.5, 0.75]
    assert list(values("[0-9]e-[0-9]", lines)) == [0.001]
