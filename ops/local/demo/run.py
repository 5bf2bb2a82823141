"""The demo: deploy three environments, train, send five days of traffic, detect drift, retrain, deploy the new version."""

import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console

from local_aws.bootstrap import CdkError, bootstrap, cdk
from local_aws.server import LocalAws

from ...operations.executions import ExecutionResult, follow
from ...operations.reader import Reader
from ...project import EnvironmentSession, Project, UsageError
from ...repository.init import init
from ...waiting import wait_for
from .rows import Row, read_row
from .scenario import ENVIRONMENT, MODEL, MONITOR_HOUR, RETRAIN_HOUR, Day, days
from .traffic import Traffic, labels


@dataclass
class Timings:
    """Wall-clock seconds of each phase, in the order of the phases."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measure(self, phase: str) -> Generator[None]:
        """Measure a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = time.perf_counter() - started


@dataclass
class Result:
    """The table's rows, the timings and the counts of a run.

    `loop_seconds`: from the drift alarm to the new version in service. `report_uri`: the last monitor report.
    `calls_by_role`: number of authorized calls by the name of the role. `on_behalf`: calls that AWS services made for the
    account, as numbers `judged` and `refused`.
    """

    rows: list[Row]
    timings: Timings
    requests: int
    failures: list[str]
    loop_seconds: float
    report_uri: str
    invocations_url: str
    calls_by_role: dict[str, int]
    on_behalf: dict[str, int]


class Demo:
    """One run of the scenario on one embedded AWS."""

    def __init__(self, project: Project, local: LocalAws, console: Console) -> None:
        self.project, self.local, self.console = project, local, console
        self.session: EnvironmentSession = project.environment(ENVIRONMENT)
        self.names = self.session.names.model(MODEL)
        self.reader = Reader(self.session, MODEL)
        self.timings = Timings()
        self._started = time.perf_counter()

    def log(self, line: str, style: str = "") -> None:
        """Print a line of progress, with the seconds since the start."""
        seconds = time.perf_counter() - self._started
        self.console.print(f"[dim]{seconds:6.1f} s[/]  {line}", style=style or None, soft_wrap=True)

    def deploy(self) -> None:
        """Bootstrap every account and deploy all stacks, with the real CDK CLI."""
        accounts = self.project.accounts
        environments = ", ".join(each.name for each in self.project.factory.environments)
        self.log(f"bootstrapping {len(accounts)} accounts: {environments}")
        with self.timings.measure("bootstrap"):
            bootstrap(self.local, accounts)
        self.log("cdk deploy --all")
        with self.timings.measure("cdk deploy"):
            arguments = ["deploy", "--all", "--require-approval", "never", "--concurrency", "4", "--progress", "events"]
            cdk(self.local, arguments, cwd=self.project.root, on_line=self._log_deployed_stack)

    def _log_deployed_stack(self, line: str) -> None:
        if " ✅" in line:
            self.log(f"  {line.strip().removeprefix('✅').strip()}")

    def run(self, scenario: list[Day]) -> Result:
        """Run all days of the scenario; every number of the result is read from AWS."""
        first = scenario[0]
        self.upload_records(first)
        with self.timings.measure("first training to live endpoint"):
            training = self.train_by_schedule(first)
            version = wait_for("the first version in service", self.reader.live_version)
        self.log(f"version {version} is live: {training.execution_arn.rsplit('/', 1)[-1]}", "green")
        traffic = Traffic(self.session.client("sagemaker-runtime"), self.names.endpoint, self._inputs(first))
        rows = [self._run_day(first, traffic, "schedule")]
        loop_seconds = 0.0
        with traffic.in_background(first.records):
            for yesterday, day in pairwise(scenario):
                self.upload_records(day)
                self.upload_labels(yesterday)
                before = self.reader.drift_alarm()["StateUpdatedTimestamp"]
                row = self._run_day(day, traffic, "-")
                if row.alarm == "ALARM" and self.reader.drift_alarm()["StateUpdatedTimestamp"] > before:
                    loop_seconds = self._follow_drift_training(version or 0)
                    row = read_row(self.reader, day.number, day.traffic, day.at(MONITOR_HOUR), self._last_trigger())
                rows.append(row)
        return Result(
            rows,
            self.timings,
            traffic.requests,
            traffic.failures,
            loop_seconds,
            self._report_uri(),
            f"{self.local.endpoint_url}/endpoints/{self.names.endpoint}/invocations",
            self._calls_by_role(),
            self.local.authorization.report()["on_behalf"],
        )

    def upload_records(self, day: Day) -> None:
        """Upload the day's labelled records to the data bucket."""
        bucket = self.session.names.bucket("data")
        key = f"{MODEL}/raw/{day.partition}/part-0.parquet"
        body = day.records.to_parquet(index=False)
        self.session.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        self.log(f"day {day.number}, {day.traffic}: {len(day.records)} records land in s3://{bucket}/{key}")

    def upload_labels(self, day: Day) -> None:
        """Upload the ground truth of the day's requests; the monitor joins it with the captured predictions."""
        table = labels(day.records, day.name, self.project.model(MODEL).data.label)
        key = f"{MODEL}/ground-truth/{day.partition}/part-0.parquet"
        bucket = self.session.names.bucket("data")
        self.session.client("s3").put_object(Bucket=bucket, Key=key, Body=table.to_parquet(index=False))

    def train_by_schedule(self, day: Day) -> ExecutionResult:
        """Run the daily schedule and wait for the training that it starts."""
        before = self.reader.newest_execution("train")
        self.log("the daily schedule runs: EventBridge Scheduler -> SQS -> lambda/retrain -> StartPipelineExecution")
        self._control("tick", schedule=self.names.schedule("retrain"), time=day.at(RETRAIN_HOUR))
        arn = wait_for("the training", lambda: self.reader.newer_execution("train", before), 60)
        training = follow(self.session, arn, 300, self._log_step)
        if training.status != "Succeeded":
            raise UsageError(f"the first training {training.status.lower()}: {training.reason}")
        return training

    def _run_day(self, day: Day, traffic: Traffic, trigger: str) -> Row:
        predictions = traffic.send(day.records, day.name)
        self._control("flush")
        before = self.reader.newest_execution("monitor")
        self._control("tick", schedule=self.names.schedule("monitor"), time=day.at(MONITOR_HOUR))
        arn = wait_for("the monitor", lambda: self.reader.newer_execution("monitor", before), 60)
        monitor = follow(self.session, arn, 120, lambda _: None)
        if monitor.status != "Succeeded":
            raise UsageError(f"the monitor {monitor.status.lower()}: {monitor.reason}")
        row = read_row(self.reader, day.number, day.traffic, day.at(MONITOR_HOUR), trigger)
        self.log(f"  {predictions} predictions; the monitor read {row.rows} rows: {self.reader.monitor_reason()}")
        return row

    def _follow_drift_training(self, old_version: int) -> float:
        """Wait until the training that the alarm starts fails or its version is in service; seconds since the alarm."""
        alarm = self.reader.drift_alarm()
        changed: datetime = alarm["StateUpdatedTimestamp"]
        self.log(f"CloudWatch: {alarm['StateReason']}", "yellow")

        def since_alarm() -> float:
            return (datetime.now(UTC) - changed).total_seconds()

        arn = wait_for("the training that the drift alarm starts", lambda: self.reader.training_since(changed), 60)
        training = follow(self.session, arn, 300, self._log_step)
        if training.status != "Succeeded":
            self.log(f"no new version: {training.reason}", "yellow")
            return since_alarm()

        version = wait_for("the new version in service", lambda: self.reader.newer_version(old_version, changed))
        seconds = since_alarm()
        self.log(f"version {version} is live, {seconds:.1f} s after the alarm", "green")
        return seconds

    def _log_step(self, line: str) -> None:
        self.log(f"  {line}")

    def _inputs(self, day: Day) -> list[str]:
        data = self.project.model(MODEL).data
        excluded = {data.label, data.time_column, *data.ignore}
        return [column for column in day.records.columns if column not in excluded]

    def _last_trigger(self) -> str:
        return self.reader.trigger(self.reader.newest_execution("train")) or "-"

    def _calls_by_role(self) -> dict[str, int]:
        calls: dict[str, int] = self.local.authorization.report()["calls_by_principal"]
        return {arn.rsplit("/", 1)[-1]: count for arn, count in calls.items() if ":role/" in arn}

    def _report_uri(self) -> str:
        execution = (self.reader.newest_execution("monitor") or "").rsplit("/", 1)[-1]
        return f"s3://{self.session.names.bucket('artifacts')}/{MODEL}/monitor/{execution}/report.html"

    def _control(self, name: str, **body: Any) -> None:
        """Call a test control of the embedded AWS: run a schedule, or write captured requests to S3."""
        environment = self.session.environment
        self.local.post(name, **{"account": environment.account, "region": environment.region} | body)


@contextmanager
def embedded_aws(port: int = 0) -> Generator[LocalAws]:
    """An embedded AWS whose processes and files are removed at the end."""
    state = Path(tempfile.mkdtemp(prefix="model-factory-"))
    try:
        with LocalAws(state, port) as local:
            yield local
    except CdkError as error:
        raise UsageError(str(error)) from None
    finally:
        shutil.rmtree(state, ignore_errors=True)


def run(console: Console) -> Result:
    """Run the demo in a new repository with the example model."""
    with embedded_aws() as local, tempfile.TemporaryDirectory(prefix="model-factory-demo-") as folder:
        init(Path(folder), "acme", example=True)
        demo = Demo(Project(Path(folder)), local, console)
        demo.log(f"embedded AWS at {local.endpoint_url}")
        demo.deploy()
        return demo.run(days(demo.project.root / "models" / MODEL / "data"))
