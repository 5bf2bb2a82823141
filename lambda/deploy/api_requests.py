"""SageMaker requests for one version of one model. Pure: settings and a version in, request bodies out."""

import hashlib
import json
from typing import Any

from settings import Settings

VARIANT = "AllTraffic"
TERMINATION_WAIT_SECONDS = 60
EXECUTION_TIMEOUT_SECONDS = 3600


def model(settings: Settings, version: int, package_arn: str) -> dict[str, Any]:
    """CreateModel: image, artifact and environment come from the model package, the network from the settings."""
    made: dict[str, Any] = {
        "ModelName": f"{settings.endpoint}-v{version}",
        "ExecutionRoleArn": settings.serving.role_arn,
        "PrimaryContainer": {"ModelPackageName": package_arn},
    }
    if settings.serving.vpc_config:
        made["VpcConfig"] = settings.serving.vpc_config
    return made


def endpoint_config(settings: Settings, version: int) -> dict[str, Any]:
    """CreateEndpointConfig; its name carries a digest of its content, so that a changed setting is a new configuration."""
    serving = settings.serving
    variant: dict[str, Any] = {"VariantName": VARIANT, "ModelName": f"{settings.endpoint}-v{version}"}
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
    suffix = f"-v{version}-{digest}"
    return {"EndpointConfigName": settings.endpoint[: 63 - len(suffix)] + suffix} | made


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


def scaling(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """RegisterScalableTarget and PutScalingPolicy of the endpoint's variant."""
    where = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{settings.endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    limits = settings.serving.scaling
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


def _capture(settings: Settings) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": settings.serving.capture_percent,
        "DestinationS3Uri": settings.serving.capture_uri.rstrip("/"),
        "KmsKeyId": settings.serving.kms_key_arn,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }
