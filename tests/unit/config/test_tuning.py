"""Messages about mistakes in `training.tuning`, and what it says to SageMaker."""

import pytest
from pydantic import ValidationError

from model_factory.config import ModelConfig
from model_factory.model.tuning_step import parameter_ranges

RATE = {"type": "continuous", "minimum": 0.01, "maximum": 0.3, "scaling": "logarithmic"}
LEAVES = {"type": "integer", "minimum": 7, "maximum": 63}
LOSS = {"type": "categorical", "values": ["log_loss", 1, True, "10"]}


def config(ranges=None, hyperparameters=None, instance_count=1, **tuning):
    return ModelConfig.model_validate(
        {
            "name": "churn",
            "problem": "binary_classification",
            "data": {"label": "left"},
            "gate": {"metric": "auc", "minimum": 0.7},
            "training": {
                "hyperparameters": hyperparameters or {},
                "instance_count": instance_count,
                "tuning": {"ranges": {"rate": RATE} if ranges is None else ranges, **tuning},
            },
        }
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hyperparameters": {"rate": 0.1}}, "rate is in hyperparameters and in tuning.ranges"),
        ({"ranges": {}}, "at least 1 item"),
        ({"trials": 751}, "less than or equal to 750"),
        ({"parallel": 11}, "less than or equal to 10"),
        ({"trials": 3, "parallel": 4}, "parallel 4 is more than the 3 trials"),
        (
            {"metric": "rmse"},
            "training.tuning.metric 'rmse' is not a metric of binary_classification; choose one of auc",
        ),
        ({"ranges": {"rate": RATE | {"minimum": 0}}}, "scaling logarithmic needs a minimum above 0; it is 0"),
        ({"ranges": {"rate": RATE | {"minimum": 0.3}}}, "minimum 0.3 is not below maximum 0.3"),
        ({"ranges": {"rate": {"type": "continuous", "minimum": 0}}}, "needs `minimum` and `maximum`"),
        ({"ranges": {"n": LEAVES | {"minimum": 0.5}}}, "must be whole numbers"),
        ({"ranges": {"n": LEAVES | {"values": [1]}}}, "values is for `type: categorical`"),
        ({"ranges": {"n": LEAVES | {"scaling": "reverse_logarithmic"}}}, "is for continuous ranges within 0 <= x < 1"),
        ({"ranges": {"loss": {"type": "categorical"}}}, "needs `values`"),
        ({"ranges": {"loss": LOSS | {"minimum": 1}}}, "has `values` only"),
        ({"ranges": {"loss": {"type": "categorical", "values": [1, 1]}}}, "values has 1 twice"),
        ({"ranges": {"sagemaker_x": LEAVES}}, "a name that SageMaker uses itself"),
        ({"ranges": {"a.b": LEAVES}}, "should match pattern"),
        ({"ranges": {f"n{i}": LEAVES for i in range(31)}}, "at most 30 items"),
        ({"instance_count": 2}, "tuning and an instance_count above 1 exclude each other here"),
        ({"strategy": "grid"}, "grid is for categorical ranges only; give rate `type: categorical`"),
        ({"strategy": "grid", "ranges": {"loss": LOSS}, "trials": 5}, "the grid has 4 combinations; remove trials"),
        ({"strategy": "grid", "ranges": {"loss": LOSS}, "parallel": 5}, "more than the 4 trials"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value[:40],
)
def test_mistake_in_tuning_is_named(wrong, message):
    with pytest.raises(ValidationError) as caught:
        config(**wrong)
    assert message in str(caught.value)


def test_ranges_are_those_of_sagemaker():
    tuning = config({"rate": RATE, "leaves": LEAVES, "loss": LOSS}).training.tuning
    assert parameter_ranges(tuning) == {
        "ContinuousParameterRanges": [
            {"Name": "rate", "MinValue": "0.01", "MaxValue": "0.3", "ScalingType": "Logarithmic"}
        ],
        "IntegerParameterRanges": [{"Name": "leaves", "MinValue": "7", "MaxValue": "63", "ScalingType": "Auto"}],
        # As fixed hyperparameters: a text that would be read as JSON is quoted.
        "CategoricalParameterRanges": [{"Name": "loss", "Values": ["log_loss", "1", "true", '"10"']}],
    }


def test_grid_has_a_trial_for_each_combination():
    ranges = {"loss": LOSS, "kind": {"type": "categorical", "values": ["a", "b"]}}
    assert config(ranges, strategy="grid").training.tuning.jobs == 8


def test_objective_is_metric_of_gate_unless_another_is_given():
    assert config().tuning_metric == "auc"
    assert config(metric="log_loss").tuning_metric == "log_loss"
    assert not config().is_better_higher("log_loss")
