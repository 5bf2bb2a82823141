"""Endpoints: real containers behind InvokeEndpoint, model errors, metrics."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from local_aws.json_api import ServiceError
from local_aws.sagemaker.containers.read_only import ReadOnlyFolder
from local_aws.sagemaker.hosting import fleet
from local_aws.sagemaker.hosting import runtime as hosting
from local_aws.sagemaker.hosting.invocations import check
from local_aws.sagemaker.hosting.metrics import EndpointMetrics
from local_aws.sagemaker.state import State

from .endpoint import flush
from .test_jobs import CONTAINER_VARIABLES

THREE = """
def model_fn(model_dir):
    return 10
def input_fn(body, content_type):
    return [float(row) for row in body.split()]
def predict_fn(rows, model):
    return [row * model for row in rows]
def output_fn(prediction, accept):
    return "\\n".join(map(str, prediction)), accept
"""


def test_endpoint_answers(serving):
    answer = serving.invoke("1,2\n3,4\n")

    assert answer["Body"].read() == b"one\none\n"
    assert answer["ContentType"].startswith("text/csv")
    assert answer["InvokedProductionVariant"] == "main"


def test_binary_body_is_unchanged(serving):
    assert serving.invoke(b"\x00\xff\x01", "application/octet-stream")["Body"].read() == b"\x01\xff\x00"


def test_input_predict_output_functions_serve_serverless_endpoint(endpoint):
    serverless = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}
    assert endpoint.create(endpoint.config("", serve=THREE, variant=serverless))["EndpointStatus"] == "InService"
    assert endpoint.read("1\n2\n", Accept="text/csv").split() == ["10.0", "20.0"]


@pytest.mark.parametrize(("body", "status", "message"), [("bad", 400, "row 1 is bad"), ("raise", 500, "")])
def test_model_refusal_is_model_error(serving, body, status, message):
    with pytest.raises(ClientError) as refused:
        serving.invoke(body)
    answer = refused.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == status
    assert message in answer["OriginalMessage"]
    assert serving.name in answer["LogStreamArn"]


def test_unknown_endpoint_is_validation_error(aws):
    with pytest.raises(ClientError, match="nobody") as refused:
        aws.client("sagemaker-runtime").invoke_endpoint(EndpointName="nobody", Body=b"")
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_model_that_fails_to_load_fails_endpoint(endpoint):
    described = endpoint.create(endpoint.config("one", {"BREAK": "1"}))

    assert described["EndpointStatus"] == "Failed"
    assert "ping" in described["FailureReason"]
    assert "the model does not load" in described["FailureReason"]


def test_deleted_endpoint_is_gone(aws, endpoint):
    endpoint.create(endpoint.config("one"))
    aws.sagemaker.delete_endpoint(EndpointName=endpoint.name)

    with pytest.raises(ClientError, match=endpoint.name):
        aws.sagemaker.describe_endpoint(EndpointName=endpoint.name)
    with pytest.raises(ClientError, match=endpoint.name):
        endpoint.invoke()


def test_invocations_errors_and_latency_are_metrics(aws, serving):
    def total(metric):
        found = aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[{"Name": "EndpointName", "Value": serving.name}, {"Name": "VariantName", "Value": "main"}],
            StartTime=time.time() - 3600,
            EndTime=time.time() + 60,
            Period=60,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in found["Datapoints"])

    flush(aws)
    names = ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors")
    before = [total(name) for name in names]
    serving.invoke()
    for body in ("bad", "raise"):
        with pytest.raises(ClientError):
            serving.invoke(body)
    flush(aws)

    assert [total(name) - was for name, was in zip(names, before, strict=True)] == [3, 1, 1]
    assert total("ModelLatency") > 0
    assert total("OverheadLatency") > 0


def test_flush_publishes_all_buffered_invocations():
    published = []
    service = SimpleNamespace(
        state=lambda account, region: State(account, region),
        count=lambda state, namespace, data: published.extend((namespace, datum) for datum in data),
    )
    metrics = EndpointMetrics(service)
    for number in range(400):
        metrics.add(State("1", "r"), "e", "blue", (500 if number == 399 else 200, 0.1, 0.01))

    metrics.flush()

    def total(name):
        return sum(sum(datum["Values"]) for _, datum in published if datum["MetricName"] == name)

    assert (total("Invocations"), total("Invocation5XXErrors")) == (400, 1)
    assert all(namespace == "AWS/SageMaker" and len(datum["Values"]) <= 150 for namespace, datum in published)
    assert {datum["Dimensions"][1]["Value"] for _, datum in published} == {"blue"}


def test_every_status_of_endpoint_is_event(aws, endpoint, monkeypatch):
    service = aws.local._dispatcher.replaced["sagemaker"]
    events, emit = [], service.emit
    monkeypatch.setattr(service, "emit", lambda *event: (events.append(event), emit(*event)))
    arn = endpoint.create(endpoint.config("one"))["EndpointArn"]
    aws.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "risk"}])
    aws.sagemaker.delete_endpoint(EndpointName=endpoint.name)
    details = [detail for _, kind, detail, of in events if (kind, of) == ("Endpoint State Change", arn)]
    assert [detail["EndpointStatus"] for detail in details] == ["CREATING", "IN_SERVICE", "DELETING"]
    assert details[-1]["Tags"] == {"team": "risk"}
    assert aws.sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


def test_body_over_limit_is_refused(serving):
    with pytest.raises(ClientError, match="HTTP content length exceeded 6291456 bytes") as refused:
        serving.invoke(b"1" * (6 * 2**20 + 1), "application/octet-stream")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    body = b"1" * 6 * 2**20
    assert serving.invoke(body, "application/octet-stream")["Body"].read() == body


@pytest.mark.parametrize(("member", "longest"), [("CustomAttributes", 1024), ("InferenceId", 64)])
def test_long_header_is_refused(serving, member, longest):
    serving.invoke(**{member: "x" * longest})
    with pytest.raises(ClientError, match=f"less than or equal to {longest}"):
        serving.invoke(**{member: "x" * (longest + 1)})


def test_slow_answer_is_model_error(serving, monkeypatch):
    monkeypatch.setattr(fleet, "RESPONSE_SECONDS", 0.2)
    # In another thread, which has no connection to the container yet: a connection keeps its timeout.
    with (
        ThreadPoolExecutor(1) as thread,
        pytest.raises(ClientError, match="Your invocation timed out while waiting for a response") as refused,
    ):
        thread.submit(serving.invoke, "slow").result()
    assert refused.value.response["Error"]["Code"] == "ModelError"
    assert refused.value.response["OriginalStatusCode"] == 0


def test_model_environment_over_32_kb_is_refused(aws):
    environment = {f"NAME_{number}": "x" * 1024 for number in range(32)}
    container = {"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz", "Environment": environment}
    with pytest.raises(ClientError, match="combined, is 32 KB"):
        aws.sagemaker.create_model(ModelName=aws.name("m"), PrimaryContainer=container, ExecutionRoleArn=aws.role)


def test_serverless_body_limit_is_4_mb():
    request = SimpleNamespace(headers={})
    check(request, 4 * 2**20, serverless=True)
    with pytest.raises(ServiceError, match=r"Request [0-9a-f-]{36} has oversize body\."):
        check(request, 4 * 2**20 + 1, serverless=True)


def test_response_over_limit_is_model_error(serving, monkeypatch):
    monkeypatch.setattr(hosting, "largest_body", lambda serverless: 8)
    assert serving.invoke("1\n2\n")["Body"].read() == b"one\none\n"
    with pytest.raises(ClientError, match="could not load the entire response body") as refused:
        serving.invoke("1\n2\n3\n")
    assert refused.value.response["Error"]["Code"] == "ModelError"


def test_endpoint_container_gets_documented_variables(endpoint, monkeypatch):
    monkeypatch.setenv("LEAK", "of this process")
    serve = """
import os
def model_fn(model_dir):
    return model_dir
def transform_fn(model, body, content_type, accept):
    return f"{model} " + " ".join(sorted(os.environ)), accept
"""
    endpoint.create(endpoint.config("", serve=serve))
    model_dir, *seen = endpoint.read("x").split()
    settings = {"SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY"}
    assert model_dir.endswith("/ml/model")
    assert set(seen) - {"LC_CTYPE", "LOCAL_AWS_ML_ROOT", "FACTORY_ML_ROOT"} == CONTAINER_VARIABLES | settings


WRITES = """
import pathlib
def model_fn(model_dir):
    return pathlib.Path(model_dir)
def transform_fn(model, body, content_type, accept):
    if body == "outside":
        (model.parent / "code").mkdir()
    else:
        (model / "cache.json").write_text(body)
    return body, accept
"""


@pytest.mark.parametrize("mounts", [True, False])
def test_endpoint_container_writes_to_model_folder_and_fails(endpoint, monkeypatch, mounts):
    if not mounts:
        monkeypatch.setattr("local_aws.namespace.available", lambda target: False)
    endpoint.create(endpoint.config("", serve=WRITES))
    assert endpoint.read("outside", Accept="text/csv") == "outside"
    with pytest.raises(ClientError) as refused:
        endpoint.invoke("1")
    assert refused.value.response["Error"]["Code"] == "ModelError"
    assert refused.value.response["OriginalStatusCode"] == 500


def test_read_only_folder_reports_what_was_written(tmp_path):
    folder = tmp_path / "model"
    (folder / "code" / "__pycache__").mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    guard = ReadOnlyFolder(folder)
    assert not folder.stat().st_mode & 0o222
    assert guard.written() is None
    guard.release()
    (folder / "code" / "__pycache__" / "serve.pyc").write_text("")
    assert guard.written() is None
    (folder / "code" / "state.json").write_text("")
    assert guard.written() == "code/state.json"
