"""lambda/deploy: endpoint configuration, traffic routing and automatic scaling by the model's settings."""

import hashlib
import json

import pytest


@pytest.mark.parametrize("minimum", [1, 2])
def test_two_instances_deploy_as_canary(live, minimum):
    live.scale(minimum, 4)
    live.register()
    live.send()
    policy = live.calls("UpdateEndpoint")[0]["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    routing = policy["TrafficRoutingConfiguration"]
    assert routing["WaitIntervalInSeconds"] == 600
    assert routing["Type"] == ("CANARY" if minimum > 1 else "ALL_AT_ONCE")
    assert policy["MaximumExecutionTimeoutInSeconds"] == 4860


@pytest.mark.parametrize(
    ("serving", "encrypts"),
    [
        ({}, True),  # settings of an earlier release
        ({"encrypt_volumes": True}, True),
        ({"instance": "ml.g5.xlarge", "encrypt_volumes": False}, False),
    ],
)
def test_key_of_volumes_is_left_out_for_local_storage(deploy, serving, encrypts):
    deploy.cloud.configure(**serving)
    deploy.register()
    deploy.send()
    (config,) = deploy.calls("CreateEndpointConfig")
    assert ("KmsKeyId" in config) is encrypts
    assert deploy.calls("CreateEndpoint")


def test_model_configuration_and_endpoint_have_tags(deploy):
    tags = [{"Key": "model-factory:model", "Value": "churn"}]
    deploy.cloud.settings["tags"] = tags
    deploy.cloud.configure()
    deploy.register()
    deploy.send()
    for operation in ("CreateModel", "CreateEndpointConfig", "CreateEndpoint"):
        (request,) = deploy.calls(operation)
        assert request["Tags"][:1] == tags


def test_other_tags_are_same_configuration(deploy):
    deploy.register()
    deploy.send()
    deploy.settle()
    deploy.cloud.settings["tags"] = [{"Key": "model-factory:model", "Value": "churn"}]
    deploy.cloud.configure()
    deploy.send("manual")
    assert deploy.calls("UpdateEndpoint") == []


def test_scaling_is_registered_when_endpoint_is_in_service(deploy):
    deploy.scale()
    deploy.register()
    deploy.send()
    assert deploy.target() is None
    deploy.settle()
    deploy.send("endpoint_in_service")
    assert (deploy.target()["MinCapacity"], deploy.target()["MaxCapacity"]) == (1, 4)
    (policy,) = deploy.calls("PutScalingPolicy")
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 500.0


def test_update_retains_scaled_instance_count(live):
    live.scale()
    live.send("endpoint_in_service")
    live.register()
    live.send()
    (request,) = live.calls("UpdateEndpoint")
    assert request["RetainAllVariantProperties"] is True
    assert request["ExcludeRetainedVariantProperties"] == [{"VariantPropertyType": "DataCaptureConfig"}]
    assert live.target()


def test_scaling_is_deregistered_before_instance_type_changes(live):
    live.scale()
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


def test_scaling_is_deregistered_when_settings_have_none(live):
    live.scale()
    live.send("endpoint_in_service")
    live.scale(1, 1)
    live.send("manual")
    assert live.target() is None


def test_refused_deregistration_is_repeated_by_queue(live, dies):
    live.scale()
    live.send("endpoint_in_service")
    live.scale(1, 1)
    with dies("DeregisterScalableTarget", False, "not authorized"):
        assert live.send("manual") is None
    assert live.target()


def test_serverless_endpoint_has_no_instances_and_no_capture(deploy):
    deploy.cloud.configure(mode="serverless")
    deploy.register()
    deploy.send()
    (config,) = deploy.calls("CreateEndpointConfig")
    (variant,) = config["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert not {"InstanceType", "InitialInstanceCount"} & set(variant)
    assert not {"DataCaptureConfig", "KmsKeyId"} & set(config)


def test_container_gets_version_that_its_answers_name(deploy):
    deploy.register()
    deploy.send()
    (request,) = deploy.calls("CreateModel")
    assert request["PrimaryContainer"] == {
        "ModelPackageName": deploy.package_arn(1),
        "Environment": {"MODEL_VERSION": "1"},
    }


def test_models_keep_names_they_had_without_version_variable(load, cloud):
    load("deploy")
    import api_requests
    from settings import Settings

    settings, arn = Settings.model_validate(cloud.settings), "arn:aws:sagemaker:r:1:model-package/g/7"
    model = api_requests.model(settings, arn)
    without = {"ExecutionRoleArn": settings.serving.role_arn, "PrimaryContainer": {"ModelPackageName": arn}}
    digest = hashlib.sha256(json.dumps(without, sort_keys=True).encode()).hexdigest()[:8]
    assert model["ModelName"].endswith(f"-v7-{digest}")


@pytest.mark.parametrize("percent", [0, 25])
def test_data_capture_follows_settings(deploy, percent):
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


def test_longest_model_name_gives_distinct_names_within_63_characters(load, cloud):
    load("deploy")
    import api_requests
    from settings import Settings

    endpoint = "a" * 18 + "-production-" + "m" * 24
    settings = Settings.model_validate(cloud.settings | {"endpoint": endpoint})
    names = {
        name
        for arn in ("arn:aws:sagemaker:r:1:model-package/g/1", "arn:aws:sagemaker:r:1:model-package/g/99999")
        for name in (
            api_requests.model(settings, arn)["ModelName"],
            api_requests.endpoint_config(settings, arn)["EndpointConfigName"],
        )
    }
    assert len(names) == 4
    assert max(map(len, names)) <= 63
