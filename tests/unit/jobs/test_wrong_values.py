"""A value that model.py cannot use is the caller's mistake, named by row and column; a broken model.py is not."""

import json

import numpy as np
import pytest

from jobs import serve
from jobs.failures import JobFailure

CODE = """
import json

def features(raw):
    if BROKEN.get("now"):
        raise BROKEN["now"]
    return raw.assign(code=raw["code"].astype("float64"))

def train(a, b, c): ...

def predict(model, features):
    known = {1.0: 0.5, 2.0: 0.25}
    return [known[code] * (1 if age > 0 else age - 1) for code, age in zip(features["code"], features["age"])]

BROKEN = {}
def save(model, path): ...
def load(path): return None
"""
COLUMNS = [
    {"name": "age", "type": "integer", "nullable": False, "minimum": 0, "maximum": 120},
    {"name": "code", "type": "string", "nullable": False, "values": ["1", "2", "abc"]},
]


@pytest.fixture
def served(project, tmp_path):
    project(CODE)

    def load(example=(40, "1")):
        folder = tmp_path / "model"
        folder.mkdir(exist_ok=True)
        serving = {"columns": COLUMNS, "classes": [0, 1], "example": list(example) if example else None}
        (folder / "serving.json").write_text(json.dumps(serving))
        return serve.model_fn(str(folder))

    return load


def answer(served, body, kind="text/csv", accept="text/csv"):
    response = serve.transform_fn(served, body, kind, accept)
    return response.status_code, response.get_json() or response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("30,abc\n", "column 'code': the model cannot use 'abc' in row 1 (ValueError: could not convert string to float: 'abc')"),
        ("30,1\n" * 700 + "30,x\n" + "30,2\n" * 200, "column 'code': the model cannot use 'x' in row 701 (ValueError: could"),
        ("30,1\n30,9\n", "column 'code': the model cannot use '9' in row 2 (KeyError: 9.0)"),
        ("30,1\n" * 1001 + "30,x\n", "the model cannot use a value of the request (ValueError: could not"),
    ],
)  # fmt: skip
def test_value_that_model_cannot_use_is_400(served, body, error):
    status, content = answer(served(), body)
    assert (status, content["error"][: len(error)]) == (400, error)


def test_same_value_without_example_is_500(served):
    assert answer(served(example=None), "30,abc\n")[0] == 500


@pytest.mark.parametrize("error", [ValueError("broken"), OSError("no file"), MemoryError()], ids=repr)
def test_broken_model_is_500(served, error):
    loaded = served()
    loaded.project.module.BROKEN["now"] = error
    assert answer(loaded, "30,1\n")[0] == 500


def test_error_that_is_not_of_values_is_500(served, monkeypatch):
    loaded = served()
    features = loaded.project.module.features

    def fails_for_old(raw):
        if (raw["age"] > 100).any():
            raise OSError("no file")
        return features(raw)

    monkeypatch.setattr(loaded.project.module, "features", fails_for_old)
    assert answer(loaded, "101,1\n")[0] == 500
    assert answer(loaded, "99,1\n") == (200, "0.5\n")


def test_model_that_fails_for_several_rows_alone_is_500(served, monkeypatch):
    loaded = served()

    def scores_one_row(model, features):
        if len(features) > 1:
            raise ValueError("one row at a time")
        return [0.5]

    monkeypatch.setattr(loaded.project.module, "predict", scores_one_row)
    assert answer(loaded, "30,1\n31,1\n")[0] == 500


def test_scores_that_are_no_numbers_are_500(served):
    loaded = served()
    loaded.project.module.predict = lambda model, features: np.full(len(features), np.nan)
    assert answer(loaded, "30,1\n")[0] == 500


def test_model_that_fails_for_its_example_does_not_start(served):
    with pytest.raises(JobFailure, match="could not convert string to float"):
        served(example=(40, "abc"))


def test_values_outside_of_schema_are_answered_or_refused(served, monkeypatch):
    assert answer(served(), "130,1\n") == (200, "0.5\n")
    monkeypatch.setenv("INVALID_VALUES", "refuse")
    loaded = served()
    for body, error in (
        ("130,1\n", "column 'age': 1 values are above the maximum 120"),
        ("1,1\n1,3\n", "column 'code': 1 values are not one of 1, 2, abc"),
    ):
        status, content = answer(loaded, body)
        assert (status, content["error"].startswith(error)) == (400, True)
    assert answer(loaded, "30,1\n") == (200, "0.5\n")
