"""A model's metrics, drift alarm, live version, endpoint and executions in one environment, read from AWS."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from model_factory.core.names import METRIC_NAMESPACE
from model_factory.functions.shared.endpoints import describe_endpoint

from ..project import EnvironmentSession, UsageError
from .executions import execution_trigger, newest_execution, newest_execution_arn
from .versions import live_package


@dataclass(frozen=True)
class Reader:
    """Reads the state of one model in one environment."""

    session: EnvironmentSession
    model: str

    def pipeline(self, which: Literal["train", "monitor"]) -> str:
        """Name of the training or of the monitor pipeline."""
        names = self.session.names.model(self.model)
        return names.training_pipeline if which == "train" else names.monitor_pipeline

    def newest_execution(self, which: Literal["train", "monitor"]) -> str | None:
        """ARN of the pipeline's newest execution; None before the first."""
        return newest_execution_arn(self.session.client("sagemaker"), self.pipeline(which))

    def newer_execution(self, which: Literal["train", "monitor"], than: str | None) -> str | None:
        """ARN of the pipeline's newest execution when it is not `than`, else None."""
        newest = self.newest_execution(which)
        return newest if newest != than else None

    def training_since(self, time: datetime) -> str | None:
        """ARN of the newest training when it started at `time` or later, else None."""
        execution = newest_execution(self.session.client("sagemaker"), self.pipeline("train"))
        return execution["PipelineExecutionArn"] if execution and execution["StartTime"] >= time else None

    def trigger(self, execution_arn: str | None) -> str | None:
        """What started a training, such as `schedule` or `drift`; None for no execution."""
        return execution_trigger(self.session.client("sagemaker"), execution_arn) if execution_arn else None

    def metric(self, name: str, at: datetime) -> float | None:
        """Maximum of a CloudWatch metric of the model in the hour from `at`; None without data points."""
        response = self.session.client("cloudwatch").get_metric_statistics(
            Namespace=METRIC_NAMESPACE,
            MetricName=name,
            Dimensions=[
                {"Name": "Environment", "Value": self.session.environment.name},
                {"Name": "Model", "Value": self.model},
            ],
            StartTime=at,
            EndTime=at + timedelta(hours=1),
            Period=3600,
            Statistics=["Maximum"],
        )
        return max((point["Maximum"] for point in response["Datapoints"]), default=None)

    def drift_alarm(self) -> dict[str, Any]:
        """The drift alarm, as DescribeAlarms returns it."""
        name = self.session.names.model(self.model).alarm("drift")
        return self.session.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]

    def monitor_reason(self) -> str:
        """The `reason` in the monitor's newest report."""
        bucket, key = self.session.names.bucket("artifacts"), f"{self.model}/monitor/latest.json"
        body = self.session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return str(json.loads(body)["reason"])

    def live_package(self) -> dict[str, Any] | None:
        """The model package of the endpoint; None when no endpoint is InService."""
        sagemaker = self.session.client("sagemaker")
        names = self.session.names.model(self.model)
        endpoints = sagemaker.list_endpoints(NameContains=names.endpoint)["Endpoints"]
        if not any(e["EndpointName"] == names.endpoint and e["EndpointStatus"] == "InService" for e in endpoints):
            return None
        return live_package(sagemaker, sagemaker.describe_endpoint(EndpointName=names.endpoint))

    def live_version(self) -> int | None:
        """Version number of the model package of the endpoint; None when no endpoint is InService."""
        package = self.live_package()
        return package["ModelPackageVersion"] if package else None

    def newer_version(self, than: int, since: datetime) -> int | None:
        """The live version when it is newer than `than`, else None.

        Raises UsageError when a deployment was rolled back after `since`.
        """
        version = self.live_version()
        if version == than:
            endpoint = self.endpoint()
            if "FailureReason" in endpoint and endpoint["LastModifiedTime"] >= since:
                raise UsageError(f"the deployment of the new version failed: {endpoint['FailureReason']}")
        return version if version and version > than else None

    def endpoint(self) -> dict[str, Any]:
        """The endpoint, as DescribeEndpoint returns it."""
        name = self.session.names.model(self.model).endpoint
        return self.session.client("sagemaker").describe_endpoint(EndpointName=name)

    def endpoint_or_none(self) -> dict[str, Any] | None:
        """The endpoint, as DescribeEndpoint returns it; None when it does not exist."""
        return describe_endpoint(self.session.client("sagemaker"), self.session.names.model(self.model).endpoint)

    def ground_truth_interval(self, at: datetime) -> str:
        """The 95 % interval of the gate's metric for labelled requests, from the monitor's metrics in the hour from `at`."""
        low, high = self.metric("QualityLow", at), self.metric("QualityHigh", at)
        return "-" if low is None or high is None else f"{low:.3f} to {high:.3f}"
