"""lambda/deploy: deployments that end, and versions, endpoints and settings that people change: what it does and alerts."""

import importlib

import pytest
from botocore.exceptions import ClientError

from .cloud import message


def test_rolled_back_deployment_alerts_with_reason(live):
    live.register()
    live.send()
    assert live.end(rolled_back=True)["message"] == "the deployment was rolled back"
    live.send("endpoint_in_service")
    (alert,) = live.alerts()
    assert (alert["cause"], alert["version"]) == ("deployment-rolled-back", 2)
    assert alert["why"] == "alarms are in ALARM"
    assert "serves version 1 as before" in alert["done"]
    assert alert["command"] == f"model-factory redeploy {live.cloud.model} --env prod"


def test_rollback_without_reason_alerts(live):
    live.register()
    live.send()
    live.end(rolled_back=True, reason=None)
    assert [(alert["cause"], alert["why"]) for alert in live.alerts()] == [
        ("deployment-rolled-back", "SageMaker gives no reason.")
    ]


def test_failed_creation_alerts_with_reason(deploy):
    deploy.register()
    deploy.send()
    deploy.settle("Failed", reason="no capacity")
    event = deploy.cloud.event("endpoint_in_service")
    event["detail"]["EndpointStatus"] = "FAILED"
    assert deploy.send_body(event)["message"] == "the endpoint could not be created"
    deploy.send_body(event)
    (alert,) = deploy.alerts()
    assert (alert["cause"], alert["why"]) == ("deployment-failed", "no capacity")
    assert [record["outcome"] for record in deploy.records()] == ["failed"]


def test_succeeded_deployment_alerts_nobody(live):
    live.register()
    live.send()
    live.end()
    live.send("endpoint_in_service")
    assert live.alerts() == []


def test_endpoint_that_fails_in_service_alerts(live):
    live.cloud.state.endpoints[live.name] |= {"EndpointStatus": "Failed", "FailureReason": "the container ended"}
    event = live.cloud.event("endpoint_in_service")
    event["detail"]["EndpointStatus"] = "FAILED"
    live.send_body(event)
    assert [(alert["cause"], alert["why"]) for alert in live.alerts()] == [("endpoint-failed", "the container ended")]


def test_endpoint_event_of_removed_model_is_dropped(live):
    live.cloud.client("ssm").delete_parameter(Name=f"/acme/prod/models/{live.cloud.model}")
    assert live.function(message(live.cloud.event("endpoint_deleting"))) == []
    assert live.function.logged() == []
    live.function(message(live.cloud.event("version_approved")))
    assert live.function.logged()[-1]["message"] == "message moved to the dead-letter queue"


def test_refused_deployment_alerts_and_is_tried_by_next_event(live, dies):
    live.register()
    with dies("UpdateEndpoint", carried_out=False, error="the account-level service limit is 0"):
        assert live.send() is None
    (alert,) = live.alerts()
    assert (alert["cause"], alert["version"]) == ("deployment-refused", 2)
    assert "service limit is 0" in alert["why"]
    # Scaling changes the endpoint meanwhile: that is no rollback.
    live.settle(rolled_back=True, reason=None)
    assert live.send("endpoint_in_service")["message"] == "deploying"
    assert live.records() == live.alerts() == []


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ValidationException", 400, True),
        ("ResourceLimitExceeded", 499, True),
        ("ThrottlingException", 400, False),
        ("InternalFailure", 500, False),
        ("Found", 399, False),
    ],
)
def test_throttled_or_failed_call_is_no_refusal(live, code, status, expected):
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error = ClientError(response, "UpdateEndpoint")
    assert importlib.import_module("endpoints").is_refusal(error) is expected


@pytest.mark.parametrize(
    "operation",
    ["DescribeModelPackage", "DescribeEndpointConfig", "CreateModel", "CreateEndpointConfig", "UpdateEndpoint"],
)
def test_throttled_call_returns_message_without_alert(live, dies, operation):
    live.register()
    with dies(operation, False, "Rate exceeded", "ThrottlingException"):
        assert live.function(record := live.cloud.message("version_approved")) == [record["messageId"]]
    assert live.function.failure() == "ClientError"
    assert live.alerts() == []
    assert live.send()["message"] == "deploying"


@pytest.mark.parametrize("approved_again", [1, 2])
def test_rolled_back_version_needs_new_request(live, approved_again):
    live.register()
    live.send()
    live.end(rolled_back=True)
    live.set_approval(1, "Rejected")
    if approved_again == 1:
        live.set_approval(1, "Approved")
    assert live.send_version_event(approved_again)["message"] == "the deployment was rolled back"
    assert live.send_version_event(2)["message"] == "the deployment was rolled back"
    live.set_approval(2, "Rejected")
    live.set_approval(2, "Approved")
    assert live.send_version_event(2)["message"] == "deploying"


def test_deleted_version_is_passed_over(live):
    live.register()
    live.sagemaker.delete_model_package(ModelPackageName=live.package_arn(2))
    assert live.send_version_event(2)["message"] == "already live"
    assert live.live() == 1


def test_changed_metadata_is_no_new_request(live):
    live.register()
    live.send()
    live.end(rolled_back=True)
    live.sagemaker.update_model_package(
        ModelPackageArn=live.package_arn(2), CustomerMetadataProperties={"note": "looked at"}
    )
    assert live.send("endpoint_in_service")["message"] == "the deployment was rolled back"
    assert live.send_version_event(1)["message"] == "the deployment was rolled back"


def test_approval_during_change_is_carried_out_after_it(live):
    live.register()
    live.send()
    live.end(rolled_back=True)
    live.cloud.state.endpoints[live.name]["EndpointStatus"] = "Updating"  # scaling
    live.set_approval(2, "Rejected")
    live.set_approval(2, "Approved")
    assert live.send_version_event(2)["message"] == "waits until the endpoint is in service"
    live.settle(rolled_back=True, reason=None)
    assert live.send("endpoint_in_service")["message"] == "deploying"


def test_repeated_manual_request_deploys_once(live):
    live.register()
    live.send()
    live.end(rolled_back=True)
    request = live.cloud.event("manual", id="1")
    assert live.send_body(request)["message"] == "deploying"
    live.end(rolled_back=True)
    assert live.send_body(request)["message"] == "the deployment was rolled back"
    assert [record["outcome"] for record in live.records()][-1] == "rolled back"


def test_second_request_that_waited_during_deployment_deploys_nothing(live):
    live.register()
    live.send()
    live.end(rolled_back=True)
    second = message(live.cloud.event("manual", id="2"), live.cloud.model)
    assert live.request()["message"] == "deploying"
    live.end(rolled_back=True)
    live.function(second)
    assert live.function.logged()[-1]["message"] == "the deployment was rolled back"


def test_manual_request_during_change_is_carried_out_after_it(live):
    live.register()
    live.send()
    live.end(rolled_back=True)
    live.cloud.state.endpoints[live.name]["EndpointStatus"] = "Updating"  # scaling
    assert live.request()["message"] == "waits until the endpoint is in service"
    live.settle(rolled_back=True, reason=None)
    assert live.send("endpoint_in_service")["message"] == "deploying"


def test_manual_request_for_older_version_is_told(live):
    live.register()
    line = live.request(version=1)
    assert line["message"] == "the requested version is not the newest approved one"
    (alert,) = live.alerts()
    assert (alert["cause"], alert["version"]) == ("request-overtaken", 1)
    assert live.request(version=2)["message"] == "deploying"


def test_record_names_who_asked(live):
    live.register()
    live.request(by="arn:aws:iam::1:user/ann")
    live.end(rolled_back=True)
    live.send_body(live.cloud.event("manual"), SenderId="AROAEXAMPLE:ann")
    live.end()
    # Both start within a second here, so that the second has the name of the first.
    assert live.records()[0]["requested_by"] == "arn:aws:iam::1:user/ann"
    tags = live.sagemaker.list_tags(ResourceArn=config_arn(live))["Tags"]
    assert {"Key": "model-factory:requested-by", "Value": "AROAEXAMPLE:ann"} in tags


def config_arn(live):
    name = live.endpoint()["EndpointConfigName"]
    return live.sagemaker.describe_endpoint_config(EndpointConfigName=name)["EndpointConfigArn"]
