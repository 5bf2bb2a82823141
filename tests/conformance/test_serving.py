"""The embedded endpoint, own images with jobs/wsgi.py and AWS's serving toolkit give the same responses for the same artifact."""

import json

import pytest

from tools.model_servers import SERVED, SERVING_ENVIRONMENT, NotHealthy, toolkit
from tools.model_servers import embedded as embedded_server

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
def all_servers(aws, embedded, own_image):
    """Sends a request to all servers, asserts that their responses are equal, and returns the response."""

    def invoke(body, content_type=CSV, accept=CSV):
        expected = aws.invoke(body, content_type, accept)
        for server in (embedded, own_image):
            assert server.invoke(body, content_type, accept) == expected
        return expected

    return invoke


@pytest.mark.parametrize("accept", [CSV, JSON])
@pytest.mark.parametrize("content_type", [CSV, JSON])
def test_scores_are_equal(all_servers, csv, instances, content_type, accept):
    response = all_servers(csv if content_type == CSV else instances, content_type, accept)

    assert (response.status, response.content_type) == (200, accept)
    scores = json.loads(response.body)["predictions"] if accept == JSON else [float(v) for v in response.body.split()]
    assert len(scores) == ROWS
    assert len(set(scores)) > ROWS / 4
    assert all(0 <= score <= 1 for score in scores)


def test_answer_names_version_and_is_the_same_otherwise(archive, tmp_path, embedded, aws, csv):
    with embedded_server(archive, tmp_path, SERVED) as server:
        without = server.invoke(csv, CSV, CSV)
    assert (without.version, without.attributes) == ("", None)
    for each in (aws, embedded):
        answer = each.invoke(csv, CSV, CSV)
        assert (answer.version, answer.attributes) == ("model-version=7", "model-version=7")
        assert (answer.status, answer.content_type, answer.body) == (200, without.content_type, without.body)


def test_scores_of_all_types_of_requests_are_equal(all_servers, csv, instances, records, inputs):
    expected = all_servers(csv).body
    assert all_servers(instances, JSON).body == expected
    lines = "".join(json.dumps(each) + "\n" for each in json.loads(instances)["instances"])
    assert all_servers(lines, "application/jsonlines").body == expected
    training = records.head(ROWS)
    assert all_servers(training.to_csv(index=False), "text/csv; header=present").body == expected
    assert all_servers(training.to_parquet(), "application/x-parquet").body == expected


def test_answers_carry_labels_on_request(all_servers, csv):
    response = all_servers(csv, accept="application/json; labels=true")
    assert (response.status, response.content_type) == (200, JSON)
    predictions = json.loads(response.body)["predictions"]
    assert set(predictions[0]) == {"label", "scores"}
    assert {each["label"] for each in predictions} == {0, 1}


def test_value_that_features_cannot_convert_is_400(all_servers, csv):
    first, _, rest = csv.partition("\n")
    response = all_servers(",".join([*first.split(",")[:-1], "abc"]) + "\n" + rest)
    assert (response.status, response.content_type) == (400, JSON)
    assert "column 'RAC1P': the model cannot use 'abc' in row 1" in json.loads(response.body)["error"]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/json;q=0.9, text/csv", CSV),
        ("text/csv;q=0.1, application/json", JSON),
        ("text/csv; charset=utf-8", CSV),
        ("text/html", CSV),
        ("*/*", JSON),
        ("", JSON),
    ],
)
def test_accept_header_selects_content_type(all_servers, csv, accept, content_type):
    response = all_servers(csv, accept=accept)
    assert (response.status, response.content_type) == (200, content_type)


@pytest.mark.parametrize("content_type", ["text/csv; charset=utf-8", "application/json; charset=utf-8"])
def test_charset_in_content_type_is_accepted(all_servers, csv, instances, content_type):
    assert all_servers(csv if "csv" in content_type else instances, content_type).status == 200


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
def test_invalid_input_returns_400_with_reason(all_servers, body, content_type, reason):
    response = all_servers(body, content_type)

    assert (response.status, response.content_type) == (400, JSON)
    assert reason in json.loads(response.body)["error"]


def test_body_that_is_not_text_returns_error(all_servers):
    assert all_servers(b"\xff\xfe\x00" * 4).status >= 400


def test_request_without_content_type_is_json(aws, embedded, instances):
    response = aws.request("POST", "/invocations", instances.encode())
    assert response == embedded.request("POST", "/invocations", instances.encode())
    assert response.status == 200
    assert len(json.loads(response.body)["predictions"]) == ROWS


def test_valid_request_succeeds_after_invalid_request(all_servers, csv):
    all_servers("1,2,3\n")
    assert all_servers(csv).status == 200


@pytest.mark.parametrize("environment", [{}, {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "1"}])
def test_toolkit_needs_pip_settings_to_start_offline(archive, tmp_path, environment):
    """The reason for the pip settings in the model package; pip inverts PIP_NO_BUILD_ISOLATION."""
    others = {key: value for key, value in SERVING_ENVIRONMENT.items() if not key.startswith("PIP_")}
    with pytest.raises(NotHealthy, match="setuptools"), toolkit(archive, tmp_path, others | environment):
        pass
