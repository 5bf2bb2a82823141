"""What happened, read back from AWS: every number of the demo's table comes through here."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from model_factory.core.names import METRIC_NAMESPACE

from ..project import EnvironmentSession, UsageError
from ..status import live_package


@dataclass(frozen=True)
class Row:
    """A line of the table: one day as the cloud recorded it."""

    day: int
    what: str
    rows: int | None
    drifted: int | None
    alarm: str
    trigger: str
    version: int | None
    metric: str
    in_service: str
    endpoint: str


def wait[T](what: str, look: Callable[[], T | None], seconds: float = 180) -> T:
    """Poll `look` until it returns something. Raises UsageError naming `what` when it takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if (found := look()) is not None:
            return found
        if time.monotonic() > deadline:
            raise UsageError(f"waited {seconds:.0f} s for {what}, in vain")
        time.sleep(0.1)


@dataclass(frozen=True)
class Reader:
    """Reads one model's state in one environment."""

    session: EnvironmentSession
    model: str

    def metric(self, name: str, at: datetime) -> float | None:
        """Largest value of one of our metrics in the hour that begins at `at`; None when there is none."""
        answer = self.session.client("cloudwatch").get_metric_statistics(
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
        return max((point["Maximum"] for point in answer["Datapoints"]), default=None)

    def drift_alarm(self) -> dict[str, Any]:
        """The drift alarm as CloudWatch describes it."""
        name = self.session.names.model(self.model).alarm("drift")
        return self.session.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]

    def monitor_reason(self) -> str:
        """What the monitor's newest report says, in its words."""
        bucket, key = self.session.names.bucket("artifacts"), f"{self.model}/monitor/latest.json"
        body = self.session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return str(json.loads(body)["reason"])

    def live(self) -> dict[str, Any] | None:
        """The model package behind the endpoint once that is in service, else None."""
        sagemaker = self.session.client("sagemaker")
        names = self.session.names.model(self.model)
        found = sagemaker.list_endpoints(NameContains=names.endpoint)["Endpoints"]
        if not any(e["EndpointName"] == names.endpoint and e["EndpointStatus"] == "InService" for e in found):
            return None
        return live_package(sagemaker, sagemaker.describe_endpoint(EndpointName=names.endpoint))

    def live_version(self) -> int | None:
        """The version that answers requests now, once the endpoint is in service."""
        package = self.live()
        return package["ModelPackageVersion"] if package else None

    def newer_version(self, than: int, since: datetime) -> int | None:
        """The version in service once it is newer. Raises UsageError when a deployment was rolled back `since` then."""
        version = self.live_version()
        if version == than:
            endpoint = self.endpoint()
            if "FailureReason" in endpoint and endpoint["LastModifiedTime"] >= since:
                raise UsageError(f"the new version did not go live: {endpoint['FailureReason']}")
        return version if version and version > than else None

    def endpoint(self) -> dict[str, Any]:
        """The endpoint as SageMaker describes it."""
        name = self.session.names.model(self.model).endpoint
        return self.session.client("sagemaker").describe_endpoint(EndpointName=name)

    def quality_by_labels(self, at: datetime) -> str:
        """The interval of the gate's measure, as the labels that had come by the hour `at` have it."""
        low, high = self.metric("QualityLow", at), self.metric("QualityHigh", at)
        return "-" if low is None or high is None else f"{low:.3f} to {high:.3f}"

    def row(self, day: int, what: str, at: datetime, trigger: str) -> Row:
        """The day's line: `at` is when the monitor ran."""
        package = self.live()
        facts = package["CustomerMetadataProperties"] if package else {}
        rows, drifted = self.metric("RowsObserved", at), self.metric("DriftedFeatures", at)
        return Row(
            day=day,
            what=what,
            rows=None if rows is None else int(rows),
            drifted=None if drifted is None else int(drifted),
            alarm=self.drift_alarm()["StateValue"],
            trigger=trigger,
            version=package["ModelPackageVersion"] if package else None,
            metric=f"{facts['metric']} {float(facts['metric_value']):.4f}" if facts else "-",
            in_service=self.quality_by_labels(at),
            endpoint=self.endpoint()["EndpointStatus"],
        )
