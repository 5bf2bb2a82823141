"""lambda/deploy: endpoints that people delete, and the events about what became of their deployments before."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest


def endpoint_event(deploy, status="DELETING", later=0):
    """SageMaker's event about the endpoint as it is now, so many milliseconds later."""
    event, endpoint = deploy.cloud.event("endpoint_deleting", id=uuid.uuid4().hex), deploy.endpoint()
    tags = deploy.sagemaker.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]
    event["detail"] |= {
        "EndpointStatus": status,
        "EndpointConfigName": endpoint["EndpointConfigName"],
        "CreationTime": endpoint["CreationTime"].timestamp() * 1000,
        "LastModifiedTime": milliseconds() + later,
        "Tags": {tag["Key"]: tag["Value"] for tag in tags},
    }
    if reason := endpoint.get("FailureReason"):
        event["detail"]["FailureReason"] = reason
    return event


def deleted(deploy):
    """Delete the endpoint by hand, and handle the event; the last log line."""
    event = endpoint_event(deploy)
    deploy.sagemaker.delete_endpoint(EndpointName=deploy.name)
    return deploy.send_body(event), event


def outcomes(deploy):
    """How the recorded deployments ended, and causes of the alerts."""
    return sorted(record["outcome"] for record in deploy.records()), [alert["cause"] for alert in deploy.alerts()]


def test_endpoint_deleted_by_hand_alerts_and_is_recorded(live):
    line, event = deleted(live)
    assert line["message"] == "the endpoint was deleted by hand"
    (alert,) = live.alerts()
    assert (alert["cause"], alert["version"]) == ("endpoint-deleted", 1)
    assert alert["command"] == f"model-factory redeploy {live.cloud.model} --env prod"
    assert [(record["outcome"], record["version"]) for record in live.records()] == [("deleted", 1)]
    assert live.send_body(event)["message"] == "the endpoint is deleted"
    assert live.alerts() == []
    # An approval that is delivered again creates nothing; a person does.
    assert live.send_version_event(1)["message"] == "the endpoint is no longer there"
    assert live.request()["message"] == "deploying"


@pytest.mark.parametrize("status", ["FAILED", "IN_SERVICE"])
@pytest.mark.parametrize("late", [False, True])
def test_creation_that_ends_before_deletion_is_recorded(deploy, status, late):
    """A person deletes the endpoint before the function handles the event at the end of its creation."""
    deploy.register()
    deploy.send()
    deploy.settle("Failed" if status == "FAILED" else "InService", reason="no capacity")
    ended, deleting = endpoint_event(deploy, status), endpoint_event(deploy, later=1000)
    deploy.sagemaker.delete_endpoint(EndpointName=deploy.name)
    for event in (deleting, ended) if late else (ended, deleting):
        deploy.send_body(event)
    end = "failed" if status == "FAILED" else "succeeded"
    told = [f"deployment-{end}"] if end == "failed" else []
    assert outcomes(deploy) == (
        sorted([end, "deleted"]),
        ["endpoint-deleted", *told] if late else [*told, "endpoint-deleted"],
    )
    for event in (ended, deleting):
        deploy.send_body(event)
    assert sorted(record["outcome"] for record in deploy.records()) == sorted([end, "deleted"])


def test_deleted_endpoint_that_exists_again_is_recorded(deploy):
    """The same version is deployed again before the events about the first endpoint are handled."""
    deploy.register()
    deploy.send()
    deploy.settle(reason=None)
    ended, deleting = endpoint_event(deploy, "IN_SERVICE"), endpoint_event(deploy)
    before = datetime.now(UTC) - timedelta(hours=1)  # records are named by the second
    for event in (ended, deleting):
        event["detail"]["CreationTime"] = before.timestamp() * 1000
        event["detail"]["Tags"]["model-factory:started"] = before.isoformat()
    deploy.sagemaker.delete_endpoint(EndpointName=deploy.name)
    assert deploy.request()["message"] == "deploying"
    for event in (ended, deleting, deleting | {"detail": deleting["detail"] | {"EndpointStatus": "DELETED"}}):
        deploy.send_body(event)
    assert outcomes(deploy) == (["deleted", "succeeded"], ["endpoint-deleted"])


def test_deletion_is_told_when_endpoint_exists_again(live):
    event = endpoint_event(live)
    live.sagemaker.delete_endpoint(EndpointName=live.name)
    live.register()
    assert live.send_version_event(2)["message"] == "deploying"
    live.send_body(event)
    live.send_body(event)
    assert [(alert["cause"], alert["version"]) for alert in live.alerts()] == [("endpoint-deleted", 1)]


def test_end_of_deletion_is_not_told_once_deployed_again(live):
    event = endpoint_event(live, "DELETED")
    live.sagemaker.delete_endpoint(EndpointName=live.name)
    assert live.request()["message"] == "deploying"
    assert live.send_body(event)["message"] == "the endpoint is deleted"
    assert (live.alerts(), live.records()) == ([], [])


def test_deployment_that_ended_before_deletion_is_recorded(live):
    live.register()
    live.send()
    live.settle()
    event = endpoint_event(live, later=1000)  # records are named by the second
    live.sagemaker.delete_endpoint(EndpointName=live.name)
    live.send_body(event)
    assert [record["outcome"] for record in live.records()] == ["succeeded", "deleted"]


@pytest.mark.parametrize("request_again", [True, False])
def test_deletion_by_function_is_no_deletion_by_hand(deploy, request_again):
    """The function deletes a failed endpoint to create it again, with the same configuration or with that of a new version."""
    deploy.register()
    deploy.send()
    deploy.settle("Failed")
    event = endpoint_event(deploy)
    if not request_again:
        deploy.register()
    message = deploy.cloud.event("manual" if request_again else "version_approved")
    assert deploy.send_body(message) is None
    assert [alert["cause"] for alert in deploy.alerts()] == ["deployment-failed"]
    event["detail"] |= {"Tags": tags_at_deletion(deploy), "LastModifiedTime": milliseconds()}
    assert deploy.send_body(event)["message"] == "the endpoint is deleted"
    assert deploy.send_body(message, ApproximateReceiveCount="2")["message"] == "deploying"
    assert deploy.send_body(event)["message"] == "the endpoint is deleted"
    assert deploy.alerts() == []


def tags_at_deletion(deploy):
    """The tags that the function gave the endpoint."""
    added = [
        call["Tags"] for call in deploy.calls("AddTags") if call["ResourceArn"].endswith(f":endpoint/{deploy.name}")
    ]
    return {tag["Key"]: tag["Value"] for tags in added for tag in tags}


def milliseconds():
    return datetime.now(UTC).timestamp() * 1000
