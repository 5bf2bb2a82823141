"""Rows that `check_model` generates from the schema of model.yaml."""

import pandas as pd
import pytest

from model_factory.config import ModelConfig
from model_factory.testing.sample import generate

SCHEMA = {
    "age": {"type": "integer", "minimum": 18, "maximum": 20, "nullable": False},
    "plan": {"type": "string", "values": ["basic", "pro"]},
    "income": {"type": "number"},
    "since": {"type": "timestamp"},
    "active": {"type": "boolean", "nullable": False},
}


def rows(problem: str) -> pd.DataFrame:
    metric = {
        "regression": {"metric": "rmse", "maximum": 9},
        "multiclass_classification": {"metric": "accuracy", "minimum": 0},
    }
    gate = metric.get(problem, {"metric": "auc", "minimum": 0.5})
    config = {"name": "churn", "problem": problem, "data": {"label": "left", "schema": SCHEMA}, "gate": gate}
    return generate(ModelConfig.model_validate(config))


def test_values_are_as_the_schema_says():
    generated = rows("binary_classification")
    assert generated["age"].between(18, 20).all()
    assert set(generated["plan"].dropna()) == {"basic", "pro"}
    assert set(generated["left"]) == {0, 1}


def test_nullable_columns_have_missing_values_and_others_none():
    missing = rows("binary_classification").isna().any()
    assert {name for name, any_missing in missing.items() if any_missing} == {"plan", "income", "since"}


@pytest.mark.parametrize(("problem", "classes"), [("multiclass_classification", 3), ("regression", 300)])
def test_label_fits_the_problem(problem, classes):
    assert rows(problem)["left"].nunique() == classes
