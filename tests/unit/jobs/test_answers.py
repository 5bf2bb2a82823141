"""Bodies of responses: the form that the caller accepts, read back exactly."""

import json

import numpy as np
import pytest

from jobs import answers
from jobs.answers import Form
from jobs.content_types import CSV, JSON, JSON_LINES, BadRequest

BINARY, MANY = np.array([0.25, 0.5]), np.array([[0.5, 0.2, 0.3], [1e-20, 1.0, 0.0]])


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form(CSV)),
        ("*/*", Form(CSV)),
        ("text/html", Form(CSV)),
        ("application/json;q=0.2, text/csv;q=0.9", Form(CSV)),
        ("text/csv;q=0.1, application/json", Form(JSON)),
        ("text/csv, application/json", Form(CSV)),
        ("application/json;q=0", Form(CSV)),
        ("application/json;q=much, application/jsonlines;q=0.1", Form(JSON_LINES)),
        ("APPLICATION/JSON; Labels=true", Form(JSON, labels=True)),
        ("application/x-ndjson; labels=true; q=0.5", Form(JSON_LINES, labels=True)),
        ("text/csv; labels=true", Form(CSV)),
    ],
)
def test_accept_selects_form_with_greatest_quality(accept, form):
    assert answers.accepted(accept) == form


def test_labels_have_score_of_each_class():
    body, kind = answers.write(BINARY, Form(JSON, labels=True), ["no", "yes"])
    assert json.loads(body) == {
        "predictions": [
            {"label": "no", "scores": {"no": 0.75, "yes": 0.25}},
            {"label": "yes", "scores": {"no": 0.5, "yes": 0.5}},
        ]
    }
    assert kind == "application/json; labels=binary"
    body, kind = answers.write(MANY, Form(JSON_LINES, labels=True), [1, 2, 3])
    assert [json.loads(line)["label"] for line in body.splitlines()] == [1, 2]
    assert kind == "application/jsonlines; labels=multiclass"


def test_regression_has_no_labels():
    assert answers.write(BINARY, Form(JSON, labels=True)) == ('{"predictions": [0.25, 0.5]}', JSON)


@pytest.mark.parametrize("scores", [BINARY, MANY, MANY[:, :2], BINARY[:1], MANY[:1]], ids=lambda each: str(each.shape))
@pytest.mark.parametrize("form", [Form(CSV), Form(JSON), Form(JSON_LINES), Form(JSON, True), Form(JSON_LINES, True)])
def test_response_is_read_back_exactly(scores, form):
    body, kind = answers.write(scores, form, list(range(scores.shape[1])) if scores.ndim == 2 else [False, True])
    read = answers.read(body.encode(), answers.with_version(kind, 7))
    assert read.shape == scores.shape
    assert (read == scores).all()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"predictions": ["a"]}', JSON),
        ('{"predictions": [0.5]}', "application/json; labels=binary"),
        ("[1]\nx", JSON_LINES),
        ("[1]", JSON),
        ("1,2\n3", CSV),
        (b"\xff", CSV),
    ],
)
def test_unreadable_response_is_a_bad_request(body, kind):
    with pytest.raises(BadRequest, match="the response is not readable"):
        answers.read(body, kind)
