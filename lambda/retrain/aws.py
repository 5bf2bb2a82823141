"""AWS access of the retrain function: pipeline executions, the newest data in S3, and metrics."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime

from shared.clients import client
from shared.executions import Description, Execution, Request
from shared.s3 import split_uri
from shared.settings import ENVIRONMENT

NAMESPACE = os.environ["POWERTOOLS_METRICS_NAMESPACE"]
MAX_EXECUTIONS = 100
"""One page of ListPipelineExecutions. A running execution older than these would not count; nights bring one a day."""
MAX_LISTED_OBJECTS = 50_000
MAX_LISTING_SECONDS = 20
"""Fifty calls of ListObjectsV2 take some ten seconds. The function has sixty for its one message."""


def list_executions(pipeline: str) -> list[Execution]:
    """The newest executions first."""
    response = client("sagemaker").list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=MAX_EXECUTIONS
    )
    return [Execution.of(each) for each in response["PipelineExecutionSummaries"]]


def newest_data(raw_uri: str, newer_than: datetime | None) -> datetime | None:
    """Modification time of the newest object below `raw_uri`; None when there is none.

    Stops at the first object that is newer than `newer_than` (or at any, without it). After MAX_LISTED_OBJECTS or
    MAX_LISTING_SECONDS it returns the current time: to assume new data costs a training, to overlook it would cost more.
    LastModified has whole seconds, and of a multipart upload it is the start: an upload that began before the last training
    started and ended after Prepare listed the data is only noticed with the next object.
    Without `raw_uri` a pipeline of the model's own reads its data elsewhere: the current time, so every trigger trains.
    """
    if not raw_uri:
        return datetime.now(UTC)
    bucket, prefix = split_uri(raw_uri)
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    newest, listed, began = None, 0, time.monotonic()
    for page in pages:
        written = [entry["LastModified"] for entry in page.get("Contents", []) if not entry["Key"].endswith("/")]
        newest = max([*written, newest] if newest else written, default=None)
        listed += len(written)
        if newest and (newer_than is None or newest > newer_than):
            return newest
        if listed >= MAX_LISTED_OBJECTS or time.monotonic() - began > MAX_LISTING_SECONDS:
            return datetime.now(UTC)
    return newest


def start_training(pipeline: str, request: Request) -> str:
    """Start the training pipeline; the execution's ARN. The same request starts it only once."""
    first, *others = request.ids
    response = client("sagemaker").start_pipeline_execution(
        PipelineName=pipeline,
        # 32 characters at least; the id of an SQS message has 36.
        ClientRequestToken=f"retrain-{first:0>24}",
        PipelineExecutionDisplayName=f"{request.kind}-retrain-{first}",
        PipelineExecutionDescription=str(Description(request.reason, tuple(others))),
        PipelineParameters=[
            {"Name": "Trigger", "Value": request.kind},
            {"Name": "Reason", "Value": request.reason},
        ],
    )
    return response["PipelineExecutionArn"]


def set_follow_up(execution: Execution, follow_up: Request | None) -> None:
    """Write what follows the execution into its description; None removes it."""
    client("sagemaker").update_pipeline_execution(
        PipelineExecutionArn=execution.arn,
        PipelineExecutionDescription=str(replace(execution.description, follow_up=follow_up)),
    )


def put_counts(model: str, counts: dict[str, int]) -> None:
    """Publish counts as CloudWatch metrics of the model."""
    dimensions = [{"Name": "Environment", "Value": ENVIRONMENT}, {"Name": "Model", "Value": model}]
    data = [
        {"MetricName": metric, "Dimensions": dimensions, "Value": count, "Unit": "Count"}
        for metric, count in counts.items()
    ]
    client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
