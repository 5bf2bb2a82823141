"""Data capture: SageMaker's format, shares, content types."""

from .endpoint import SERVE, capture, captured, flush, wait

CSV_AND_JSON = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}


def test_traffic_is_captured_in_sagemakers_format(aws, endpoint):
    prefix = aws.name("captured")
    endpoint.create(endpoint.config("one", capture=capture(aws, prefix, CaptureContentTypeHeader=CSV_AND_JSON)))
    endpoint.invoke("1,2\n", InferenceId="my-record")
    endpoint.invoke("3,4\n")
    flush(aws)

    keys, records = captured(aws, prefix)

    assert all(key.startswith(f"{prefix}/{endpoint.name}/main/") and key.endswith(".jsonl") for key in keys)
    assert len(keys[0].removeprefix(f"{prefix}/{endpoint.name}/main/").split("/")) == 5
    first, second = records
    assert first["captureData"]["endpointInput"] == {
        "observedContentType": "text/csv",
        "mode": "INPUT",
        "data": "1,2\n",
        "encoding": "CSV",
    }
    assert first["captureData"]["endpointOutput"]["data"] == "one\n"
    assert first["captureData"]["endpointOutput"]["mode"] == "OUTPUT"
    assert first["eventMetadata"]["inferenceId"] == "my-record"
    assert "inferenceId" not in second["eventMetadata"]
    assert first["eventMetadata"]["eventId"] != second["eventMetadata"]["eventId"]
    assert first["eventVersion"] == "0"


def test_custom_attributes_of_request_are_captured_and_of_response_returned(aws, endpoint):
    """AWS's sample amazon-sagemaker-data-quality-monitor-custom-preprocessing has such a line."""
    prefix = aws.name("captured")
    serve = SERVE.replace('content_type="text/csv")', 'content_type="text/csv; model-version=7", headers=HEADERS)')
    serve += '\nHEADERS = {"X-Amzn-SageMaker-Custom-Attributes": "model-version=7"}\n'
    config = endpoint.config("one", serve=serve, capture=capture(aws, prefix, CaptureContentTypeHeader=CSV_AND_JSON))
    endpoint.create(config)
    answer = endpoint.invoke("1,2\n", CustomAttributes="trace=1")
    flush(aws)

    assert (answer["ContentType"], answer["CustomAttributes"]) == ("text/csv; model-version=7", "model-version=7")
    _, [record] = captured(aws, prefix)
    assert record["eventMetadata"]["customAttributes"] == ["trace=1"]
    assert record["captureData"]["endpointOutput"] == {
        "observedContentType": "text/csv; model-version=7",
        "mode": "OUTPUT",
        "data": "one\n",
        "encoding": "CSV",
    }


def test_unlisted_content_types_are_captured_as_base64(aws, endpoint):
    prefix = aws.name("captured")
    endpoint.create(endpoint.config("one", capture=capture(aws, prefix, modes=["Input"])))
    endpoint.invoke("1,2\n")
    flush(aws)

    _, [record] = captured(aws, prefix)
    assert record["captureData"] == {
        "endpointInput": {
            "observedContentType": "text/csv",
            "mode": "INPUT",
            "data": "MSwyCg==",
            "encoding": "BASE64",
        }
    }


def test_nothing_is_captured_at_zero_percent(aws, endpoint):
    prefix = aws.name("captured")
    endpoint.create(endpoint.config("one", capture=capture(aws, prefix, percent=0)))
    endpoint.invoke()
    flush(aws)
    assert aws.keys(prefix) == []


def test_idle_capture_is_written_automatically(aws, endpoint):
    prefix = aws.name("captured")
    endpoint.create(endpoint.config("one", capture=capture(aws, prefix)))
    endpoint.invoke()
    assert wait(lambda: aws.keys(prefix))
