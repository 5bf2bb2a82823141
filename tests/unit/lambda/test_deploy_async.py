"""lambda/deploy: models with mode async, their scaling to zero, and changes from one kind of endpoint to another."""

import pytest

QUEUE = {
    "minimum": 0,
    "maximum": 3,
    "backlog_per_instance": 4,
    "concurrency": 2,
    "output_uri": "s3://acme-data/churn/async/output/",
    "failure_uri": "s3://acme-data/churn/async/failure/",
}
ASYNC = {"mode": "async", "capture_percent": 0, "async": QUEUE}


@pytest.fixture
def queued(deploy):
    """A model with mode async, whose first version is live."""
    deploy.cloud.configure(**ASYNC)
    deploy.register()
    deploy.send()
    deploy.end()
    return deploy


def alarms(deploy):
    found = deploy.cloud.client("cloudwatch").describe_alarms(AlarmNames=[f"{deploy.name}-scale-from-zero"])
    return found["MetricAlarms"]


def test_async_endpoint_writes_answers_and_starts_an_instance(queued):
    (config,) = queued.calls("CreateEndpointConfig")
    assert config["AsyncInferenceConfig"] == {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
        "OutputConfig": {
            "S3OutputPath": "s3://acme-data/churn/async/output",
            "S3FailurePath": "s3://acme-data/churn/async/failure",
            "KmsKeyId": queued.cloud.settings["serving"]["kms_key_arn"],
        },
    }
    assert config["ProductionVariants"][0]["InitialInstanceCount"] == 1
    assert "DataCaptureConfig" not in config
    (model,) = queued.calls("CreateModel")
    assert model["PrimaryContainer"]["Environment"]["SAGEMAKER_MODEL_SERVER_TIMEOUT"] == "3600"
    assert queued.live() == 1


def test_async_endpoint_scales_to_zero_and_back(queued):
    assert (queued.target()["MinCapacity"], queued.target()["MaxCapacity"]) == (0, 3)
    tracking, step = queued.calls("PutScalingPolicy")
    target = tracking["TargetTrackingScalingPolicyConfiguration"]
    assert target["TargetValue"] == 4.0
    assert target["CustomizedMetricSpecification"]["MetricName"] == "ApproximateBacklogSizePerInstance"
    assert step["StepScalingPolicyConfiguration"]["StepAdjustments"] == [
        {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}
    ]
    (alarm,) = alarms(queued)
    assert alarm["MetricName"] == "HasBacklogWithoutCapacity"
    (action,) = alarm["AlarmActions"]
    assert action.endswith(f"policyName/{queued.name}-from-zero")


def test_minimum_above_zero_needs_no_alarm(queued):
    queued.cloud.configure(**{"async": QUEUE | {"minimum": 1}})
    queued.send("manual")
    assert queued.target()["MinCapacity"] == 1
    assert alarms(queued) == []


def test_update_starts_instances_of_async_endpoint_again(queued):
    queued.register()
    queued.send()
    (request,) = queued.calls("UpdateEndpoint")
    assert "RetainAllVariantProperties" not in request
    assert request["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]


def change(deploy, **serving):
    """Change the settings: the endpoint is deleted, and the message's next attempt creates it; the last log line."""
    deploy.cloud.configure(**serving)
    assert deploy.send("settings_changed") is None
    assert "DeleteEndpoint" in deploy.function.changes
    assert deploy.name not in deploy.cloud.state.endpoints
    return deploy.send("settings_changed")


@pytest.mark.parametrize("serving", [ASYNC, {"mode": "serverless", "capture_percent": 0}])
def test_realtime_endpoint_is_created_again_for_another_mode(live, serving):
    assert change(live, **serving)["message"] == "deploying"
    live.end()
    assert live.live() == 1
    assert ("AsyncInferenceConfig" in live.endpoint()) == (serving["mode"] == "async")


def test_async_endpoint_is_created_again_as_realtime(queued):
    assert change(queued, mode="realtime")["message"] == "deploying"
    assert queued.target() is None
    assert alarms(queued) == []


def test_serverless_endpoint_is_updated_to_realtime(deploy):
    deploy.cloud.configure(mode="serverless", capture_percent=0)
    deploy.register()
    deploy.send()
    deploy.end()
    deploy.cloud.configure(mode="realtime")
    assert deploy.send("settings_changed")["message"] == "deploying"
    assert len(deploy.calls("UpdateEndpoint")) == 1
