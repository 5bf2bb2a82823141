"""lambda/deploy: which version it deploys, and when, for every state of the endpoint."""

import json

import pytest
from botocore.exceptions import ClientError

from .cloud import ACCOUNT, REGION, ROLE, message, policy


def test_first_approved_version_creates_endpoint(deploy):
    deploy.register()
    line = deploy.send()
    assert (line["message"], line["version"], line["rollback_alarms_left_out"]) == ("deploying", 1, [])
    assert deploy.function.changes == ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
    assert deploy.endpoint()["EndpointStatus"] == "Creating"
    assert deploy.live() == 1
    (model,) = deploy.calls("CreateModel")
    assert model["ExecutionRoleArn"] == ROLE


def test_pending_version_is_not_deployed(deploy):
    deploy.register("PendingManualApproval")
    assert deploy.send("manual")["message"] == "nothing is approved"
    assert deploy.function.changes == []


def test_newest_approved_version_is_deployed_whatever_the_event_names(live):
    live.register()
    live.register()
    live.register("Rejected")
    line = live.send()
    assert (line["message"], line["version"]) == ("deploying", 3)
    (request,) = live.calls("UpdateEndpoint")
    assert request["DeploymentConfig"]["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "endpoint-errors"}]}
    assert live.endpoint()["PendingDeploymentSummary"]["EndpointConfigName"] == request["EndpointConfigName"]


def rollback_alarms(live, *states):
    """Alarms in these states, as the rollback alarms of the model."""
    cloudwatch, names = live.cloud.client("cloudwatch"), [f"{live.name}-{number}" for number in range(len(states))]
    live.cloud.configure(rollback_alarms=names)
    for name, state in zip(names, states, strict=True):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="Test",
            MetricName=name,
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")
    return names


def test_no_rollback_alarm_is_left_out_where_there_is_none(live):
    live.cloud.configure(rollback_alarms=[])
    live.register()
    assert live.send()["rollback_alarms_left_out"] == []


def test_rollback_alarm_in_alarm_is_left_out_and_recorded(live):
    errors, latency = rollback_alarms(live, "ALARM", "OK")
    live.register()
    line = live.send()
    assert line["message"] == "deploying without the rollback alarms that are in ALARM already"
    assert line["rollback_alarms_left_out"] == [errors]
    (request,) = live.calls("UpdateEndpoint")
    assert request["DeploymentConfig"]["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": latency}]}
    live.end()
    assert live.live() == 2
    assert [record["rollback_alarms_left_out"] for record in live.records()] == [[errors]]


def test_deployment_has_no_rollback_when_every_alarm_is_in_alarm(live):
    rollback_alarms(live, "ALARM")
    live.register()
    live.send()
    assert "AutoRollbackConfiguration" not in live.calls("UpdateEndpoint")[0]["DeploymentConfig"]


def test_live_version_is_not_deployed_again(live):
    assert live.send()["message"] == "already live"
    assert live.calls("UpdateEndpoint") == live.calls("CreateEndpoint") == []


def test_changed_settings_deploy_same_version_again(live):
    live.cloud.configure(instance="ml.m5.xlarge")
    before = live.endpoint()["EndpointConfigName"]
    assert live.send("manual")["message"] == "deploying"
    live.settle()
    assert live.endpoint()["EndpointConfigName"] != before
    assert live.live() == 1


def test_deployment_in_progress_is_not_started_again(live):
    live.register()
    live.send()
    assert live.send()["message"] == "already on its way"
    assert len(live.calls("UpdateEndpoint")) == 1


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack"])
def test_version_approved_during_update_is_deployed_after_it(live, status):
    live.cloud.state.endpoints[live.name]["EndpointStatus"] = status
    live.register()
    assert live.send()["message"] == "waits until the endpoint is in service"
    assert live.calls("UpdateEndpoint") == []
    live.settle()
    line = live.send("endpoint_in_service")
    assert (line["message"], line["version"]) == ("deploying", 2)


def test_end_of_deployment_starts_no_deployment(live):
    live.register()
    live.send()
    live.settle()
    assert live.send("endpoint_in_service")["message"] == "already live"
    assert len(live.calls("UpdateEndpoint")) == 1


def test_version_rejected_during_its_deployment_is_reverted_after_it(live):
    live.register()
    live.send()
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{live.name}/2"
    live.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    assert live.send("manual")["message"] == "waits until the endpoint is in service"
    live.settle()
    assert (live.send("endpoint_in_service")["message"], live.live()) == ("deploying", 2)
    # A failed deployment of it is not repeated.
    live.settle(rolled_back=True)
    assert live.send("endpoint_in_service")["message"] == "the deployment was rolled back"
    live.send("manual")
    live.settle()
    assert (live.send("endpoint_in_service")["message"], live.live()) == ("already live", 1)


def test_rolled_back_deployment_is_not_repeated_by_its_event(live):
    live.register()
    live.send()
    live.settle(rolled_back=True)
    line = live.send("endpoint_in_service")
    assert (line["message"], line["why"]) == ("the deployment was rolled back", "alarms are in ALARM")
    assert len(live.calls("UpdateEndpoint")) == 1
    assert live.send("manual")["message"] == "deploying"


def test_next_version_is_deployed_after_rollback(live):
    live.register()
    live.send()
    live.settle(rolled_back=True)
    live.register()
    assert live.send()["version"] == 3


def test_failed_endpoint_is_replaced_by_next_version(deploy):
    deploy.register()
    deploy.send()
    deploy.settle("Failed")
    deploy.register()
    assert deploy.send() is None
    with pytest.raises(ClientError, match="Could not find"):
        deploy.endpoint()
    assert deploy.send(ApproximateReceiveCount="2")["message"] == "deploying"
    assert deploy.live() == 2


def test_failed_endpoint_is_not_created_again_by_its_event(deploy):
    deploy.register()
    deploy.send()
    deploy.settle("Failed")
    body = deploy.cloud.event("endpoint_in_service")
    body["detail"]["EndpointStatus"] = "FAILED"
    assert deploy.function(message(body)) == []
    line = deploy.function.logged()[-1]
    assert (line["message"], line["why"]) == ("the endpoint could not be created", "alarms are in ALARM")
    assert len(deploy.calls("CreateEndpoint")) == 1


def test_version_that_waited_for_failed_endpoint_is_deployed(deploy):
    deploy.register()
    deploy.send()
    deploy.register()
    assert deploy.send()["message"] == "waits until the endpoint is in service"
    deploy.settle("Failed")
    body = deploy.cloud.event("endpoint_in_service")
    body["detail"]["EndpointStatus"] = "FAILED"
    record = message(body)
    assert deploy.function(record) == [record["messageId"]]
    (line,) = [line for line in deploy.function.logged() if line["message"] == "message failed"]
    assert f"{deploy.name} had failed (alarms are in ALARM) and is deleted" in line["exception"]
    record["attributes"]["ApproximateReceiveCount"] = "2"
    assert deploy.function(record) == []
    assert deploy.live() == 2


def test_message_is_retried_while_endpoint_is_deleted(live):
    live.cloud.state.endpoints[live.name]["EndpointStatus"] = "Deleting"
    assert live.send() is None
    assert "CreateEndpoint" not in live.function.changes


def test_event_of_deleted_endpoint_does_not_create_it(live):
    live.sagemaker.delete_endpoint(EndpointName=live.name)
    live.function.calls.clear()
    assert live.send("endpoint_in_service")["message"] == "the endpoint is no longer there"
    assert live.calls("CreateEndpoint") == []


def test_invalid_message_does_not_block_batch(deploy):
    deploy.register()
    bad, good = message("[]"), deploy.cloud.message("version_approved")
    assert deploy.function(bad, good) == []
    assert deploy.live() == 1


def test_newest_of_many_versions_takes_one_list_call(live):
    for _ in range(120):
        last = live.register()
    assert live.send()["version"] == last
    assert len(live.calls("ListModelPackages")) == 1


def test_sagemaker_events_are_accepted_as_eventbridge_delivers_them(deploy, cloud):
    """Events of the embedded SageMaker through EventBridge; `events/` has those that AWS documents."""
    sqs, events, name = cloud.client("sqs"), cloud.client("events"), f"{cloud.model}-events"
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    queue = sqs.create_queue(QueueName=name, Attributes={"Policy": policy(allowed)})["QueueUrl"]
    ready = {"$or": [{"ModelApprovalStatus": ["Approved"]}, {"EndpointStatus": ["IN_SERVICE"]}]}
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.sagemaker"], "detail": ready}))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    deploy.register()
    deploy.send()
    cloud.service.hosting._settle(cloud.state, cloud.state.endpoints[deploy.name], "InService")
    events.remove_targets(Rule=name, Ids=["queue"])
    bodies = []
    while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for one in found:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
        bodies += [one["Body"] for one in found]
    ours = ("SageMaker Model Package State Change", "SageMaker Endpoint State Change")
    sent = [body for body in bodies if json.loads(body)["detail-type"] in ours]
    assert {json.loads(body)["detail-type"] for body in sent} == set(ours)
    assert deploy.function(*[message(body) for body in sent]) == [], deploy.function.logged()
