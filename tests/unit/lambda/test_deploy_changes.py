"""lambda/deploy: settings that a stack changes, and versions that people approve and reject."""

import pytest

from .cloud import ROLE
from .test_deploy_deletions import deleted

NETWORK = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}


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


def test_refusing_invalid_values_reaches_the_container(live):
    live.cloud.configure(invalid_values="refuse")
    assert live.send("settings_changed")["message"] == "deploying"
    (model,) = live.calls("CreateModel")
    assert model["PrimaryContainer"]["Environment"] == {"MODEL_VERSION": "1", "INVALID_VALUES": "refuse"}


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
    assert deploy.send_body(event)["message"] == "message moved to the dead-letter queue"


@pytest.mark.parametrize("name", ["settings_changed", "endpoint_in_service", "monitor_ended", "challenger_alarm"])
def test_event_of_another_account_is_refused(deploy, name):
    event = deploy.cloud.event(name) | {"account": "999999999999"}
    assert deploy.send_body(event)["message"] == "message moved to the dead-letter queue"


def test_version_event_without_its_arn_deploys_newest(deploy):
    deploy.register()
    event = deploy.cloud.event("version_approved")
    del event["detail"]["ModelPackageArn"]
    assert deploy.send_body(event)["message"] == "deploying"


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
    assert live.send_body(event)["message"] == "message moved to the dead-letter queue"


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
    deleted(live)
    assert [alert["cause"] for alert in live.alerts()] == ["endpoint-deleted"]


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
