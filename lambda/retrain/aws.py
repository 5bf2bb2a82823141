"""The calls: settings from SSM, executions and start at SageMaker, newest data in S3, counts to CloudWatch."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from decision import Execution, Guards
from messages import Trigger
from pydantic import BaseModel

NAMESPACE = "ModelFactory"
MAX_EXECUTIONS = 31
MAX_LISTED = 50_000
"""Fifty calls of ListObjectsV2, some ten seconds of the function's sixty."""
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 5})


class Settings(BaseModel):
    """What the settings parameter says that this function needs."""

    training_pipeline: str
    promoted_from: str | None = None
    raw_uri: str
    retrain: Guards


class Aws:
    """One environment's services."""

    def __init__(self, environment: str, parameter_prefix: str) -> None:
        self._environment, self._prefix = environment, parameter_prefix
        self._clients: dict[str, Any] = {}

    def settings(self, model: str) -> Settings:
        """The model's settings. Raises LookupError when there is no such model here."""
        ssm = self._client("ssm")
        try:
            value = ssm.get_parameter(Name=f"{self._prefix}{model}")["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            raise LookupError(f"there is no model {model!r} in {self._environment}") from None
        return Settings.model_validate_json(value)

    def executions(self, pipeline: str) -> list[Execution]:
        """The newest executions first, a month of nights at most. `start` names them after what asked for them."""
        answer = self._client("sagemaker").list_pipeline_executions(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=MAX_EXECUTIONS
        )
        return [
            Execution(
                e["PipelineExecutionStatus"],
                e["StartTime"],
                e.get("PipelineExecutionDisplayName", "").partition("-")[0],
            )
            for e in answer["PipelineExecutionSummaries"]
        ]

    def newest_data(self, raw_uri: str, newer_than: datetime | None) -> datetime | None:
        """When the newest object below `raw_uri` was written; None when there is none.

        Stops at the first object that is newer than `newer_than` (or at any, without it). A bucket that holds more than
        MAX_LISTED objects is not looked through: something new is assumed, which costs a training but misses no data.
        S3 tells the time to the second, and of an upload in parts the time when it began: one that began before the last
        training started and ended after Prepare listed the data is only seen with the next object.
        """
        bucket, _, prefix = raw_uri.removeprefix("s3://").partition("/")
        pages = self._client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        newest, listed = None, 0
        for page in pages:
            written = [entry["LastModified"] for entry in page.get("Contents", []) if not entry["Key"].endswith("/")]
            newest = max([*written, newest] if newest else written, default=None)
            listed += len(written)
            if newest and (newer_than is None or newest > newer_than):
                return newest
            if listed >= MAX_LISTED:
                return datetime.now(UTC)
        return newest

    def start(self, pipeline: str, trigger: Trigger, token: str) -> str:
        """Start the pipeline; the execution's ARN. The same `token` (32 to 128 characters) starts it only once."""
        answer = self._client("sagemaker").start_pipeline_execution(
            PipelineName=pipeline,
            ClientRequestToken=token,
            PipelineExecutionDisplayName=f"{trigger.kind}-{token}"[:82],
            PipelineExecutionDescription=trigger.reason,
            PipelineParameters=[
                {"Name": "Trigger", "Value": trigger.kind},
                {"Name": "Reason", "Value": trigger.reason},
            ],
        )
        return answer["PipelineExecutionArn"]

    def count(self, model: str, counts: dict[str, int]) -> None:
        """Add to metrics of the model."""
        dimensions = [{"Name": "Environment", "Value": self._environment}, {"Name": "Model", "Value": model}]
        data = [
            {"MetricName": metric, "Dimensions": dimensions, "Value": count, "Unit": "Count"}
            for metric, count in counts.items()
        ]
        self._client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(service, config=_RETRIES)
        return self._clients[service]
