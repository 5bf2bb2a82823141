"""The IAM policy for whoever runs `model-factory acceptance` in an environment."""

from collections.abc import Iterable
from typing import Any

from model_factory.core.names import ModelNames
from model_factory.functions.shared.endpoints import name_stem


def policy(names: ModelNames) -> dict[str, Any]:
    """A policy document that allows exactly what a run does, with the resources of one model and a temporary queue."""
    statements = [*_sagemaker(names), *_storage(names), *_messages(names)]
    return {"Version": "2012-10-17", "Statement": statements}


def _sagemaker(names: ModelNames) -> Iterable[dict[str, Any]]:
    arn, stem = names.environment.arn, name_stem(names.endpoint)
    pipelines = [arn("sagemaker", f"pipeline/{each}") for each in (names.training_pipeline, names.monitor_pipeline)]
    yield _allow("sagemaker", ["DescribePipeline", "ListPipelineExecutions", "StartPipelineExecution"], pipelines)
    execution = ["DescribePipelineExecution", "ListPipelineExecutionSteps", "ListPipelineParametersForExecution"]
    yield _allow("sagemaker", [*execution, "StopPipelineExecution"], [f"{each}/execution/*" for each in pipelines])
    versions = ["DescribeModelPackage", "UpdateModelPackage", "DeleteModelPackage"]
    yield _allow("sagemaker", versions, [arn("sagemaker", f"model-package/{names.model_package_group}/*")])
    endpoint = ["DescribeEndpoint", "InvokeEndpoint", "DeleteEndpoint"]
    yield _allow("sagemaker", endpoint, [arn("sagemaker", f"endpoint/{names.endpoint}")])
    configurations = ["DescribeEndpointConfig", "DeleteEndpointConfig"]
    yield _allow("sagemaker", configurations, [arn("sagemaker", f"endpoint-config/{stem}-v*")])
    yield _allow("sagemaker", ["DescribeModel", "DeleteModel"], [arn("sagemaker", f"model/{stem}-v*")])
    listing = ["ListEndpoints", "ListEndpointConfigs", "ListModels", "ListModelPackages"]
    yield _allow("sagemaker", listing, ["*"])
    yield _allow("application-autoscaling", ["DeregisterScalableTarget"], ["*"])


def _storage(names: ModelNames) -> Iterable[dict[str, Any]]:
    buckets = [names.environment.bucket_arn(purpose) for purpose in ("data", "artifacts")]
    objects = ["GetObject", "DeleteObject", "DeleteObjectVersion"]
    yield _allow("s3", objects, [f"{bucket}/{names.model}/*" for bucket in buckets])
    yield _allow("s3", ["ListBucket", "ListBucketVersions"], buckets)
    yield _allow("s3", ["PutObject"], [f"{buckets[0]}/{names.model}/raw/*"])


def _messages(names: ModelNames) -> Iterable[dict[str, Any]]:
    environment = names.environment
    queues = [environment.arn("sqs", environment.queue(purpose)) for purpose in ("retrain", "deploy", "recorder")]
    yield _allow("sqs", ["GetQueueUrl", "SendMessage"], queues)
    temporary = [
        "CreateQueue",
        "GetQueueAttributes",
        "SetQueueAttributes",
        "ReceiveMessage",
        "DeleteMessage",
        "DeleteQueue",
    ]
    yield _allow("sqs", temporary, [environment.arn("sqs", f"{environment.prefix}-acceptance-*")])
    topic = environment.arn("sns", environment.alerts_topic)
    yield _allow("sns", ["Subscribe", "Unsubscribe"], [topic, f"{topic}:*"])
    yield _allow("cloudwatch", ["DescribeAlarms"], ["*"])
    yield _allow("cloudwatch", ["SetAlarmState"], [environment.arn("cloudwatch", f"alarm:{names.alarm('drift')}")])
    services = [f"{service}.{environment.region}.{environment.url_suffix}" for service in ("s3", "sqs")]
    key = _allow("kms", ["Decrypt", "GenerateDataKey"], [environment.arn("kms", "key/*")])
    yield key | {"Condition": {"StringEquals": {"kms:ViaService": services}}}


def _allow(service: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [f"{service}:{action}" for action in actions], "Resource": resources}
