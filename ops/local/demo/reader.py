"""A model's state in one environment, read from AWS: every number in the demo's table."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from model_factory.core.names import METRIC_NAMESPACE

from ...operations.status import gate_metric, live_package
from ...project import EnvironmentSession, UsageError


@dataclass(frozen=True)
class Row:
    """One day in the demo's table. A value is None, or `-`, when AWS has none.

    `rows` and `drifted` are the monitor's metrics, `evaluation` is the live version's metric on its test data, `ground_truth`
    the 95 % interval of the same metric for labelled requests.
    """

    day: int
    traffic: str
    rows: int | None
    drifted: int | None
    alarm: str
    trigger: str
    version: int | None
    evaluation: str
    ground_truth: str
    endpoint: str


@dataclass(frozen=True)
class Reader:
    """Reads the state of one model in one environment."""

    session: EnvironmentSession
    model: str

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

    def ground_truth_interval(self, at: datetime) -> str:
        """The 95 % interval of the gate's metric for labelled requests, from the monitor's metrics in the hour from `at`."""
        low, high = self.metric("QualityLow", at), self.metric("QualityHigh", at)
        return "-" if low is None or high is None else f"{low:.3f} to {high:.3f}"

    def row(self, day: int, traffic: str, at: datetime, trigger: str) -> Row:
        """The table's row for one day; `at`: the time of the monitor's schedule."""
        package = self.live_package()
        metadata = package["CustomerMetadataProperties"] if package else {}
        rows, drifted = self.metric("RowsObserved", at), self.metric("DriftedFeatures", at)
        return Row(
            day=day,
            traffic=traffic,
            rows=None if rows is None else int(rows),
            drifted=None if drifted is None else int(drifted),
            alarm=self.drift_alarm()["StateValue"],
            trigger=trigger,
            version=package["ModelPackageVersion"] if package else None,
            evaluation=gate_metric(metadata) or "-",
            ground_truth=self.ground_truth_interval(at),
            endpoint=self.endpoint()["EndpointStatus"],
        )
