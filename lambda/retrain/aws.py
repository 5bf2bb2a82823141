"""AWS access of the retrain function: pipeline executions, the newest data in S3, and metrics."""

import os
from datetime import UTC, datetime

from decision import Execution
from messages import Trigger
from shared.clients import client
from shared.s3 import split_uri
from shared.settings import ENVIRONMENT

NAMESPACE = os.environ["POWERTOOLS_METRICS_NAMESPACE"]
MAX_EXECUTIONS = 31
MAX_LISTED_OBJECTS = 50_000
"""Fifty calls of ListObjectsV2, some ten seconds of the function's sixty."""


def list_executions(pipeline: str) -> list[Execution]:
    """The newest executions first, one month of nightly trainings at most. `start_training` puts the trigger into their name."""
    response = client("sagemaker").list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=MAX_EXECUTIONS
    )
    return [
        Execution(
            status=each["PipelineExecutionStatus"],
            started=each["StartTime"],
            trigger=each.get("PipelineExecutionDisplayName", "").partition("-")[0],
        )
        for each in response["PipelineExecutionSummaries"]
    ]


def newest_data(raw_uri: str, newer_than: datetime | None) -> datetime | None:
    """Modification time of the newest object below `raw_uri`; None when there is none.

    Stops at the first object that is newer than `newer_than` (or at any, without it). After MAX_LISTED_OBJECTS it returns the
    current time: to assume new data costs a training, to overlook it would cost more. LastModified has whole seconds, and of a
    multipart upload it is the start: an upload that began before the last training started and ended after Prepare listed the
    data is only noticed with the next object.
    """
    bucket, prefix = split_uri(raw_uri)
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    newest, listed = None, 0
    for page in pages:
        written = [entry["LastModified"] for entry in page.get("Contents", []) if not entry["Key"].endswith("/")]
        newest = max([*written, newest] if newest else written, default=None)
        listed += len(written)
        if newest and (newer_than is None or newest > newer_than):
            return newest
        if listed >= MAX_LISTED_OBJECTS:
            return datetime.now(UTC)
    return newest


def start_training(pipeline: str, trigger: Trigger, token: str) -> str:
    """Start the training pipeline; the execution's ARN. The same `token` (32 to 128 characters) starts it only once."""
    response = client("sagemaker").start_pipeline_execution(
        PipelineName=pipeline,
        ClientRequestToken=token,
        PipelineExecutionDisplayName=f"{trigger.kind}-{token}"[:82],
        PipelineExecutionDescription=trigger.reason,
        PipelineParameters=[
            {"Name": "Trigger", "Value": trigger.kind},
            {"Name": "Reason", "Value": trigger.reason},
        ],
    )
    return response["PipelineExecutionArn"]


def put_counts(model: str, counts: dict[str, int]) -> None:
    """Publish counts as CloudWatch metrics of the model."""
    dimensions = [{"Name": "Environment", "Value": ENVIRONMENT}, {"Name": "Model", "Value": model}]
    data = [
        {"MetricName": metric, "Dimensions": dimensions, "Value": count, "Unit": "Count"}
        for metric, count in counts.items()
    ]
    client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
