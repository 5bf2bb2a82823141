"""Request bodies for the endpoint of one version of one model. Pure: no AWS here."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from settings import Async, Scaling, Settings
from shared.endpoints import (
    CHALLENGER,
    SHADOW,
    TERMINATION_WAIT_SECONDS,
    VARIANT,
    backlog_alarm_name,
    deployment_seconds,
    name_stem,
    scalable_target,
    variants,
)

LONGEST_INVOCATION_SECONDS = 3600
"""Largest InvocationTimeoutSeconds of InvokeEndpointAsync."""

RESPONSE_TIMEOUT = "SAGEMAKER_MODEL_SERVER_TIMEOUT"
"""Variable with which AWS's containers wait longer than 60 seconds for the model (_params.py of sagemaker-containers)."""


def version_of(config: dict[str, Any]) -> int | None:
    """The version that a described endpoint configuration serves; None for a model that `model` did not name."""
    return _version_in(config["ProductionVariants"][0])


def challenger_of(config: dict[str, Any]) -> int | None:
    """The version on trial in a described endpoint configuration; None without one."""
    return next(
        (_version_in(each) for each in variants(config)[1:] if each["VariantName"] in (CHALLENGER, SHADOW)), None
    )


def variant_names(config: dict[str, Any]) -> set[str]:
    """Names of the variants of an endpoint configuration, or of a described endpoint."""
    return {each["VariantName"] for each in variants(config) if "VariantName" in each}


def _version_in(variant: dict[str, Any]) -> int | None:
    number = re.search(r"-v(\d+)(-[0-9a-f]{8})?$", variant["ModelName"])
    return int(number[1]) if number else None


def model(settings: Settings, package_arn: str) -> dict[str, Any]:
    """CreateModel, from the model package, role and VPC configuration; the name has a digest of these.

    The container gets its version, so that its answers can name it. The digest leaves that out, because the name has the version:
    models that were created without it keep their name, and no endpoint is deployed again for it.
    """
    environment = {"INVALID_VALUES": "refuse"} if settings.serving.invalid_values == "refuse" else {}
    if settings.serving.mode == "async":
        environment[RESPONSE_TIMEOUT] = str(LONGEST_INVOCATION_SECONDS)
    request: dict[str, Any] = {
        "ExecutionRoleArn": settings.serving.role_arn,
        "PrimaryContainer": {"ModelPackageName": package_arn, **({"Environment": environment} if environment else {})},
    }
    if settings.serving.vpc_config:
        request["VpcConfig"] = settings.serving.vpc_config
    name = f"{_model_stem(settings, package_arn)}-{_digest(request)}"
    version = {"MODEL_VERSION": package_arn.rpartition("/")[2]}
    container = {"PrimaryContainer": request["PrimaryContainer"] | {"Environment": environment | version}}
    return {"ModelName": name, "Tags": settings.tags} | request | container


def endpoint_config(settings: Settings, package_arn: str, challenger_arn: str | None = None) -> dict[str, Any]:
    """CreateEndpointConfig; the name has a digest of the content, so that changed settings are a new configuration.

    `challenger_arn`: the version on trial, as `serving.challenger` of the settings says.
    """
    challenger = model(settings, challenger_arn)["ModelName"] if challenger_arn else None
    return _endpoint_config(settings, package_arn, model(settings, package_arn)["ModelName"], challenger)


def former_config_name(settings: Settings, package_arn: str) -> str:
    """Name that the same configuration has where it was deployed before the names of models had a digest."""
    return _endpoint_config(settings, package_arn, _model_stem(settings, package_arn))["EndpointConfigName"]


def _model_stem(settings: Settings, package_arn: str) -> str:
    return f"{name_stem(settings.endpoint)}-v{package_arn.rpartition('/')[2]}"


def _digest(request: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:8]


def _endpoint_config(
    settings: Settings, package_arn: str, model_name: str, challenger: str | None = None
) -> dict[str, Any]:
    serving = settings.serving
    variant: dict[str, Any] = {"VariantName": VARIANT, "ModelName": model_name}
    request: dict[str, Any] = {}
    if serving.mode == "serverless":
        # Serverless endpoints support neither data capture nor a key for disks.
        variant["ServerlessConfig"] = {
            "MemorySizeInMB": serving.serverless.memory_mb,
            "MaxConcurrency": serving.serverless.max_concurrency,
        }
    else:
        variant |= {
            "InstanceType": serving.instance,
            # A deployment starts an instance even where there is none afterwards: without, nothing shows that the version works.
            "InitialInstanceCount": max(1, _limits(settings).minimum),
            "InitialVariantWeight": 1.0,
        }
        if serving.encrypt_volumes:  # SageMaker takes no key for instances with local storage
            request["KmsKeyId"] = serving.kms_key_arn
        if serving.mode == "async":
            request["AsyncInferenceConfig"] = _queue(settings)
        elif serving.capture_percent:
            request["DataCaptureConfig"] = _capture(settings)
    request["ProductionVariants"] = [variant]
    if challenger:
        _add_challenger(request, challenger, settings)
    name = f"{_model_stem(settings, package_arn)}-{_digest(request)}"
    return {"EndpointConfigName": name, "Tags": settings.tags} | request  # other tags are no other configuration


def _add_challenger(request: dict[str, Any], model_name: str, settings: Settings) -> None:
    """A shadow variant gets its weight, against that of the production variant, of copies; production variants share requests."""
    rules, live = settings.serving.challenger, request["ProductionVariants"][0]
    if rules is None:
        return
    if rules.mode == "shadow":
        weight = {"InitialVariantWeight": rules.percent / 100}
        request["ShadowProductionVariants"] = [{**live, **weight, "VariantName": SHADOW, "ModelName": model_name}]
        return
    live["InitialVariantWeight"] = float(100 - rules.percent)
    weight = {"InitialVariantWeight": float(rules.percent)}
    request["ProductionVariants"].append({**live, **weight, "VariantName": CHALLENGER, "ModelName": model_name})


def timeout_seconds(settings: Settings, last: int | None) -> int:
    """MaximumExecutionTimeoutInSeconds of a deployment; another one than that of the `last` deployment of the endpoint."""
    seconds = deployment_seconds(settings.serving.canary.bake)
    return seconds + (seconds == last)


def deployment(settings: Settings, alarms: Sequence[str], timeout: int) -> dict[str, Any]:
    """DeploymentConfig of UpdateEndpoint: canary for two instances or more, with automatic rollback by `alarms`."""
    serving = settings.serving
    traffic: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": int(serving.canary.bake)}
    if serving.mode == "realtime" and serving.scaling.minimum > 1:
        traffic |= {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": serving.canary.percent}}
    request: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": traffic,
            "TerminationWaitInSeconds": TERMINATION_WAIT_SECONDS,
            "MaximumExecutionTimeoutInSeconds": timeout,
        }
    }
    if alarms:
        request["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return request


def update(settings: Settings, config_name: str, alarms: Sequence[str], timeout: int) -> dict[str, Any]:
    """UpdateEndpoint, rolled back by `alarms`; with automatic scaling the endpoint keeps its current instance count.

    An asynchronous one does not: it may have no instance, and its requests wait in the queue.

    `timeout`: 0 without guardrails, as SageMaker has none where the names of variants differ.
    """
    request: dict[str, Any] = {"EndpointName": settings.endpoint, "EndpointConfigName": config_name}
    if timeout:
        request["DeploymentConfig"] = deployment(settings, alarms, timeout)
    if settings.serving.mode == "realtime" and scales(settings):
        request["RetainAllVariantProperties"] = True
        own = ("DataCaptureConfig", "DesiredWeight") if settings.serving.challenger else ("DataCaptureConfig",)
        request["ExcludeRetainedVariantProperties"] = [{"VariantPropertyType": each} for each in own]
    return request


def scales(settings: Settings) -> bool:
    """Whether automatic scaling is configured."""
    limits = _limits(settings)
    return settings.serving.mode != "serverless" and limits.maximum > limits.minimum


def scales_to_zero(settings: Settings) -> bool:
    """Whether automatic scaling takes the last instance, too."""
    return scales(settings) and _limits(settings).minimum == 0


def scaling(settings: Settings, variant: str = VARIANT) -> tuple[dict[str, Any], dict[str, Any]]:
    """RegisterScalableTarget and PutScalingPolicy for a variant of the endpoint."""
    target, limits = scalable_target(settings.endpoint, variant), _limits(settings)
    if isinstance(limits, Async):
        name, value = "backlog", limits.backlog_per_instance
        metric = _queue_metric(settings.endpoint, "ApproximateBacklogSizePerInstance") | {"Statistic": "Average"}
        measured = {"CustomizedMetricSpecification": metric}
    else:
        name, value = "invocations", limits.invocations_per_instance
        measured = {"PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}
    policy = {
        "PolicyName": f"{settings.endpoint}-{name}",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {"TargetValue": float(value), **measured},
    }
    return target | {"MinCapacity": limits.minimum, "MaxCapacity": limits.maximum}, target | policy


def first_instance(settings: Settings) -> dict[str, Any]:
    """PutScalingPolicy by which an endpoint without instances gets one, when the alarm of `backlog_alarm` is raised.

    Target tracking alone would wait until the queue is longer than its target (SageMaker developer guide, 'Autoscale an
    asynchronous endpoint').
    """
    return scalable_target(settings.endpoint) | {
        "PolicyName": f"{settings.endpoint}-from-zero",
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": 300,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    }


def backlog_alarm(settings: Settings, policy_arn: str) -> dict[str, Any]:
    """PutMetricAlarm: requests are in the queue and there is no instance. Its action is the scaling policy."""
    return {
        "AlarmName": backlog_alarm_name(settings.endpoint),
        "AlarmDescription": f"{settings.model}: requests wait and there is no instance; Application Auto Scaling adds one.",
        **_queue_metric(settings.endpoint, "HasBacklogWithoutCapacity"),
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
        "AlarmActions": [policy_arn],
    }


def _queue_metric(endpoint: str, name: str) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}]
    return {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": dimensions}


def _limits(settings: Settings) -> Scaling | Async:
    serving = settings.serving
    return serving.async_ if serving.mode == "async" and serving.async_ else serving.scaling


def _queue(settings: Settings) -> dict[str, Any]:
    """AsyncInferenceConfig; without a number of concurrent requests SageMaker chooses one."""
    queue, serving = settings.serving.async_, settings.serving
    if queue is None:
        return {}
    places = {"S3OutputPath": queue.output_uri.rstrip("/"), "S3FailurePath": queue.failure_uri.rstrip("/")}
    request: dict[str, Any] = {"OutputConfig": places | {"KmsKeyId": serving.kms_key_arn}}
    if queue.concurrency:
        request["ClientConfig"] = {"MaxConcurrentInvocationsPerInstance": queue.concurrency}
    return request


def _capture(settings: Settings) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": settings.serving.capture_percent,
        "DestinationS3Uri": settings.serving.capture_uri.rstrip("/"),
        "KmsKeyId": settings.serving.kms_key_arn,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }
