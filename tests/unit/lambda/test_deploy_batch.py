"""lambda/deploy: models with mode batch, which have no endpoint, and models that were one."""

from .cloud import message
from .test_deploy_deletions import deleted


def test_batch_model_has_no_endpoint(deploy):
    deploy.cloud.configure(mode="batch")
    deploy.register()
    line = deploy.send()
    assert (line["message"], line["version"]) == ("nothing to deploy: the newest approved version scores files", 1)
    assert deploy.function.changes == ["AddTags"]  # of the model package group: why there is no endpoint


def test_model_that_was_batch_is_deployed_by_its_settings(deploy):
    deploy.cloud.configure(mode="batch")
    deploy.register()
    deploy.send()
    deploy.cloud.configure(mode="realtime")
    assert deploy.send("settings_changed")["message"] == "deploying"
    deploy.end()
    assert deploy.live() == 1


def test_endpoint_of_an_earlier_mode_is_created_again(live):
    live.cloud.configure(mode="batch")
    live.send("settings_changed")
    live.register()
    live.send()
    live.cloud.configure(mode="realtime")
    assert live.send("settings_changed")["message"] == "deploying"
    live.end()
    assert live.live() == 2


def test_endpoint_deleted_by_hand_after_mode_batch_is_not_created(deploy):
    deploy.cloud.configure(mode="batch")
    deploy.register()
    deploy.send()
    deploy.cloud.configure(mode="realtime")
    deploy.send("settings_changed")
    deploy.end()
    deleted(deploy)
    deploy.cloud.configure(instance="ml.m5.xlarge")
    assert deploy.send("settings_changed")["message"] == "the endpoint is no longer there"


def test_rejected_scoring_version_names_the_next_one(deploy):
    deploy.cloud.configure(mode="batch")
    deploy.register()
    deploy.register("Rejected")
    event = deploy.cloud.event("version_approved")
    event["detail"]["ModelApprovalStatus"] = "Rejected"
    event["detail"]["ModelPackageArn"] = f"{event['detail']['ModelPackageArn'].rpartition('/')[0]}/2"
    assert deploy.function(message(event, deploy.cloud.model)) == []
    (alert,) = deploy.alerts()
    assert alert["cause"] == "live-version-rejected"
    assert alert["done"] == "Version 1 scores the next files. Predictions of version 2 remain."


def test_endpoint_of_an_earlier_mode_is_deleted(live):
    live.cloud.configure(mode="batch")
    assert live.send("settings_changed")["message"] == "the endpoint is being deleted: the mode is batch"
    assert "DeleteEndpoint" in live.function.changes


def test_endpoint_in_a_change_is_deleted_after_it(live):
    live.register()
    live.send()
    live.cloud.configure(mode="batch")
    live.function.calls.clear()
    line = live.send("settings_changed")
    assert line["message"] == "the endpoint is deleted at the end of its change: the mode is batch"
    assert live.function.changes == []
    assert live.end()["message"] == "the endpoint is being deleted: the mode is batch"


def test_rejection_of_older_scoring_version_is_not_told(deploy):
    deploy.cloud.configure(mode="batch")
    deploy.register("Rejected")
    deploy.register()
    deploy.send_version_event(1, "Rejected")
    assert deploy.alerts() == []


def test_batch_model_whose_only_version_is_rejected_has_none_to_score(deploy):
    deploy.cloud.configure(mode="batch")
    deploy.register("Rejected")
    assert "version" not in deploy.send_version_event(1, "Rejected")
    (alert,) = deploy.alerts()
    assert (alert["cause"], alert["version"]) == ("no-approved-version", 1)
    assert "AddTags" not in deploy.function.changes
