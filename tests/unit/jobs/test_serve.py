"""Serving: scores, and errors as JSON with their status."""

import json

import joblib
import numpy as np
import pytest

from jobs import answers, serve
from jobs import project as projects


@pytest.fixture
def served(project, tmp_path):
    """The result of model_fn for a folder as train writes it."""

    def make(code: str | None = None) -> serve.Served:
        project(code) if code else project()
        folder = tmp_path / "model"
        folder.mkdir()
        columns = [{"name": "x", "type": "number", "nullable": False}, {"name": "colour", "type": "string"}]
        (folder / "serving.json").write_text(json.dumps({"columns": columns, "classes": [0, 1]}))
        joblib.dump(np.array([0.5, 0.0, 0.25]), folder / projects.MODEL_FILE)
        make.folder = folder
        return serve.model_fn(str(folder))

    return make


def test_rows_get_scores(served):
    loaded = served()
    answer = serve.transform_fn(loaded, "0.5,red\n-9,blue\n", "text/csv", "text/csv")
    assert (answer.status_code, answer.get_data(as_text=True)) == (200, "0.5\n0.0\n")
    assert answer.content_type == "text/csv"
    body = json.dumps({"instances": [{"x": 0.5, "colour": "red"}, {"x": -9}]})
    answer = serve.transform_fn(loaded, body, "application/json", "application/json")
    assert (answer.status_code, answer.get_json()) == (200, {"predictions": [0.5, 0.0]})
    assert loaded.classes == [0, 1]


@pytest.mark.parametrize("accept", ["text/csv", "application/json"])
def test_answer_names_version_of_its_model(served, monkeypatch, accept):
    without = serve.transform_fn(served(), "0.5,red\n", "text/csv", accept)
    monkeypatch.setenv("MODEL_VERSION", "7")
    answer = serve.transform_fn(serve.model_fn(str(served.folder)), "0.5,red\n", "text/csv", accept)
    assert answer.content_type == f"{accept}; model-version=7"
    assert answer.headers["X-Amzn-SageMaker-Custom-Attributes"] == "model-version=7"
    assert answers.version_in(answer.content_type) == 7
    assert answers.version_in(without.content_type) is None
    assert answer.get_data() == without.get_data()
    error = serve.transform_fn(serve.model_fn(str(served.folder)), "a,red\n", "text/csv", accept)
    assert error.content_type == "application/json"


@pytest.mark.parametrize(
    ("content_type", "version"),
    [
        ("text/csv; charset=utf-8; model-version=12", 12),
        ("application/json;model-version=3;charset=utf-8", 3),
        ("text/csv; old-model-version=3", None),
        ("text/csv; model-version=x", None),
    ],
)
def test_version_is_one_parameter_of_content_type(content_type, version):
    assert answers.version_in(content_type) == version


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        ("a,red\n", "text/csv", "column 'x': 1 values are no number; the first is 'a' in row 1"),
        ("{", "application/json", "the body is not JSON: "),
        (
            "1,red",
            "text/plain",
            "content type 'text/plain' is not known; send text/csv, application/json, application/jsonlines or",
        ),
    ],
)
def test_invalid_request_is_400_with_json(served, body, kind, error):
    answer = serve.transform_fn(served(), body, kind, "text/csv")
    assert (answer.status_code, answer.content_type) == (400, "application/json")
    assert answer.get_json()["error"].startswith(error)


@pytest.mark.parametrize(
    ("predict", "error"),
    [
        ("features['nope']", "predict raised KeyError: 'nope' (model.py, line 8: return features['nope'])"),
        ("features['x'] * float('nan')", "model.py: predict(model, features) gave nan for row 1"),
    ],
)
def test_failing_model_is_500_with_json_and_its_line_logged(served, capsys, predict, error):
    code = (
        "def features(raw):\n    return raw\n\ndef train(a, b, c): ...\n\ndef predict(model, features):\n\n    return "
    )
    answer = serve.transform_fn(served(code + predict), "1,red", "text/csv", "text/csv")
    assert (answer.status_code, answer.content_type) == (500, "application/json")
    assert answer.get_json() == {"error": error}
    assert error in capsys.readouterr().err
