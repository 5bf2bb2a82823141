"""The loop of the throw-away model: what each step does and checks. A step returns what it saw, or raises UsageError."""

import statistics
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..delivery.approvals import decide
from ..operations.executions import ExecutionResult, follow
from ..operations.invoke import invoke
from ..operations.reader import Reader
from ..operations.trigger import send_manual_trigger
from ..operations.versions import gate_metric
from ..project import EnvironmentSession, UsageError
from ..waiting import wait_for
from .alerts import Alerts
from .data import DRIFT, Record, broken_csv, labelled_csv, records, request_csv

REASON = "model-factory acceptance"
ROWS_PER_REQUEST = 100
START_SECONDS = 15 * 60
"""Longest time until a message, an alarm or an event has had its effect."""
WORK_SECONDS = 2 * 3600
"""Longest time of a training, a check or a deployment."""


@dataclass
class Loop:
    """One run in one environment. `log` gets lines of progress."""

    session: EnvironmentSession
    model: str
    alerts: Alerts
    log: Callable[[str], None]
    version: int = 0
    """The first version, which goes live and is returned to at the end."""
    new_version: int = 0
    captured: int = 0
    """Requests that were sent so far and are captured."""
    alarmed: datetime | None = None
    """When the drift alarm changed to ALARM."""
    alarm_before: datetime | None = None
    """When the drift alarm had changed before the drift."""

    def __post_init__(self) -> None:
        self.reader = Reader(self.session, self.model)
        self.names = self.session.names.model(self.model)
        self.started = datetime.now(UTC)

    def upload(self) -> str:
        """Upload labelled records."""
        return self._upload("acceptance-1.csv", labelled_csv(records(2000, seed=1)))

    def train(self) -> str:
        """Request a training; it has to succeed."""
        training = self._train("first training")
        if training.status != "Succeeded":
            raise UsageError(f"{training.execution_arn} {training.status.lower()}: {training.reason}")
        return training.execution_arn.rsplit("/", 1)[-1]

    def gate(self) -> str:
        """The training has registered a version with the metric that the gate compared."""
        package = self._newest_version()
        if package is None:
            raise UsageError(f"{self.names.model_package_group} has no version")
        self.version = package["ModelPackageVersion"]
        metric = gate_metric(package.get("CustomerMetadataProperties", {}))
        if metric is None:
            raise UsageError(f"version {self.version} has no metric in its metadata")
        return f"version {self.version}, {metric}"

    def live(self) -> str:
        """The version goes live; where the environment's approval is manual, this approves it."""
        approved = self._approve(self.version)
        wait_for(
            f"version {self.version} in service on endpoint {self.names.endpoint}",
            lambda: True if self._serves(self.version) else None,
            WORK_SECONDS,
        )
        return f"endpoint {self.names.endpoint} serves version {self.version}{approved}"

    def predict(self) -> str:
        """Predictions separate the classes; a request with a missing column is refused with 400 and the reason."""
        rows = records(1000, seed=2)
        scores = self._send(rows)
        sold, unsold = ([s for s, row in zip(scores, rows, strict=True) if row.sold == label] for label in (1, 0))
        high, low = statistics.mean(sold), statistics.mean(unsold)
        if high - low < 0.3:
            raise UsageError(
                f"the mean scores of the two classes are {high:.2f} and {low:.2f}; the model separates them"
            )
        try:
            invoke(self.session, self.model, "1.0,2.0\n", "text/csv")
        except UsageError as error:
            if "returned 400" not in str(error):
                raise
        else:
            raise UsageError("a request without the column colour was answered with a prediction")
        return f"{len(scores)} scores, on average {high:.2f} and {low:.2f}; an invalid request is refused with 400"

    def refuse_broken_data(self) -> str:
        """A training on data without a column fails with the reason, and the live version stays."""
        self._upload("acceptance-broken.csv", broken_csv(records(200, seed=3)))
        try:
            training = self._train("broken data")
        finally:
            self._delete("acceptance-broken.csv")
        if training.status != "Failed" or "colour" not in training.reason:
            raise UsageError(
                f"the training on data without the column colour {training.status.lower()}: {training.reason or '-'}"
            )
        if not self._serves(self.version):
            raise UsageError(f"version {self.version} is no longer live")
        return training.reason

    def receive_alert(self) -> str:
        """The failed training arrives as an alert."""
        return self.alerts(self.names.training_pipeline, START_SECONDS)

    def find_drift(self) -> str:
        """Send requests from another distribution and start the monitor, as its schedule does; the drift alarm is raised."""
        self._upload("acceptance-2.csv", labelled_csv(records(2000, seed=4, shift=DRIFT)))
        self.alarm_before = self._end_old_alarm()
        self._send(records(1000, seed=5, shift=DRIFT))
        objects = wait_for("captured requests in S3", self._captured, START_SECONDS)
        check = follow(self.session, self._start_monitor(), WORK_SECONDS, self.log)
        if check.status != "Succeeded":
            raise UsageError(f"the monitor {check.status.lower()}: {check.reason}")
        return f"{objects} captured requests in S3; {self.reader.monitor_reason()}"

    def raise_alarm(self) -> str:
        """The drift alarm changes to ALARM, and its alert arrives."""

        def changed() -> dict[str, Any] | None:
            alarm = self.reader.drift_alarm()
            is_new = alarm["StateUpdatedTimestamp"] != self.alarm_before
            return alarm if alarm["StateValue"] == "ALARM" and is_new else None

        alarm = wait_for(f"{self.names.alarm('drift')} in ALARM", changed, START_SECONDS)
        self.alarmed = alarm["StateUpdatedTimestamp"]
        self.alerts(self.names.alarm("drift"), START_SECONDS)
        return alarm["StateReason"]

    def retrain(self) -> str:
        """The alarm starts a training, which succeeds."""
        since = self.alarmed or self.started
        arn = wait_for(
            "the training that the drift alarm starts", lambda: self.reader.training_since(since), START_SECONDS
        )
        trigger = self.reader.trigger(arn)
        training = follow(self.session, arn, WORK_SECONDS, self.log)
        if training.status != "Succeeded":
            raise UsageError(f"{arn} {training.status.lower()}: {training.reason}")
        package = self._newest_version()
        self.new_version = package["ModelPackageVersion"] if package else 0
        if self.new_version <= self.version:
            raise UsageError(f"{arn} succeeded and registered no version")
        return f"{arn.rsplit('/', 1)[-1]}, started by {trigger}; version {self.new_version}"

    def replace(self) -> str:
        """The new version goes live."""
        since = self.alarmed or self.started
        approved = self._approve(self.new_version)
        live = wait_for(
            f"version {self.new_version} in service",
            lambda: self.reader.newer_version(self.version, since),
            WORK_SECONDS,
        )
        self._send(records(ROWS_PER_REQUEST, seed=6, shift=DRIFT))
        return f"endpoint {self.names.endpoint} serves version {live}{approved}"

    def roll_back(self) -> str:
        """Rejecting the new version returns the endpoint to the first one."""
        decide(self.session, self.model, self.new_version, "Rejected", REASON)
        wait_for(
            f"version {self.version} in service again",
            lambda: True if self._serves(self.version) else None,
            WORK_SECONDS,
        )
        self._send(records(ROWS_PER_REQUEST, seed=7))
        return f"version {self.new_version} is rejected, endpoint {self.names.endpoint} serves version {self.version}"

    def _train(self, reason: str) -> ExecutionResult:
        before = self.reader.newest_execution("train")
        send_manual_trigger(self.session, "retrain", self.model, f"{REASON}: {reason}")
        arn = wait_for("the training", lambda: self.reader.newer_execution("train", before), START_SECONDS)
        return follow(self.session, arn, WORK_SECONDS, self.log)

    def _newest_version(self) -> dict[str, Any] | None:
        """The described version that was registered last."""
        sagemaker = self.session.client("sagemaker")
        versions = sagemaker.list_model_packages(
            ModelPackageGroupName=self.names.model_package_group,
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=1,
        )["ModelPackageSummaryList"]
        return sagemaker.describe_model_package(ModelPackageName=versions[0]["ModelPackageArn"]) if versions else None

    def _approve(self, version: int) -> str:
        """Approve the newest version if it waits for that; words for the result of the step."""
        package = self._newest_version()
        if package is None or package["ModelApprovalStatus"] != "PendingManualApproval":
            return ""
        decide(self.session, self.model, version, "Approved", REASON)
        return ", approved by this command"

    def _serves(self, version: int) -> bool:
        endpoint = self.reader.endpoint_or_none()
        if endpoint and endpoint["EndpointStatus"] == "Failed":
            raise UsageError(
                f"endpoint {self.names.endpoint} failed: {endpoint.get('FailureReason', 'no reason given')}"
            )
        return self.reader.live_version() == version

    def _send(self, rows: list[Record]) -> list[float]:
        """Scores of the rows, ROWS_PER_REQUEST a request."""
        scores: list[float] = []
        for start in range(0, len(rows), ROWS_PER_REQUEST):
            body = request_csv(rows[start : start + ROWS_PER_REQUEST])
            scores += map(float, invoke(self.session, self.model, body, "text/csv")["predictions"])
            self.captured += 1
        if len(scores) != len(rows):
            raise UsageError(f"the responses to {len(rows)} rows have {len(scores)} scores")
        return scores

    def _captured(self) -> int | None:
        """Number of captured requests in S3; None while some that were sent are missing."""
        s3, bucket = self.session.client("s3"), self.session.names.bucket("data")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{self.model}/captured/")
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        lines = sum(s3.get_object(Bucket=bucket, Key=key)["Body"].read().count(b"\n") for key in keys)
        return lines if lines >= self.captured else None

    def _start_monitor(self) -> str:
        """Start the monitor pipeline with the parameter that its schedule gives; the execution's ARN."""
        response = self.session.client("sagemaker").start_pipeline_execution(
            PipelineName=self.names.monitor_pipeline,
            PipelineExecutionDisplayName="acceptance",
            PipelineParameters=[{"Name": "ScheduledTime", "Value": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}],
            ClientRequestToken=uuid.uuid4().hex,
        )
        return response["PipelineExecutionArn"]

    def _end_old_alarm(self) -> datetime:
        """Set an alarm of an earlier run to OK, because CloudWatch sends an event only when the state changes.

        Returns when the state had changed before. CloudWatch may return to ALARM at once, by the data of the earlier run.
        """
        alarm = self.reader.drift_alarm()
        if alarm["StateValue"] == "ALARM":
            self.session.client("cloudwatch").set_alarm_state(
                AlarmName=self.names.alarm("drift"), StateValue="OK", StateReason=f"{REASON}: another run starts"
            )
        return alarm["StateUpdatedTimestamp"]

    def _upload(self, file: str, content: str) -> str:
        bucket, key = self.session.names.bucket("data"), self._key(file)
        self.session.client("s3").put_object(Bucket=bucket, Key=key, Body=content.encode())
        return f"s3://{bucket}/{key}"

    def _delete(self, file: str) -> None:
        self.session.client("s3").delete_object(Bucket=self.session.names.bucket("data"), Key=self._key(file))

    def _key(self, file: str) -> str:
        return f"{self.model}/raw/dt={self.started:%Y-%m-%d}/{file}"
