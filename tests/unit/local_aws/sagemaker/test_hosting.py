"""Endpoints: real containers behind InvokeEndpoint, updates without a failed request, roll-back, capture, metrics."""

import json
import threading
import time
import urllib.request
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from local_aws.sagemaker.metrics import EndpointMetrics
from local_aws.sagemaker.state import State

from .conftest import wait

SERVE = """
import json, os, pathlib, time
import flask

def model_fn(model_dir):
    if os.environ.get("BREAK"):
        raise RuntimeError("the model does not load")
    return json.loads((pathlib.Path(model_dir) / "model.json").read_text())

def transform_fn(model, body, content_type, accept):
    assert isinstance(body, str) or content_type == "application/octet-stream"
    if content_type == "application/octet-stream":
        return flask.Response(body[::-1], content_type="application/octet-stream")
    if body.startswith("bad"):
        return flask.Response(json.dumps({"error": "row 1 is bad"}), 400, content_type="application/json")
    if body.startswith("raise"):
        raise ValueError("unexpected")
    rows = body.splitlines()
    return flask.Response("".join(f"{model['name']}\\n" for _ in rows), content_type="text/csv")
"""
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
CSV_AND_JSON = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}


class Endpoint:
    """An endpoint of its own for one test."""

    def __init__(self, aws):
        self.aws, self.name = aws, aws.name("endpoint")

    def config(self, answer, environment=None, capture=None, serve=SERVE, variant=None):
        """A model that answers `answer`, and a configuration with it."""
        name = self.aws.name("config")
        url = self.aws.archive({"model.json": json.dumps({"name": answer}), "code/serve.py": serve})
        program = {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
        container = {"Image": "image", "ModelDataUrl": url, "Environment": program | (environment or {})}
        self.aws.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=self.aws.role)
        shape = variant or {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        more = {"DataCaptureConfig": capture} if capture else {}
        self.aws.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[{"VariantName": "main", "ModelName": name, **shape}],
            **more,
        )
        return name

    def create(self, config):
        self.aws.sagemaker.create_endpoint(EndpointName=self.name, EndpointConfigName=config)
        return self.settled()

    def update(self, config, **more):
        self.aws.sagemaker.update_endpoint(EndpointName=self.name, EndpointConfigName=config, **more)
        return self.settled()

    def settled(self):
        def look():
            found = self.aws.sagemaker.describe_endpoint(EndpointName=self.name)
            return None if found["EndpointStatus"] in ("Creating", "Updating") else found

        return wait(look)

    def ask(self, body="1,2\n", content_type="text/csv", **more):
        runtime = self.aws.client("sagemaker-runtime")
        return runtime.invoke_endpoint(EndpointName=self.name, Body=body, ContentType=content_type, **more)

    def read(self, *arguments, **more):
        return self.ask(*arguments, **more)["Body"].read().decode()


@pytest.fixture
def endpoint(aws):
    made = Endpoint(aws)
    yield made
    if made.name in [e["EndpointName"] for e in aws.sagemaker.list_endpoints(NameContains=made.name)["Endpoints"]]:
        aws.sagemaker.delete_endpoint(EndpointName=made.name)


@pytest.fixture(scope="module")
def serving(aws):
    """One endpoint for all tests that only ask."""
    made = Endpoint(aws)
    assert made.create(made.config("one"))["EndpointStatus"] == "InService"
    yield made
    aws.sagemaker.delete_endpoint(EndpointName=made.name)


def flush(aws):
    urllib.request.urlopen(urllib.request.Request(f"{aws.local.endpoint_url}/_local/flush", b"{}")).read()


def test_an_endpoint_answers(serving):
    answer = serving.ask("1,2\n3,4\n")

    assert answer["Body"].read() == b"one\none\n"
    assert answer["ContentType"].startswith("text/csv")
    assert answer["InvokedProductionVariant"] == "main"


def test_binary_bodies_arrive_as_they_are(serving):
    assert serving.ask(b"\x00\xff\x01", "application/octet-stream")["Body"].read() == b"\x01\xff\x00"


def test_the_three_function_form_is_served_on_a_serverless_configuration(endpoint):
    serverless = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}
    assert endpoint.create(endpoint.config("", serve=THREE, variant=serverless))["EndpointStatus"] == "InService"
    assert endpoint.read("1\n2\n", Accept="text/csv").split() == ["10.0", "20.0"]


@pytest.mark.parametrize(("body", "status", "message"), [("bad", 400, "row 1 is bad"), ("raise", 500, "")])
def test_what_the_model_refuses_is_a_model_error(serving, body, status, message):
    with pytest.raises(ClientError) as refused:
        serving.ask(body)
    answer = refused.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == status
    assert message in answer["OriginalMessage"]
    assert serving.name in answer["LogStreamArn"]


def test_an_unknown_endpoint_is_a_validation_error(aws):
    with pytest.raises(ClientError, match="nobody") as refused:
        aws.client("sagemaker-runtime").invoke_endpoint(EndpointName="nobody", Body=b"")
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_a_model_that_does_not_load_fails_the_endpoint_with_the_reason(endpoint):
    described = endpoint.create(endpoint.config("one", {"BREAK": "1"}))

    assert described["EndpointStatus"] == "Failed"
    assert "ping" in described["FailureReason"]
    assert "the model does not load" in described["FailureReason"]


def test_an_update_fails_no_request(endpoint):
    endpoint.create(endpoint.config("one"))
    new = endpoint.config("two")
    answers, failures, done = set(), [], threading.Event()

    def traffic():
        while not done.is_set():
            try:
                answers.add(endpoint.read().strip())
            except ClientError as error:
                failures.append(str(error))

    threads = [threading.Thread(target=traffic) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        described = endpoint.update(new)
        time.sleep(0.3)
    finally:
        done.set()
        for thread in threads:
            thread.join()

    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == new
    assert failures == []
    assert answers == {"one", "two"}
    assert endpoint.read() == "two\n"


def test_an_update_that_does_not_start_leaves_the_old_model_serving(endpoint):
    old = endpoint.config("one")
    endpoint.create(old)

    described = endpoint.update(endpoint.config("two", {"BREAK": "1"}))

    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == old
    assert "the model does not load" in described["FailureReason"]
    assert endpoint.read() == "one\n"


def test_an_update_is_rolled_back_when_an_alarm_goes_off(aws, endpoint):
    old, alarm, cloudwatch = endpoint.config("one"), aws.name("alarm"), aws.client("cloudwatch")
    endpoint.create(old)
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="Test",
        MetricName=alarm,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    routing = {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
        "WaitIntervalInSeconds": 600,
    }
    deployment = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
    }

    described = endpoint.update(endpoint.config("two"), DeploymentConfig=deployment)

    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == old
    assert alarm in described["FailureReason"]
    assert {endpoint.read() for _ in range(20)} == {"one\n"}


def test_a_deleted_endpoint_is_gone(aws, endpoint):
    endpoint.create(endpoint.config("one"))
    aws.sagemaker.delete_endpoint(EndpointName=endpoint.name)

    with pytest.raises(ClientError, match=endpoint.name):
        aws.sagemaker.describe_endpoint(EndpointName=endpoint.name)
    with pytest.raises(ClientError, match=endpoint.name):
        endpoint.ask()


def captured(aws, prefix):
    keys = aws.keys(prefix)
    return keys, [json.loads(line) for key in keys for line in aws.get(f"s3://{aws.bucket}/{key}").splitlines()]


def capture(aws, prefix, percent=100, modes=("Input", "Output"), **more):
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": f"s3://{aws.bucket}/{prefix}",
        "CaptureOptions": [{"CaptureMode": mode} for mode in modes],
        **more,
    }


def test_traffic_is_captured_in_sagemakers_format(aws, endpoint):
    prefix = aws.name("captured")
    endpoint.create(endpoint.config("one", capture=capture(aws, prefix, CaptureContentTypeHeader=CSV_AND_JSON)))
    endpoint.ask("1,2\n", InferenceId="my-record")
    endpoint.ask("3,4\n")
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


def test_content_types_that_are_not_named_are_captured_as_base64(aws, endpoint):
    prefix = aws.name("captured")
    endpoint.create(endpoint.config("one", capture=capture(aws, prefix, modes=["Input"])))
    endpoint.ask("1,2\n")
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
    endpoint.ask()
    flush(aws)
    assert aws.keys(prefix) == []


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
    serving.ask()
    for body in ("bad", "raise"):
        with pytest.raises(ClientError):
            serving.ask(body)
    flush(aws)

    assert [total(name) - was for name, was in zip(names, before, strict=True)] == [3, 1, 1]
    assert total("ModelLatency") > 0
    assert total("OverheadLatency") > 0


def test_no_invocation_is_lost_when_many_come_between_two_flushes():
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


def test_captured_traffic_is_written_by_itself_after_a_moment(aws, endpoint):
    prefix = aws.name("captured")
    endpoint.create(endpoint.config("one", capture=capture(aws, prefix)))
    endpoint.ask()
    assert wait(lambda: aws.keys(prefix), 5)


def test_going_into_service_is_an_event(aws, endpoint):
    events = aws.listen("SageMaker Endpoint State Change")
    arn = endpoint.create(endpoint.config("one"))["EndpointArn"]

    def told():
        return [event["detail"]["EndpointStatus"] for event in events() if event["resources"] == [arn]]

    assert wait(told) == ["IN_SERVICE"]


def canary(percent, *alarms, seconds=1):
    size = {"Type": "CAPACITY_PERCENT", "Value": percent}
    routing = {"Type": "CANARY", "CanarySize": size, "WaitIntervalInSeconds": seconds}
    named = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm} for alarm in alarms]}} if alarms else {}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}, **named}


def test_a_canary_takes_its_share_of_the_traffic_and_then_all(aws, endpoint):
    endpoint.create(endpoint.config("one"))
    aws.sagemaker.update_endpoint(
        EndpointName=endpoint.name, EndpointConfigName=endpoint.config("two"), DeploymentConfig=canary(20)
    )
    wait(lambda: endpoint.read() == "two\n")
    during = [endpoint.read().strip() for _ in range(40)]
    assert endpoint.settled()["EndpointStatus"] == "InService"

    assert 0 < during.count("two") < during.count("one")
    assert {endpoint.read() for _ in range(10)} == {"two\n"}


def test_a_new_model_that_errs_is_rolled_back_by_the_alarm_on_its_own_errors(aws, endpoint):
    old, alarm = endpoint.config("one"), aws.name("errors")
    endpoint.create(old)
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint.name}, {"Name": "VariantName", "Value": "main"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    broken = (
        "def model_fn(model_dir): return 1\ndef transform_fn(model, body, content_type, accept): raise ValueError\n"
    )
    aws.sagemaker.update_endpoint(
        EndpointName=endpoint.name,
        EndpointConfigName=endpoint.config("two", serve=broken),
        DeploymentConfig=canary(50, alarm, seconds=600),
    )
    failed = 0
    while aws.sagemaker.describe_endpoint(EndpointName=endpoint.name)["EndpointStatus"] == "Updating":
        try:
            endpoint.ask()
        except ClientError:
            failed += 1
    described = endpoint.settled()

    assert failed > 0
    assert described["EndpointConfigName"] == old
    assert alarm in described["FailureReason"]
    assert {endpoint.read() for _ in range(10)} == {"one\n"}


def test_after_a_roll_back_the_old_configuration_captures(aws, endpoint):
    before, after, alarm = aws.name("before"), aws.name("after"), aws.name("alarm")
    endpoint.create(endpoint.config("one", capture=capture(aws, before)))
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        Namespace="Test",
        MetricName=alarm,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    aws.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    endpoint.update(endpoint.config("two", capture=capture(aws, after)), DeploymentConfig=canary(10, alarm))
    endpoint.ask()
    flush(aws)

    assert len(aws.keys(before)) == 1
    assert aws.keys(after) == []


def test_a_deployment_that_cannot_be_made_ends_instead_of_updating_for_ever(aws, endpoint):
    old, new = endpoint.config("one"), endpoint.config("two")
    endpoint.create(old)
    aws.sagemaker.delete_model(ModelName=new)

    described = endpoint.update(new)

    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", old)
    assert new in described["FailureReason"]
