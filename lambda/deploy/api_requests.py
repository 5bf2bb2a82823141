"""SageMaker requests for one version of one model. Pure: settings and a version in, request bodies out."""

import hashlib
import json
from typing import Any

from settings import Settings

VARIANT = "AllTraffic"
TERMINATION_WAIT_SECONDS = 60
EXECUTION_TIMEOUT_SECONDS = 3600


def model_name(settings: Settings, version: int) -> str:
    """Name of the SageMaker model of a version."""
    return f"{_stem(settings)}-v{version}"


def version_of(config: dict[str, Any]) -> int:
    """The version that an endpoint configuration of ours serves."""
    return int(config["ProductionVariants"][0]["ModelName"].rpartition("-v")[2])


def model(settings: Settings, version: int, package_arn: str) -> dict[str, Any]:
    """CreateModel: image, artifact and environment come from the model package, the network from the settings."""
    made: dict[str, Any] = {
        "ModelName": model_name(settings, version),
        "ExecutionRoleArn": settings.serving.role_arn,
        "PrimaryContainer": {"ModelPackageName": package_arn},
    }
    if settings.serving.vpc_config:
        made["VpcConfig"] = settings.serving.vpc_config
    return made


def endpoint_config(settings: Settings, version: int) -> dict[str, Any]:
    """CreateEndpointConfig; its name carries a digest of its content, so that a changed setting is a new configuration."""
    serving = settings.serving
    variant: dict[str, Any] = {"VariantName": VARIANT, "ModelName": model_name(settings, version)}
    made: dict[str, Any] = {}
    if serving.mode == "serverless":
        # Serverless endpoints support neither data capture nor a key for disks.
        variant["ServerlessConfig"] = {
            "MemorySizeInMB": serving.serverless.memory_mb,
            "MaxConcurrency": serving.serverless.max_concurrency,
        }
    else:
        variant |= {
            "InstanceType": serving.instance,
            "InitialInstanceCount": serving.scaling.minimum,
            "InitialVariantWeight": 1.0,
        }
        made["KmsKeyId"] = serving.kms_key_arn
        if serving.capture_percent:
            made["DataCaptureConfig"] = _capture(settings)
    made["ProductionVariants"] = [variant]
    digest = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:8]
    return {"EndpointConfigName": f"{_stem(settings)}-v{version}-{digest}"} | made


def deployment(settings: Settings) -> dict[str, Any]:
    """UpdateEndpoint's DeploymentConfig: canary where there are instances to split, rolled back by the alarms."""
    serving = settings.serving
    traffic: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": int(serving.canary.bake)}
    if serving.mode == "realtime" and serving.scaling.minimum > 1:
        traffic |= {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": serving.canary.percent}}
    made: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": traffic,
            "TerminationWaitInSeconds": TERMINATION_WAIT_SECONDS,
            "MaximumExecutionTimeoutInSeconds": EXECUTION_TIMEOUT_SECONDS + int(serving.canary.bake),
        }
    }
    if serving.rollback_alarms:
        alarms = [{"AlarmName": name} for name in serving.rollback_alarms]
        made["AutoRollbackConfiguration"] = {"Alarms": alarms}
    return made


def update(settings: Settings, config_name: str) -> dict[str, Any]:
    """UpdateEndpoint. An endpoint that has scaled out keeps its instances; the configuration says how many to start with."""
    request: dict[str, Any] = {
        "EndpointName": settings.endpoint,
        "EndpointConfigName": config_name,
        "DeploymentConfig": deployment(settings),
    }
    if scales(settings):
        request["RetainAllVariantProperties"] = True
        request["ExcludeRetainedVariantProperties"] = [{"VariantPropertyType": "DataCaptureConfig"}]
    return request


def scales(settings: Settings) -> bool:
    """Whether the number of instances changes with the traffic."""
    limits = settings.serving.scaling
    return settings.serving.mode == "realtime" and limits.maximum > limits.minimum


def scalable_target(settings: Settings) -> dict[str, str]:
    """What Application Auto Scaling calls the endpoint's variant."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{settings.endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def scaling(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """RegisterScalableTarget and PutScalingPolicy of the endpoint's variant."""
    where, limits = scalable_target(settings), settings.serving.scaling
    policy = {
        "PolicyName": f"{settings.endpoint}-invocations",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": float(limits.invocations_per_instance),
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
            },
        },
    }
    return where | {"MinCapacity": limits.minimum, "MaxCapacity": limits.maximum}, where | policy


def _stem(settings: Settings) -> str:
    """What the names of models and configurations begin with; with version and digest they may have 63 characters."""
    return settings.endpoint[:45].rstrip("-")


def _capture(settings: Settings) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": settings.serving.capture_percent,
        "DestinationS3Uri": settings.serving.capture_uri.rstrip("/"),
        "KmsKeyId": settings.serving.kms_key_arn,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }
