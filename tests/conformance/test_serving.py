"""The same artifact, the same request: the embedded endpoint answers what AWS's own toolkit answers."""

import json

import pytest

from .servers import SERVING_ENVIRONMENT, NotHealthy, toolkit

CSV, JSON = "text/csv", "application/json"
LABEL = "employed"
ROWS = 200


@pytest.fixture(scope="session")
def inputs(records):
    return records.drop(columns=LABEL).head(ROWS)


@pytest.fixture(scope="session")
def csv(inputs):
    return inputs.to_csv(index=False, header=False)


@pytest.fixture(scope="session")
def instances(inputs):
    return json.dumps({"instances": json.loads(inputs.to_json(orient="records"))})


@pytest.fixture
def both(aws, ours):
    """Ask both; what both answer."""

    def ask(body, content_type=CSV, accept=CSV):
        theirs, own = aws.ask(body, content_type, accept), ours.ask(body, content_type, accept)
        assert own == theirs
        return theirs

    return ask


@pytest.mark.parametrize("accept", [CSV, JSON])
@pytest.mark.parametrize("content_type", [CSV, JSON])
def test_scores_are_the_same(both, csv, instances, content_type, accept):
    answer = both(csv if content_type == CSV else instances, content_type, accept)

    assert (answer.status, answer.content_type) == (200, accept)
    scores = json.loads(answer.body)["predictions"] if accept == JSON else [float(v) for v in answer.body.split()]
    assert len(scores) == ROWS
    assert len(set(scores)) > ROWS / 4
    assert all(0 <= score <= 1 for score in scores)


def test_the_form_of_the_request_does_not_change_the_score(both, csv, instances):
    assert both(csv).body == both(instances, JSON).body


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("application/json;q=0.9, text/csv", JSON),
        ("text/csv; charset=utf-8", CSV),
        ("text/html", CSV),
        ("*/*", JSON),
        ("", JSON),
    ],
)
def test_what_is_accepted_is_understood_alike(both, csv, accept, given):
    answer = both(csv, accept=accept)
    assert (answer.status, answer.content_type) == (200, given)


@pytest.mark.parametrize("content_type", ["text/csv; charset=utf-8", "application/json; charset=utf-8"])
def test_a_charset_in_the_content_type_does_no_harm(both, csv, instances, content_type):
    assert both(csv if "csv" in content_type else instances, content_type).status == 200


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        ("", CSV, "the body is empty"),
        ("1,2,3\n", CSV, "line 1 has 3 columns; 16 are needed"),
        ("old" + ",1" * 15 + "\n", CSV, "column 'AGEP'"),
        ("{", JSON, "the body is not JSON"),
        ("[]", JSON, "at least one instance"),
        ('{"instances": [{"AGEP": 40}]}', JSON, "instance 1 has no column 'SCHL'"),
        ('{"instances": [{"age": 40}]}', JSON, "unknown column 'age'"),
        ("<rows/>", "application/xml", "content type 'application/xml' is not known"),
        (b"\x80\xff" * 8, "application/octet-stream", "content type 'application/octet-stream' is not known"),
    ],
)
def test_bad_input_is_refused_in_words(both, body, content_type, reason):
    answer = both(body, content_type)

    assert (answer.status, answer.content_type) == (400, JSON)
    assert reason in json.loads(answer.body)["error"]


def test_bytes_that_are_no_text_end_alike(both):
    assert both(b"\xff\xfe\x00" * 4).status >= 400


def test_a_request_without_content_type_is_taken_for_json(aws, ours, instances):
    theirs = aws.request("POST", "/invocations", instances.encode())
    assert theirs == ours.request("POST", "/invocations", instances.encode())
    assert theirs.status == 200
    assert len(json.loads(theirs.body)["predictions"]) == ROWS


def test_they_keep_answering_after_bad_requests(both, csv):
    both("1,2,3\n")
    assert both(csv).status == 200


@pytest.mark.parametrize("environment", [{}, {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "1"}])
def test_the_toolkit_does_not_start_offline_without_the_pip_settings(archive, tmp_path, environment):
    """What the settings of the model package are for; pip reads the second one inverted."""
    others = {key: value for key, value in SERVING_ENVIRONMENT.items() if not key.startswith("PIP_")}
    with pytest.raises(NotHealthy, match="setuptools"), toolkit(archive, tmp_path, others | environment):
        pass
