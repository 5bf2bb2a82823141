"""lambda/delivery: the smoke test of an asynchronous endpoint, over two steps of its action."""

import io
import json
from types import SimpleNamespace

import pytest

FOLDER = "s3://acme-data/churn/async/"
QUEUE = {f"{part}_uri": f"{FOLDER}{part}/" for part in ("input", "output", "failure")}
MODEL = {"model": "churn", "endpoint": "acme-prod-churn", "serving": {"mode": "async", "async": QUEUE}}
ANSWER, FAILURE = f"{FOLDER}output/1.out", f"{FOLDER}failure/1-error.out"


class Aws:
    """S3 and the runtime of SageMaker in memory."""

    def __init__(self):
        self.objects, self.requests = {}, []

    def client(self, service):
        return {"s3": self, "sagemaker-runtime": self}[service]

    def put_object(self, Bucket, Key, Body):
        self.objects[f"s3://{Bucket}/{Key}"] = Body

    def list_objects_v2(self, Bucket, Prefix, MaxKeys):
        found = [{"Key": uri} for uri in self.objects if uri.startswith(f"s3://{Bucket}/{Prefix}")]
        return {"Contents": found[:MaxKeys]} if found else {}

    def get_object(self, Bucket, Key):
        return {"Body": io.BytesIO(self.objects[f"s3://{Bucket}/{Key}"])}

    def invoke_endpoint_async(self, **request):
        self.requests.append(request)
        return {"OutputLocation": ANSWER, "FailureLocation": FAILURE, "InferenceId": "1"}


@pytest.fixture
def predict(delivery, monkeypatch):
    module, aws = delivery["async_prediction"], Aws()
    monkeypatch.setattr(module, "record_of", lambda *_: {"age": 40})
    return SimpleNamespace(
        aws=aws, now=lambda: module.predict(aws, MODEL, {}, "smoke-e1"), error=delivery["prediction"].PredictionError
    )


def test_request_is_sent_once_and_its_answer_awaited(predict):
    assert predict.now() is None
    assert predict.now() is None
    (request,) = predict.aws.requests
    assert request["InputLocation"] == f"{FOLDER}input/smoke-e1.json"
    assert json.loads(predict.aws.objects[request["InputLocation"]]) == {"instances": [{"age": 40}]}
    predict.aws.objects[ANSWER] = b'{"predictions": [0.25]}'
    assert predict.now() == 0.25


def test_failure_object_is_the_reason(predict):
    predict.now()
    predict.aws.objects[FAILURE] = b"Received server error (500)"
    with pytest.raises(predict.error, match=r"it refused a typical record: Received server error \(500\)"):
        predict.now()
