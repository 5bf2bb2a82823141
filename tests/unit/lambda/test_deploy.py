"""lambda/deploy: the endpoint goes to the newest approved version, whatever state it is in, and the auditor reads of it."""

import json

import pytest
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, REGION, ROLE, message, policy

SENT = {"SentTimestamp": "1795497689050"}
RECORD = "deployments/20261124T052129Z"
TARGET = "sagemaker:variant:DesiredInstanceCount"


class Deployments:
    """The deploy function and the endpoint it moves."""

    def __init__(self, cloud, function):
        self.cloud, self.function, self.name = cloud, function, cloud.name
        self.sagemaker = cloud.client("sagemaker")
        self.sagemaker.create_model_package_group(ModelPackageGroupName=self.name)

    def register(self, status="Approved"):
        """Register a version; its number."""
        arn = self.sagemaker.create_model_package(
            ModelPackageGroupName=self.name,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [{"Image": "image", "ModelDataUrl": "s3://artifacts/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            CustomerMetadataProperties={"data_digest": "0a1b"},
        )["ModelPackageArn"]
        return int(arn.rpartition("/")[2])

    def send(self, name="version_approved", **attributes):
        """Handle one message; what the function says it did, or None when the message goes back."""
        record = self.cloud.message(name, **SENT | attributes)
        failed = self.function(record)
        assert failed in ([], [record["messageId"]])
        lines = self.function.logged()
        return lines[-1] if not failed else None

    def endpoint(self):
        return self.sagemaker.describe_endpoint(EndpointName=self.name)

    def settle(self, status="InService", rolled_back=False):
        """End the deployment that is under way."""
        record = self.cloud.state.endpoints[self.name]
        pending = record.pop("PendingDeploymentSummary", record)["EndpointConfigName"]
        record["EndpointStatus"] = status
        if rolled_back or status == "Failed":
            record["FailureReason"] = "alarms are in ALARM"
        if not rolled_back:
            record["EndpointConfigName"] = pending

    def live(self):
        """Version that answers now."""
        config = self.sagemaker.describe_endpoint_config(EndpointConfigName=self.endpoint()["EndpointConfigName"])
        model = self.sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        return int(model["PrimaryContainer"]["ModelPackageName"].rpartition("/")[2])

    def calls(self, operation):
        return [parameters for name, parameters in self.function.calls if name == operation]

    def target(self):
        found = self.cloud.client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{self.name}/variant/AllTraffic"]
        )["ScalableTargets"]
        return found[0] if found else None


@pytest.fixture
def deploy(cloud, load):
    return Deployments(cloud, load("deploy"))


@pytest.fixture
def live(deploy):
    """With version 1 in service."""
    deploy.register()
    deploy.send()
    deploy.settle()
    deploy.function.calls.clear()
    return deploy


def scale(deploy, minimum=1, maximum=4):
    deploy.cloud.configure(scaling={"minimum": minimum, "maximum": maximum, "invocations_per_instance": 500})


def test_the_first_version_makes_the_endpoint(deploy):
    deploy.register()
    said = deploy.send()
    assert (said["message"], said["version"]) == ("deploying", 1)
    assert deploy.endpoint()["EndpointStatus"] == "Creating"
    assert deploy.live() == 1
    model = deploy.sagemaker.describe_model(ModelName=f"{deploy.name}-v1")
    assert model["ExecutionRoleArn"] == ROLE


def test_nothing_is_deployed_before_something_is_approved(deploy):
    deploy.register("PendingManualApproval")
    assert deploy.send("manual")["message"] == "nothing is approved"
    assert deploy.function.changes == []


def test_the_newest_approved_version_is_deployed_not_the_one_of_the_event(live):
    live.register()
    live.register()
    live.register("Rejected")
    said = live.send()
    assert (said["message"], said["version"]) == ("deploying", 3)
    (request,) = live.calls("UpdateEndpoint")
    assert request["DeploymentConfig"]["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "endpoint-errors"}]}
    assert live.endpoint()["PendingDeploymentSummary"]["EndpointConfigName"] == request["EndpointConfigName"]


def test_a_version_that_is_live_is_left_alone(live):
    assert live.send()["message"] == "already live"
    assert live.calls("UpdateEndpoint") == live.calls("CreateEndpoint") == []


@pytest.mark.parametrize("minimum", [1, 2])
def test_traffic_moves_in_two_steps_where_there_are_instances_to_split(live, minimum):
    scale(live, minimum, 4)
    live.register()
    live.send()
    policy = live.calls("UpdateEndpoint")[0]["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    routing = policy["TrafficRoutingConfiguration"]
    assert routing["WaitIntervalInSeconds"] == 600
    assert routing["Type"] == ("CANARY" if minimum > 1 else "ALL_AT_ONCE")
    assert policy["MaximumExecutionTimeoutInSeconds"] == 4200


def test_changed_settings_are_deployed_with_the_same_version(live):
    live.cloud.configure(instance="ml.m5.xlarge")
    before = live.endpoint()["EndpointConfigName"]
    assert live.send("manual")["message"] == "deploying"
    live.settle()
    assert live.endpoint()["EndpointConfigName"] != before
    assert live.live() == 1


def test_a_deployment_on_its_way_is_not_started_again(live):
    live.register()
    live.send()
    assert live.send()["message"] == "already on its way"
    assert len(live.calls("UpdateEndpoint")) == 1


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack"])
def test_a_version_that_arrives_during_a_change_is_deployed_when_that_has_ended(live, status):
    live.cloud.state.endpoints[live.name]["EndpointStatus"] = status
    live.register()
    assert live.send()["message"] == "waits until the endpoint is in service"
    assert live.calls("UpdateEndpoint") == []
    live.settle()
    said = live.send("endpoint_in_service")
    assert (said["message"], said["version"]) == ("deploying", 2)


def test_the_end_of_a_deployment_starts_none(live):
    live.register()
    live.send()
    live.settle()
    assert live.send("endpoint_in_service")["message"] == "already live"
    assert len(live.calls("UpdateEndpoint")) == 1


def test_a_version_that_is_rejected_on_its_way_goes_back_when_it_has_arrived(live):
    live.register()
    live.send()
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{live.name}/2"
    live.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    assert live.send("manual")["message"] == "waits until the endpoint is in service"
    live.settle()
    assert (live.send("endpoint_in_service")["message"], live.live()) == ("deploying", 2)
    # One that cannot be gone back to is not tried for ever.
    live.settle(rolled_back=True)
    assert live.send("endpoint_in_service")["message"] == "the deployment was rolled back"
    live.send("manual")
    live.settle()
    assert (live.send("endpoint_in_service")["message"], live.live()) == ("already live", 1)


def test_a_deployment_that_was_rolled_back_is_not_repeated_by_its_own_end(live):
    live.register()
    live.send()
    live.settle(rolled_back=True)
    said = live.send("endpoint_in_service")
    assert (said["message"], said["why"]) == ("the deployment was rolled back", "alarms are in ALARM")
    assert len(live.calls("UpdateEndpoint")) == 1
    assert live.send("manual")["message"] == "deploying"


def test_after_a_roll_back_the_next_version_is_deployed(live):
    live.register()
    live.send()
    live.settle(rolled_back=True)
    live.register()
    assert live.send()["version"] == 3


def test_an_endpoint_that_never_came_up_gives_way_to_the_next_version(deploy):
    deploy.register()
    deploy.send()
    deploy.settle("Failed")
    deploy.register()
    assert deploy.send() is None
    with pytest.raises(ClientError, match="Could not find"):
        deploy.endpoint()
    assert deploy.send(ApproximateReceiveCount="2")["message"] == "deploying"
    assert deploy.live() == 2


def test_an_endpoint_that_never_came_up_is_not_made_again_by_its_own_event(deploy):
    deploy.register()
    deploy.send()
    deploy.settle("Failed")
    body = deploy.cloud.event("endpoint_in_service")
    body["detail"]["EndpointStatus"] = "FAILED"
    assert deploy.function(message(body)) == []
    said = deploy.function.logged()[-1]
    assert (said["message"], said["why"]) == ("the endpoint could not be created", "alarms are in ALARM")
    assert len(deploy.calls("CreateEndpoint")) == 1


def test_a_version_that_waited_for_an_endpoint_that_then_failed_is_deployed(deploy):
    deploy.register()
    deploy.send()
    deploy.register()
    assert deploy.send()["message"] == "waits until the endpoint is in service"
    deploy.settle("Failed")
    body = deploy.cloud.event("endpoint_in_service")
    body["detail"]["EndpointStatus"] = "FAILED"
    record = message(body)
    assert deploy.function(record) == [record["messageId"]]
    record["attributes"]["ApproximateReceiveCount"] = "2"
    assert deploy.function(record) == []
    assert deploy.live() == 2


def test_a_message_waits_for_the_deletion_of_the_endpoint(live):
    live.cloud.state.endpoints[live.name]["EndpointStatus"] = "Deleting"
    assert live.send() is None
    assert "CreateEndpoint" not in live.function.changes


def test_the_event_of_an_endpoint_that_is_gone_does_not_bring_it_back(live):
    live.sagemaker.delete_endpoint(EndpointName=live.name)
    live.function.calls.clear()
    assert live.send("endpoint_in_service")["message"] == "the endpoint is no longer there"
    assert live.calls("CreateEndpoint") == []


def test_what_a_version_is_and_that_it_went_live_is_written_once(live):
    live.send()
    live.send("manual", SentTimestamp="1795497700000")
    assert live.cloud.objects("versions/") == ["versions/1.json"]
    assert live.cloud.objects("deployments/") == [f"{RECORD}-v1.json"]
    version, deployment = live.cloud.read("versions/1.json"), live.cloud.read(f"{RECORD}-v1.json")
    assert version["CustomerMetadataProperties"] == {"data_digest": "0a1b"}
    assert deployment["EndpointConfigName"] == live.endpoint()["EndpointConfigName"]
    assert deployment["request"] == "844e2571-85d4-695f-b930-0153b71dcb42"
    assert deployment["previous"] is None
    assert deployment["approved_by"] == "automatic: the environment's approval policy"


def test_a_record_says_what_was_there_before_and_who_approved(live):
    before = live.endpoint()["EndpointConfigName"]
    live.register()
    person = {"IamIdentity": {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/people/ann"}}
    live.cloud.state.packages[f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model-package/{live.name}/2"][
        "LastModifiedBy"
    ] = person
    live.send()
    record = live.cloud.read(f"{RECORD}-v2.json")
    assert (record["previous"], record["approved_by"]) == (before, person["IamIdentity"]["Arn"])


def test_a_function_that_dies_before_its_record_writes_it_at_the_next_attempt(live, monkeypatch):
    live.register()
    record = live.cloud.message("version_approved", **SENT)

    def dies(*_):
        raise ConnectionError("S3")

    with monkeypatch.context() as patch:
        patch.setattr("reconcile.write_deployment", dies)
        assert live.function(record) == [record["messageId"]]
    record["attributes"]["ApproximateReceiveCount"] = "2"
    assert live.function(record) == []
    assert live.cloud.objects("deployments/") == [f"{RECORD}-v1.json", f"{RECORD}-v2.json"]
    assert len(live.calls("UpdateEndpoint")) == 1


def test_automatic_scaling_begins_when_the_endpoint_is_in_service(deploy):
    scale(deploy)
    deploy.register()
    deploy.send()
    assert deploy.target() is None
    deploy.settle()
    deploy.send("endpoint_in_service")
    assert (deploy.target()["MinCapacity"], deploy.target()["MaxCapacity"]) == (1, 4)
    (policy,) = deploy.calls("PutScalingPolicy")
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 500.0


def test_an_update_keeps_the_instances_that_scaling_has_added(live):
    scale(live)
    live.send("endpoint_in_service")
    live.register()
    live.send()
    (request,) = live.calls("UpdateEndpoint")
    assert request["RetainAllVariantProperties"] is True
    assert request["ExcludeRetainedVariantProperties"] == [{"VariantPropertyType": "DataCaptureConfig"}]
    assert live.target()


def test_scaling_is_taken_off_before_an_update_to_another_instance_type(live):
    scale(live)
    live.send("endpoint_in_service")
    live.cloud.configure(instance="ml.c5.xlarge")
    live.function.calls.clear()
    live.send("manual")
    assert live.target() is None
    changes = live.function.changes
    assert changes.index("DeregisterScalableTarget") < changes.index("UpdateEndpoint")
    live.settle()
    live.send("endpoint_in_service")
    assert live.target()


def test_scaling_ends_when_the_settings_have_none(live):
    scale(live)
    live.send("endpoint_in_service")
    scale(live, 1, 1)
    live.send("manual")
    assert live.target() is None


def test_a_serverless_endpoint_has_neither_instances_nor_capture(deploy):
    deploy.cloud.configure(mode="serverless")
    deploy.register()
    deploy.send()
    (config,) = deploy.calls("CreateEndpointConfig")
    (variant,) = config["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert not {"InstanceType", "InitialInstanceCount"} & set(variant)
    assert not {"DataCaptureConfig", "KmsKeyId"} & set(config)


@pytest.mark.parametrize("percent", [0, 25])
def test_requests_and_answers_are_captured_as_the_settings_say(deploy, percent):
    deploy.cloud.configure(capture_percent=percent)
    deploy.register()
    deploy.send()
    (config,) = deploy.calls("CreateEndpointConfig")
    if percent == 0:
        assert "DataCaptureConfig" not in config
        return
    capture = config["DataCaptureConfig"]
    assert (capture["InitialSamplingPercentage"], capture["EnableCapture"]) == (25, True)
    assert capture["DestinationS3Uri"] == f"s3://{deploy.cloud.bucket}/{deploy.cloud.model}/captured"
    assert {option["CaptureMode"] for option in capture["CaptureOptions"]} == {"Input", "Output"}


def test_names_fit_sagemaker_for_the_longest_model_and_stay_apart(load, cloud):
    load("deploy")
    import api_requests
    from settings import Settings

    endpoint = "a" * 18 + "-production-" + "m" * 24
    settings = Settings.model_validate(cloud.settings | {"endpoint": endpoint})
    names = {
        name
        for version in (1, 99999)
        for name in (
            api_requests.model_name(settings, version),
            api_requests.endpoint_config(settings, version)["EndpointConfigName"],
        )
    }
    assert len(names) == 4
    assert max(map(len, names)) <= 63


def test_a_bad_message_holds_back_no_other(deploy):
    deploy.register()
    bad, good = message("[]"), deploy.cloud.message("version_approved")
    assert deploy.function(bad, good) == [bad["messageId"]]
    assert deploy.live() == 1


def test_one_call_finds_the_newest_of_many_versions(live):
    for _ in range(120):
        last = live.register()
    assert live.send()["version"] == last
    assert len(live.calls("ListModelPackages")) == 1


def test_sagemakers_own_events_are_taken_as_the_rule_delivers_them(deploy, cloud):
    """From the embedded SageMaker through the event bus; what AWS documents is in events/."""
    sqs, events, name = cloud.client("sqs"), cloud.client("events"), f"{cloud.model}-events"
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    queue = sqs.create_queue(QueueName=name, Attributes={"Policy": policy(allowed)})["QueueUrl"]
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
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
