"""model-factory invoke with an asynchronous endpoint: the request is an object, and so is its answer or failure."""

import io
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from model_factory.ops.operations.invoke import ask
from model_factory.ops.project import UsageError

OUTPUT, FAILURE = "s3://acme-data/churn/async/output/1.out", "s3://acme-data/churn/async/failure/1-error.out"


class Aws:
    """S3 and the runtime of SageMaker; `results` are the objects that there will be."""

    def __init__(self, results, refusal=None):
        self.results, self.refusal, self.puts, self.requests = results, refusal, [], []

    def put_object(self, **request):
        self.puts.append(request)

    def invoke_endpoint_async(self, **request):
        self.requests.append(request)
        if self.refusal:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": self.refusal}}, "InvokeEndpointAsync")
        return {"OutputLocation": OUTPUT, "FailureLocation": FAILURE}

    def list_objects_v2(self, Bucket, Prefix, MaxKeys):
        found = [{"Key": uri} for uri in self.results if uri.startswith(f"s3://{Bucket}/{Prefix}")]
        return {"Contents": found[:MaxKeys]} if found else {}

    def get_object(self, Bucket, Key):
        return {"Body": io.BytesIO(self.results[f"s3://{Bucket}/{Key}"])}


@pytest.fixture
def session():
    def session(aws):
        names = SimpleNamespace(
            model=lambda model: SimpleNamespace(endpoint=f"acme-prod-{model}"), bucket=lambda _: "acme-data"
        )
        serving = SimpleNamespace(serving=SimpleNamespace(mode="async"))
        return SimpleNamespace(names=names, client=lambda _: aws, project=SimpleNamespace(models={"churn": serving}))

    return session


def test_request_waits_in_queue_and_answer_is_printed(session):
    aws, lines = Aws({OUTPUT: b'{"predictions": [0.5]}'}), []
    answer = ask(session(aws), "churn", b"age\n5\n", "text/csv; header=present", "mine", log=lines.append)
    assert (answer.content, answer.version) == ({"predictions": [0.5]}, None)
    (put,), (request,) = aws.puts, aws.requests
    assert put["Key"].startswith("churn/async/input/")
    assert put["Key"].endswith(".csv")
    assert request["InputLocation"] == f"s3://acme-data/{put['Key']}"
    assert (request["InferenceId"], request["ContentType"]) == ("mine", "text/csv; header=present")
    assert lines == [f"waiting in the queue of acme-prod-churn; the answer will be {OUTPUT}"]


def test_failure_object_is_the_reason(session):
    aws = Aws({FAILURE: b"Received client error (400) from AllTraffic"})
    with pytest.raises(UsageError, match=r"acme-prod-churn did not answer: Received client error \(400\)"):
        ask(session(aws), "churn", "5", "text/csv")


def test_missing_endpoint_is_named(session):
    with pytest.raises(UsageError, match="there is no asynchronous endpoint 'acme-prod-churn' yet: not found"):
        ask(session(Aws({}, refusal="not found.")), "churn", "5", "text/csv")
