"""lambda/endpoint_cleanup: takes away what was deployed, and answers CloudFormation whatever happens."""

import http.server
import json
import threading

import pytest

from .conftest import ROLE, event


class Answers(http.server.ThreadingHTTPServer):
    """CloudFormation's end of the line: keeps what is PUT; the first `failing` requests get a 503."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Put)
        self.came, self.failing = [], 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/answer?X-Amz-Signature=0a1b"


class _Put(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 503 if self.server.failing > 0 else 200
        self.server.failing -= 1
        if status == 200:
            self.server.came.append((json.loads(body), self.headers["Content-Type"], len(body)))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def answers():
    with Answers() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class Cleanup:
    """The function, and an endpoint with all that belongs to it."""

    def __init__(self, cloud, function, answers, monkeypatch):
        self.cloud, self.function, self.answers, self.name = cloud, function, answers, cloud.name
        self.sagemaker = cloud.client("sagemaker")
        monkeypatch.setattr("removal.POLL_SECONDS", 0.01)

    def __call__(self, **changes):
        """Handle a request; the answer."""
        request = self.cloud.event("stack_deleted", ResponseURL=self.answers.url) | changes
        self.function.invoke(request)
        (answer, content_type, size) = self.answers.came.pop()
        assert content_type == ""
        assert size <= 4096
        assert {k: answer[k] for k in ("StackId", "RequestId", "LogicalResourceId")} == {
            k: request[k] for k in ("StackId", "RequestId", "LogicalResourceId")
        }
        return answer

    def deployed(self, name=None):
        """A version, registered and served under `name`."""
        name = name or self.name
        self.sagemaker.create_model_package_group(ModelPackageGroupName=name)
        arn = self.sagemaker.create_model_package(ModelPackageGroupName=name)["ModelPackageArn"]
        model, config = f"{name}-v1", f"{name}-v1-0a1b2c3d"
        self.sagemaker.create_model(
            ModelName=model,
            ExecutionRoleArn=ROLE,
            PrimaryContainer={"ModelPackageName": arn},
        )
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        self.sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant])
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        self.cloud.state.endpoints[name]["EndpointStatus"] = "InService"

    def left(self):
        """What is there under the model's name."""
        state, name = self.cloud.state, self.name
        tables = (state.endpoints, state.endpoint_configs, state.models, state.packages)
        return [[key for key in table if name in key] for table in tables]


@pytest.fixture
def cleanup(cloud, load, answers, monkeypatch):
    return Cleanup(cloud, load("endpoint_cleanup"), answers, monkeypatch)


def test_everything_goes_with_the_stack(cleanup):
    cleanup.deployed()
    answer = cleanup()
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", cleanup.name)
    assert cleanup.left() == [[], [], [], []]


def test_versions_stay_where_data_is_kept(cleanup):
    cleanup.deployed()
    properties = cleanup.cloud.event("stack_deleted")["ResourceProperties"] | {"DeleteVersions": "false"}
    assert cleanup(ResourceProperties=properties)["Status"] == "SUCCESS"
    assert [len(names) for names in cleanup.left()] == [0, 0, 0, 1]


def test_a_model_whose_name_begins_alike_keeps_its_endpoint(cleanup):
    """`churn-v2` is not version 2 of `churn`."""
    other = f"{cleanup.name}-v2"
    cleanup.deployed()
    cleanup.deployed(other)
    cleanup()
    assert [len(names) for names in cleanup.left()] == [1, 1, 1, 1]
    assert cleanup.left()[1] == [f"{other}-v1-0a1b2c3d"]


def test_automatic_scaling_ends_before_the_endpoint(cleanup):
    cleanup.deployed()
    scaling = cleanup.cloud.client("application-autoscaling")
    where = {"ServiceNamespace": "sagemaker", "ResourceId": f"endpoint/{cleanup.name}/variant/AllTraffic"}
    scaling.register_scalable_target(
        **where, ScalableDimension="sagemaker:variant:DesiredInstanceCount", MinCapacity=1, MaxCapacity=2
    )
    cleanup.function.calls.clear()
    cleanup()
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[where["ResourceId"]])
    assert found["ScalableTargets"] == []
    assert cleanup.function.changes[:2] == ["DeregisterScalableTarget", "DeleteEndpoint"]


@pytest.mark.parametrize("times", [1, 2])
def test_where_nothing_was_deployed_nothing_is_to_do(cleanup, times):
    assert [cleanup()["Status"] for _ in range(times)] == ["SUCCESS"] * times


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_only_a_deletion_deletes(cleanup, kind):
    cleanup.deployed()
    answer = cleanup(RequestType=kind)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", cleanup.name)
    assert cleanup.function.changes.count("DeleteEndpoint") == 0


def test_another_endpoint_is_another_resource(cleanup):
    answer = cleanup(RequestType="Update", PhysicalResourceId="the-one-before")
    assert answer["PhysicalResourceId"] == cleanup.name
    assert cleanup(PhysicalResourceId="the-one-before")["PhysicalResourceId"] == "the-one-before"


@pytest.mark.parametrize("status", ["Updating", "Creating", "SystemUpdating"])
def test_an_endpoint_that_is_being_changed_is_a_failure_in_words(cleanup, status):
    cleanup.deployed()
    cleanup.cloud.state.endpoints[cleanup.name]["EndpointStatus"] = status
    cleanup.function.context.get_remaining_time_in_millis = iter([60_000, 40_000, 20_000]).__next__
    answer = cleanup()
    assert answer["Status"] == "FAILED"
    assert f"is still {status}; delete the stack again when that has ended" in answer["Reason"]
    assert len(cleanup.left()[0]) == 1


def test_an_error_of_aws_is_told(cleanup, monkeypatch):
    def refuses(*_):
        raise PermissionError("é" * 5000)

    monkeypatch.setattr(cleanup.function.module, "remove_serving", refuses)
    answer = cleanup()
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("PermissionError: é")


@pytest.mark.parametrize(
    "properties",
    [{}, {"EndpointName": "../x", "ModelPackageGroupName": "x"}, {"EndpointName": 1}, {"EndpointName": None}],
)
def test_properties_that_are_none_are_a_failure_too(cleanup, properties):
    answer = cleanup(ResourceProperties=properties)
    assert answer["Status"] == "FAILED"
    assert "EndpointName" in answer["Reason"] or "ModelPackageGroupName" in answer["Reason"]
    assert answer["PhysicalResourceId"]
    assert cleanup.function.changes == []


def test_an_answer_that_does_not_arrive_is_sent_again(cleanup, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    cleanup.answers.failing = 2
    assert cleanup()["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    "changes",
    [
        {"ResponseURL": "file:///etc/passwd"},
        {"RequestType": "Drop"},
        {"StackId": "arn:aws:cloudformation:eu-west-1:999999999999:stack/acme-prod-churn/1"},
        {"StackId": "churn"},
        {"ResourceProperties": None},
    ],
)
def test_what_is_no_request_of_our_cloudformation_is_refused(cleanup, changes):
    with pytest.raises(ValueError, match=f"{next(iter(changes))}:"):
        cleanup.function.invoke(event("stack_deleted") | changes)
    assert cleanup.function.changes == []
