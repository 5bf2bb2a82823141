"""lambda/endpoint_cleanup: deletes what was deployed, and always responds to CloudFormation."""

import http.server
import json
import threading

import pytest

from .cloud import ROLE, event


class Responses(http.server.ThreadingHTTPServer):
    """The server behind a response URL: keeps each body; the first `failing` requests get a 503."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Put)
        self.received, self.failing = [], 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/response?X-Amz-Signature=0a1b"


class _Put(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 503 if self.server.failing > 0 else 200
        self.server.failing -= 1
        if status == 200:
            self.server.received.append((json.loads(body), self.headers["Content-Type"], len(body)))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def responses():
    with Responses() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


class Cleanup:
    """The function, and the resources of an endpoint."""

    def __init__(self, cloud, function, responses, monkeypatch):
        self.cloud, self.function, self.responses, self.name = cloud, function, responses, cloud.name
        self.sagemaker = cloud.client("sagemaker")
        monkeypatch.setattr("removal.POLL_SECONDS", 0.01)
        # A second less at each look: no loop is endless.
        function.context.get_remaining_time_in_millis = iter(range(120_000, 0, -1_000)).__next__

    def __call__(self, **changes):
        """Handle a request; the response."""
        request = self.cloud.event("stack_deleted", ResponseURL=self.responses.url) | changes
        self.function.invoke(request)
        (response, content_type, size) = self.responses.received.pop()
        assert content_type == ""
        assert size <= 4096
        assert {k: response[k] for k in ("StackId", "RequestId", "LogicalResourceId")} == {
            k: request[k] for k in ("StackId", "RequestId", "LogicalResourceId")
        }
        return response

    def deployed(self, name=None):
        """Register a version and serve it under `name`."""
        name = name or self.name
        self.sagemaker.create_model_package_group(ModelPackageGroupName=name)
        version = self.sagemaker.create_model_package(ModelPackageGroupName=name, ModelApprovalStatus="Approved")
        arn = version["ModelPackageArn"]
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
        """Names of the remaining endpoints, configurations, models and versions of the model."""
        state, name = self.cloud.state, self.name
        tables = (state.endpoints, state.endpoint_configs, state.models, state.packages)
        return [[key for key in table if name in key] for table in tables]


@pytest.fixture
def cleanup(cloud, load, responses, monkeypatch):
    return Cleanup(cloud, load("endpoint_cleanup"), responses, monkeypatch)


def test_deleted_stack_deletes_endpoint_and_versions(cleanup):
    cleanup.deployed()
    response = cleanup()
    assert (response["Status"], response["PhysicalResourceId"]) == ("SUCCESS", cleanup.name)
    assert cleanup.left() == [[], [], [], []]


def test_versions_are_kept_without_delete_versions(cleanup):
    cleanup.deployed()
    properties = cleanup.cloud.event("stack_deleted")["ResourceProperties"]
    assert cleanup(ResourceProperties=properties | {"DeleteVersions": "false"})["Status"] == "SUCCESS"
    assert [len(names) for names in cleanup.left()] == [0, 0, 0, 1]
    assert properties.pop("DeleteVersions")
    assert cleanup(ResourceProperties=properties)["Status"] == "SUCCESS"
    assert [len(names) for names in cleanup.left()] == [0, 0, 0, 1]


def test_model_with_similar_name_keeps_its_endpoint(cleanup):
    """`churn-v2` is not version 2 of `churn`."""
    other = f"{cleanup.name}-v2"
    cleanup.deployed()
    cleanup.deployed(other)
    cleanup()
    assert [len(names) for names in cleanup.left()] == [1, 1, 1, 1]
    assert cleanup.left()[1] == [f"{other}-v1-0a1b2c3d"]


def test_scalable_target_is_deregistered_before_endpoint_is_deleted(cleanup):
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
    assert cleanup.function.changes[:5] == [
        "SendMessage",
        "DeleteAlarms",
        *["DeregisterScalableTarget"] * 2,
        "DeleteEndpoint",
    ]


@pytest.mark.parametrize("status", ["Failed", "OutOfService", "UpdateRollbackFailed"])
def test_endpoint_that_serves_nothing_is_deleted(cleanup, status):
    cleanup.deployed()
    cleanup.cloud.state.endpoints[cleanup.name]["EndpointStatus"] = status
    assert cleanup()["Status"] == "SUCCESS"
    assert cleanup.left() == [[], [], [], []]


def test_record_says_what_is_about_to_be_deleted(cleanup):
    cleanup(), cleanup()
    records = cleanup.cloud.records("deletion")
    assert [record["subject"] for record in records] == [cleanup.cloud.event("stack_deleted")["StackId"]]
    assert records[0]["facts"] == {
        "what": "what was deployed for the stack of the model",
        "endpoint": cleanup.name,
        "model_package_group": cleanup.name,
        "versions_deleted": True,
    }


def test_refused_deletion_fails_with_reason(cleanup, dies):
    cleanup.deployed()
    with dies("DeleteModel", False, "the model is in use"):
        response = cleanup()
    assert response["Status"] == "FAILED"
    assert "the model is in use" in response["Reason"]
    assert cleanup()["Status"] == "SUCCESS"


@pytest.mark.parametrize("times", [1, 2])
def test_deletion_without_endpoint_succeeds(cleanup, times):
    assert [cleanup()["Status"] for _ in range(times)] == ["SUCCESS"] * times


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_create_and_update_delete_nothing(cleanup, kind):
    cleanup.deployed()
    response = cleanup(RequestType=kind)
    assert (response["Status"], response["PhysicalResourceId"]) == ("SUCCESS", cleanup.name)
    assert cleanup.function.changes.count("DeleteEndpoint") == 0


def test_changed_endpoint_name_is_new_physical_id(cleanup):
    response = cleanup(RequestType="Update", PhysicalResourceId="the-one-before")
    assert response["PhysicalResourceId"] == cleanup.name
    assert cleanup(PhysicalResourceId="the-one-before")["PhysicalResourceId"] == "the-one-before"


@pytest.mark.parametrize("status", ["Updating", "Creating", "SystemUpdating"])
def test_endpoint_update_in_progress_fails_with_reason(cleanup, status, monkeypatch):
    cleanup.deployed()
    slept = []
    monkeypatch.setattr("removal.time.sleep", slept.append)
    cleanup.cloud.state.endpoints[cleanup.name]["EndpointStatus"] = status
    remaining = iter([60_000, 25_000, 24_999])
    cleanup.function.context.get_remaining_time_in_millis = remaining.__next__
    response = cleanup()
    assert next(remaining, None) is None
    assert slept == [0.01] * 2
    assert response["Status"] == "FAILED"
    assert f"is still {status}; delete the stack again when that has ended" in response["Reason"]
    assert len(cleanup.left()[0]) == 1


def test_aws_error_is_reported_to_cloudformation(cleanup, monkeypatch):
    def refuses(*_):
        raise PermissionError("é" * 5000)

    monkeypatch.setattr(cleanup.function.module, "remove_serving", refuses)
    response = cleanup()
    assert response["Status"] == "FAILED"
    assert response["Reason"].startswith("PermissionError: é")


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"EndpointName": "../x", "ModelPackageGroupName": "x"},
        {"EndpointName": 1},
        {"EndpointName": None},
        {"EndpointName": "x" * 64, "ModelPackageGroupName": "x"},
        {"EndpointName": "x", "ModelPackageGroupName": "x" * 64},
    ],
)
def test_invalid_properties_fail_with_reason(cleanup, properties):
    response = cleanup(ResourceProperties=properties)
    assert response["Status"] == "FAILED"
    assert "EndpointName" in response["Reason"] or "ModelPackageGroupName" in response["Reason"]
    assert response["PhysicalResourceId"]
    assert cleanup.function.changes == []


def test_response_is_retried_after_http_error(cleanup, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    cleanup.responses.failing = 2
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
def test_event_that_is_no_cloudformation_request_is_refused(cleanup, changes):
    with pytest.raises(ValueError, match=f"{next(iter(changes))}:"):
        cleanup.function.invoke(event("stack_deleted") | changes)
    assert cleanup.function.changes == []
