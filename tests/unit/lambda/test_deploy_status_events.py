"""lambda/deploy: versions that wait for approval, and approvals in the console."""

import uuid

import pytest

BOB = "arn:aws:sts::123456789012:assumed-role/approver/bob"


def version_event(deploy, version, status, **detail):
    """SageMaker's event about a version, with the times that the registry has."""
    event = deploy.cloud.event("version_approved", id=uuid.uuid4().hex)
    package = deploy.cloud.state.packages[deploy.package_arn(version)]
    times = {
        key: f"{package[key]:%Y-%m-%dT%H:%M:%SZ}" for key in ("CreationTime", "LastModifiedTime") if key in package
    }
    event["detail"].pop("LastModifiedTime")
    event["detail"] |= {
        "ModelPackageVersion": version,
        "ModelPackageArn": deploy.package_arn(version),
        "ModelApprovalStatus": status,
        **times,
        **detail,
    }
    return event


def test_new_version_that_waits_alerts_with_command(deploy):
    number = deploy.register("PendingManualApproval")
    package = deploy.cloud.state.packages[deploy.package_arn(number)]
    package["ModelPackageDescription"] = "manual: new labels"
    package["CustomerMetadataProperties"] |= {"metric": "auc", "metric_value": "0.9"}
    line = deploy.send_body(version_event(deploy, number, "PendingManualApproval"))
    assert line["message"] == "a version waits for approval"
    (alert,) = deploy.alerts()
    model = deploy.cloud.model
    assert (alert["cause"], alert["version"], alert["environment"]) == ("version-needs-approval", 1, "prod")
    assert alert["why"] == "manual: new labels; auc 0.9"
    assert alert["command"] == f'model-factory approve {model} --version 1 --env prod --reason "…"'
    assert deploy.cloud.records() == []


@pytest.mark.parametrize("case", ["approved since", "of a delivery"])
def test_version_that_needs_nobody_alerts_nobody(deploy, case):
    number = deploy.register("PendingManualApproval")
    event = version_event(deploy, number, "PendingManualApproval")
    if case == "approved since":
        deploy.set_approval(number, "Approved")
    else:
        description = "promotion: pushed 0a1b2c3d4e5f, delivery 5f0c2b1a-9e8d-4c7f-a1b2-c3d4e5f60718"
        deploy.cloud.state.packages[deploy.package_arn(number)]["ModelPackageDescription"] = description
    deploy.send_body(event)
    assert deploy.alerts() == []


def test_approval_in_console_is_deployed(deploy):
    number = deploy.register("PendingManualApproval")
    deploy.set_approval(number, "Approved", by=BOB)
    event = version_event(deploy, number, "Approved", UpdatedModelPackageFields=["ModelApprovalStatus"])
    assert deploy.send_body(event)["message"] == "deploying"
    deploy.end()
    assert [record["requested_by"] for record in deploy.records()] == [BOB]


def test_approval_by_unknown_person_is_not_automatic(deploy):
    number = deploy.register("PendingManualApproval")
    deploy.set_approval(number, "Approved")
    del deploy.cloud.state.packages[deploy.package_arn(number)]["LastModifiedBy"]
    deploy.send_body(version_event(deploy, number, "Approved", UpdatedModelPackageFields=["ModelApprovalStatus"]))
    deploy.end()
    assert "UpdateModelPackage in CloudTrail" in deploy.records()[0]["requested_by"]


def test_withdrawn_approval_of_live_version_is_reverted(live):
    live.register()
    live.send()
    live.end()
    live.set_approval(2, "PendingManualApproval", by=BOB)
    event = version_event(live, 2, "PendingManualApproval", UpdatedModelPackageFields=["ModelApprovalStatus"])
    assert live.send_body(event)["message"] == "deploying"
    assert "version-needs-approval" in [alert["cause"] for alert in live.alerts()]


def test_update_of_metadata_is_no_approval(live):
    live.register()
    live.send()
    live.end(rolled_back=True)
    live.sagemaker.update_model_package(
        ModelPackageArn=live.package_arn(2), CustomerMetadataProperties={"note": "slow"}
    )
    event = version_event(live, 2, "Approved", UpdatedModelPackageFields=["CustomerMetadataProperties"])
    assert live.send_body(event)["message"] == "the approval has not changed"
    assert live.live() == 1
