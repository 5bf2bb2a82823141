"""lambda/deploy: deployments that end, and versions, endpoints and settings that people change: what it does and alerts."""

from datetime import UTC, datetime

import boto3
import pytest

from .cloud import ROLE, message, policy


def deleted(deploy):
    """Delete the endpoint by hand, and handle the event; the last log line."""
    event = deploy.cloud.event("endpoint_deleting")
    name = deploy.endpoint()["EndpointConfigName"]
    event["detail"] |= {"EndpointConfigName": name, "LastModifiedTime": milliseconds()}
    deploy.sagemaker.delete_endpoint(EndpointName=deploy.name)
    return deploy.send_body(event), event


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


def test_endpoint_deleted_by_hand_alerts_and_is_recorded(live):
    line, event = deleted(live)
    assert line["message"] == "the endpoint was deleted by hand"
    (alert,) = live.alerts()
    assert (alert["cause"], alert["version"]) == ("endpoint-deleted", 1)
    assert alert["command"] == f"model-factory redeploy {live.cloud.model} --env prod"
    assert [(record["outcome"], record["ModelPackageVersion"]) for record in live.records()] == [("deleted", 1)]
    assert live.send_body(event)["message"] == "the endpoint is deleted"
    assert live.alerts() == []
    # An approval that is delivered again creates nothing; a person does.
    assert live.send_version_event(1)["message"] == "the endpoint is no longer there"
    assert live.request()["message"] == "deploying"


def test_deletion_is_told_when_endpoint_exists_again(live):
    event = live.cloud.event("endpoint_deleting")
    event["detail"] |= {"EndpointConfigName": live.endpoint()["EndpointConfigName"], "LastModifiedTime": milliseconds()}
    live.sagemaker.delete_endpoint(EndpointName=live.name)
    live.register()
    assert live.send_version_event(2)["message"] == "deploying"
    live.send_body(event)
    live.send_body(event)
    assert [(alert["cause"], alert["version"]) for alert in live.alerts()] == [("endpoint-deleted", 1)]


def test_deletion_by_function_is_no_deletion_by_hand(deploy):
    """A failed endpoint is created again with the same configuration, at somebody's request."""
    deploy.register()
    deploy.send()
    deploy.settle("Failed")
    event = deploy.cloud.event("endpoint_deleting")
    event["detail"] |= {
        "EndpointConfigName": deploy.endpoint()["EndpointConfigName"],
        "LastModifiedTime": milliseconds(),
    }
    manual = deploy.cloud.event("manual")
    assert deploy.send_body(manual) is None
    deploy.alerts()
    event["detail"]["LastModifiedTime"] = milliseconds()
    assert deploy.send_body(event)["message"] == "the endpoint is deleted"
    assert deploy.send_body(manual, ApproximateReceiveCount="2")["message"] == "deploying"
    assert deploy.send_body(event)["message"] == "the endpoint is deleted"
    assert deploy.alerts() == []


def test_deployment_that_ended_before_deletion_is_recorded(live):
    live.register()
    live.send()
    live.settle()
    event = live.cloud.event("endpoint_deleting")
    name = live.endpoint()["EndpointConfigName"]
    tags = {
        tag["Key"]: tag["Value"] for tag in live.sagemaker.list_tags(ResourceArn=live.endpoint()["EndpointArn"])["Tags"]
    }
    live.sagemaker.delete_endpoint(EndpointName=live.name)
    # A second later, as the records are named by the second.
    event["detail"] |= {"EndpointConfigName": name, "Tags": tags, "LastModifiedTime": milliseconds() + 1000}
    live.send_body(event)
    assert [record["outcome"] for record in live.records()] == ["succeeded", "deleted"]


def milliseconds():
    return datetime.now(UTC).timestamp() * 1000


def test_failed_endpoint_that_function_deletes_is_no_deletion_by_hand(deploy):
    deploy.register()
    deploy.send()
    deploy.settle("Failed")
    event = deploy.cloud.event("endpoint_deleting")
    event["detail"]["EndpointConfigName"] = deploy.endpoint()["EndpointConfigName"]
    deploy.register()
    assert deploy.send() is None
    assert [alert["cause"] for alert in deploy.alerts()] == ["deployment-failed"]
    assert deploy.send_body(event)["message"] == "the endpoint is deleted"
    assert deploy.alerts() == []


def test_endpoint_event_of_removed_model_is_dropped(live):
    live.cloud.client("ssm").delete_parameter(Name=f"/acme/prod/models/{live.cloud.model}")
    assert live.function(message(live.cloud.event("endpoint_deleting"))) == []
    approved = message(live.cloud.event("version_approved"))
    assert live.function(approved) == [approved["messageId"]]


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


NETWORK = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}


@pytest.fixture(scope="module")
def second_role(local):
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    boto3.client("iam").create_role(RoleName="sagemaker-2", AssumeRolePolicyDocument=policy(trust))


@pytest.mark.usefixtures("second_role")
@pytest.mark.parametrize(
    "change", [{"vpc_config": NETWORK}, {"role_arn": f"{ROLE}-2"}, {"instance": "ml.m5.xlarge"}, {"capture_percent": 5}]
)
def test_changed_settings_deploy_live_version_with_them(live, change):
    live.cloud.configure(**change)
    line = live.send("settings_changed")
    assert (line["message"], line["version"]) == ("deploying", 1)
    assert "DeploymentConfig" in live.calls("UpdateEndpoint")[0]
    live.end()
    assert [record["requested_by"] for record in live.records()] == ["stack: settings of the model"]


def test_network_reaches_the_model(live):
    live.cloud.configure(vpc_config=NETWORK)
    live.send("settings_changed")
    (model,) = live.calls("CreateModel")
    assert model["VpcConfig"] == NETWORK


def test_settings_that_change_back_are_deployed_again(live):
    live.cloud.configure(instance="ml.m5.xlarge")
    live.send("settings_changed")
    live.cloud.configure(instance="ml.m5.large")
    assert live.send("settings_changed")["message"] == "waits until the endpoint is in service"
    assert live.end()["message"] == "deploying"
    live.end()
    assert live.calls("CreateModel")[0]["ModelName"] == live.calls("CreateModel")[-1]["ModelName"]


def test_settings_that_are_not_served_deploy_nothing(live):
    live.cloud.settings["retrain"]["cooldown_seconds"] = 60.0
    live.cloud.configure()
    assert live.send("settings_changed")["message"] == "already live"
    assert live.calls("UpdateEndpoint") == []


def test_settings_of_new_stack_deploy_newest_version(deploy):
    event = deploy.cloud.event("settings_changed")
    event["detail"]["operation"] = "Create"
    assert deploy.send_body(event)["message"] == "nothing is approved"
    deploy.register()
    assert deploy.send("settings_changed")["message"] == "the endpoint is no longer there"
    assert deploy.send_body(event)["message"] == "deploying"


def test_parameter_of_other_prefix_is_refused(deploy):
    event = deploy.cloud.event("settings_changed")
    event["detail"]["name"] = f"/acme/test/models/{deploy.cloud.model}"
    assert deploy.send_body(event) is None


def test_endpoint_without_digest_in_its_names_is_not_redeployed(live):
    """As deployed before models' names had a digest of role and network."""
    record = live.cloud.state.endpoints[live.name]
    config = live.cloud.state.endpoint_configs[record["EndpointConfigName"]]
    import api_requests
    from settings import Settings

    former = api_requests.former_config_name(Settings.model_validate(live.cloud.settings), live.package_arn(1))
    live.cloud.state.endpoint_configs[former] = config | {"EndpointConfigName": former}
    record["EndpointConfigName"] = former
    del live.cloud.state.endpoint_configs[config["EndpointConfigName"]]
    assert live.send()["message"] == "already live"
    assert live.send("settings_changed")["message"] == "deploying"


def test_stale_list_loses_no_approval(live, monkeypatch):
    live.register()
    serve = live.cloud.service.operation

    def stale(name):
        if name != "ListModelPackages":
            return serve(name)
        return lambda service, state, request: {
            "ModelPackageSummaryList": serve(name)(service, state, request)["ModelPackageSummaryList"][1:]
        }

    monkeypatch.setattr(live.cloud.service, "operation", stale)
    line = live.send_version_event(2)
    assert (line["message"], line["version"]) == ("deploying", 2)


def test_version_of_other_group_is_refused(live):
    event = live.cloud.event("version_approved")
    event["detail"]["ModelPackageArn"] = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/acme-prod-other/1"
    assert live.send_body(event) is None


def test_rejected_live_version_is_replaced_and_told(live):
    live.register()
    live.send()
    live.end()
    live.set_approval(2, "Rejected")
    line = live.send_version_event(2, "Rejected")
    assert (line["message"], line["version"]) == ("deploying", 1)
    (alert,) = live.alerts()
    assert (alert["cause"], alert["version"]) == ("live-version-rejected", 2)
    assert "Version 1, the newest approved one, is being deployed" in alert["done"]
    live.end()
    live.send_version_event(2, "Rejected")
    assert (live.live(), live.alerts()) == (1, [])


def test_rejected_only_version_keeps_serving_and_is_told(live):
    live.set_approval(1, "Rejected")
    line = live.send_version_event(1, "Rejected")
    assert line["message"] == "the live version was rejected and no other is approved"
    (alert,) = live.alerts()
    assert alert["cause"] == "no-approved-version"
    assert alert["command"] == f"aws sagemaker delete-endpoint --endpoint-name {live.name}"
    assert live.endpoint()["EndpointStatus"] == "InService"
    # The deletion that this command asks for is no news.
    line, _ = deleted(live)
    assert (line["message"], live.alerts()) == ("the endpoint was deleted by hand", [])


def test_rejected_live_version_stays_when_older_one_was_rolled_back(live):
    live.register()
    live.send()
    live.end(rolled_back=True)
    live.register()
    live.send()
    live.end()
    live.alerts()
    live.set_approval(3, "Rejected")
    assert live.send_version_event(3, "Rejected")["message"] == "the deployment was rolled back"
    (alert,) = live.alerts()
    assert "version 2" in alert["done"].lower()
    assert "was rolled back" in alert["done"]


def test_rejected_version_that_is_not_live_changes_nothing(live):
    live.register("Rejected")
    assert live.send_version_event(2, "Rejected")["message"] == "already live"
    assert live.alerts() == []


def test_rollback_by_rejections_is_not_undone(live):
    """What `model-factory rollback --to 1` does: rejects newer versions in ascending order, then asks for version 1."""
    for _ in range(2):
        live.register()
    live.send()
    live.end()
    assert live.live() == 3
    for version in (2, 3):
        live.set_approval(version, "Rejected")
        live.send_version_event(version, "Rejected")
    assert live.request(version=1)["message"] == "already on its way"
    live.end()
    live.send_version_event(3)
    live.request()
    assert (live.live(), len(live.calls("UpdateEndpoint"))) == (1, 2)


def test_endpoint_changed_by_hand_is_told_and_kept(live):
    live.register()
    live.send()
    live.end()
    record = live.cloud.state.endpoints[live.name]
    older = next(name for name in live.cloud.state.endpoint_configs if name.startswith(f"{live.name}-v1-"))
    record["EndpointConfigName"] = older
    assert live.send("endpoint_in_service")["message"] == "the endpoint was changed by hand"
    (alert,) = live.alerts()
    assert (alert["cause"], alert["version"]) == ("endpoint-changed", 2)
    assert live.request()["message"] == "deploying"
