"""features(raw) must be row-wise."""

import pandas as pd
import pytest

from jobs.failures import JobFailure
from jobs.preparation import row_wise

FEATURES = """
import pandas as pd

def features(raw):
    return {body}

def train(train, validation, hyperparameters): ...

def predict(model, features): ...
"""


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ('pd.DataFrame({"a": raw["x"] * 2, "centred": raw["x"] - raw["x"].mean()})', "feature 'centred' of a row depends"),
        ('pd.DataFrame({"previous": raw["x"].shift(1)})', "feature 'previous' of a row depends"),
        ('pd.DataFrame({"code": raw["colour"].astype("category").cat.codes})', "feature 'code' of a row depends"),
        ('pd.get_dummies(raw["colour"].iloc[:1]).reindex(raw.index)', "makes other columns for other rows"),
        ('raw.iloc[1:]', "must return a DataFrame with a row for each of 200; it gave 199 rows"),
        ('raw["x"]', "must return a DataFrame with a row for each of 200; it gave Series"),
        ('pd.concat([raw[["x"]], raw[["x"]]], axis=1)', "made the column 'x' twice"),
        ('raw[["x"]].rename(columns={"x": 1})', "must be texts"),
    ],
)  # fmt: skip
def test_feature_that_depends_on_other_rows_is_named(project, records, body, what):
    model = project(FEATURES.format(body=body))
    with pytest.raises(JobFailure) as failure:
        row_wise.check(model, records(200))
    assert what in str(failure.value)
    assert str(failure.value).startswith("model.py: ")


@pytest.mark.parametrize("rows", [1, 2, 3, 500])
def test_row_wise_features_pass(project, records, rows):
    model = project(FEATURES.format(body='raw.assign(y=raw["x"] ** 2, upper=raw["colour"].str.upper())'))
    row_wise.check(model, records(rows))


def test_features_cannot_change_the_raw_rows(project, records):
    raw = records(10)
    project(FEATURES.format(body='raw.drop(columns="sold", inplace=True) or raw')).features(raw)
    pd.testing.assert_frame_equal(raw, records(10))
