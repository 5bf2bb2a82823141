"""The demo's course: an empty machine, three deployed environments, a week of traffic, a drift, a new version."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console

from local_aws.bootstrap import CdkError, bootstrap, cdk
from local_aws.server import LocalAws

from ..project import EnvironmentSession, Project, UsageError
from ..repository.init import init
from ..retrain import Finished, follow, newest_execution
from .reading import Reader, Row, wait
from .story import ENVIRONMENT, MODEL, MONITOR_HOUR, RETRAIN_HOUR, Day, days
from .traffic import Traffic, labels


@dataclass
class Timings:
    """Seconds of wall time by phase, in the order in which they ran."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measure(self, phase: str) -> Iterator[None]:
        """Time a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = time.perf_counter() - started


@dataclass
class Result:
    """What a demo run leaves behind: the table, the timings and the counts."""

    rows: list[Row]
    timings: Timings
    requests: int
    failures: list[str]
    loop_seconds: float
    report_uri: str
    invocations_url: str
    authorized: dict[str, int]
    """Calls of roles, each judged by the policies that were deployed: count by the role's name."""


class Demo:
    """One run of the story on one embedded AWS. `say` gets every line of progress."""

    def __init__(self, project: Project, local: LocalAws, console: Console) -> None:
        self.project, self.local, self.console = project, local, console
        self.session: EnvironmentSession = project.environment(ENVIRONMENT)
        self.names = self.session.names.model(MODEL)
        self.reader = Reader(self.session, MODEL)
        self.timings = Timings()
        self._started = time.perf_counter()

    def say(self, line: str, style: str = "") -> None:
        """A line of progress, with the seconds since the start."""
        passed = time.perf_counter() - self._started
        self.console.print(f"[dim]{passed:6.1f} s[/]  {line}", style=style or None, soft_wrap=True)

    def deploy(self) -> None:
        """Bootstrap every account and deploy the whole app, with the real CDK CLI."""
        factory = self.project.factory
        accounts = {factory.names(e).prefix: (e.account, e.region) for e in factory.environments}
        self.say(f"bootstrapping {len(accounts)} accounts: {', '.join(e.name for e in factory.environments)}")
        with self.timings.measure("bootstrap"):
            bootstrap(self.local, accounts)
        self.say("cdk deploy --all")
        with self.timings.measure("cdk deploy"):
            arguments = ["deploy", "--all", "--require-approval", "never", "--concurrency", "4", "--progress", "events"]
            cdk(self.local, arguments, cwd=self.project.root, on_line=self._deployment_line)

    def _deployment_line(self, line: str) -> None:
        if " ✅" in line:
            self.say(f"  {line.strip().removeprefix('✅').strip()}")

    def live(self, story: list[Day]) -> Result:
        """Live the story; every number of the result is read back from AWS."""
        first = story[0]
        self.land(first)
        with self.timings.measure("first training to live endpoint"):
            finished = self.nightly(first)
            version = wait("the first version to go live", self.reader.live_version)
        self.say(f"version {version} is live: {finished.execution_arn.rsplit('/', 1)[-1]}", "green")
        traffic = Traffic(self.session.client("sagemaker-runtime"), self.names.endpoint, self._inputs(first))
        rows = [self._day(first, traffic, "schedule")]
        loop_seconds = 0.0
        with traffic.steadily(first.records):
            for yesterday, day in pairwise(story):
                self.land(day)
                self.label(yesterday)
                before = self.reader.drift_alarm()["StateUpdatedTimestamp"]
                row = self._day(day, traffic, "-")
                if row.alarm == "ALARM" and self.reader.drift_alarm()["StateUpdatedTimestamp"] > before:
                    loop_seconds = self._retrained_by_drift(version or 0)
                    row = self.reader.row(day.number, day.what, day.at(MONITOR_HOUR), self._last_trigger())
                rows.append(row)
        return Result(
            rows,
            self.timings,
            traffic.requests,
            traffic.failures,
            loop_seconds,
            self._report_uri(),
            f"{self.local.endpoint_url}/endpoints/{self.names.endpoint}/invocations",
            self._authorized(),
        )

    def land(self, day: Day) -> None:
        """Upload the day's labelled records to the data bucket."""
        bucket = self.session.names.bucket("data")
        key = f"{MODEL}/raw/{day.partition}/part-0.parquet"
        body = day.records.to_parquet(index=False)
        self.session.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        self.say(f"day {day.number}, {day.what}: {len(day.records)} records land in s3://{bucket}/{key}")

    def label(self, day: Day) -> None:
        """Upload what turned out true of the day's requests: the monitor joins it with what was answered."""
        found = labels(day.records, day.name, self.project.model(MODEL).data.label)
        key = f"{MODEL}/ground-truth/{day.partition}/part-0.parquet"
        bucket = self.session.names.bucket("data")
        self.session.client("s3").put_object(Bucket=bucket, Key=key, Body=found.to_parquet(index=False))

    def nightly(self, day: Day) -> Finished:
        """The daily schedule's tick, and the training that it starts."""
        before = self._newest("train")
        self.say("the daily schedule ticks: Scheduler -> SQS -> lambda/retrain -> StartPipelineExecution")
        self._post("tick", schedule=self.names.schedule("retrain"), time=day.at(RETRAIN_HOUR))
        arn = wait("the training to start", lambda: self._newer("train", before), 60)
        finished = follow(self.session, arn, 300, lambda line: self.say(f"  {line}"))
        if finished.status != "Succeeded":
            raise UsageError(f"the first training {finished.status.lower()}: {finished.reason}")
        return finished

    def _day(self, day: Day, traffic: Traffic, trigger: str) -> Row:
        answered = traffic.send(day.records, day.name)
        self._post("flush")
        before = self._newest("monitor")
        self._post("tick", schedule=self.names.schedule("monitor"), time=day.at(MONITOR_HOUR))
        arn = wait("the monitor to start", lambda: self._newer("monitor", before), 60)
        finished = follow(self.session, arn, 120, lambda _: None)
        if finished.status != "Succeeded":
            raise UsageError(f"the monitor {finished.status.lower()}: {finished.reason}")
        row = self.reader.row(day.number, day.what, day.at(MONITOR_HOUR), trigger)
        self.say(f"  {answered} predictions; the monitor saw {row.rows} rows: {self.reader.monitor_reason()}")
        return row

    def _retrained_by_drift(self, old_version: int) -> float:
        """Follow what the alarm set off until the newer version serves or the gate says no; seconds since the alarm."""
        changed: datetime = self.reader.drift_alarm()["StateUpdatedTimestamp"]
        self.say(f"CloudWatch: {self.reader.drift_alarm()['StateReason']}", "yellow")

        def since_alarm() -> float:
            return (datetime.now(UTC) - changed).total_seconds()

        def started_by_drift() -> str | None:
            execution = newest_execution(self.session.client("sagemaker"), self.names.training_pipeline)
            return execution["PipelineExecutionArn"] if execution and execution["StartTime"] >= changed else None

        finished = follow(self.session, wait("the drift to start a training", started_by_drift, 60), 300, self._step)
        if finished.status != "Succeeded":
            self.say(f"no new version: {finished.reason}", "yellow")
            return since_alarm()

        version = wait("the new version to go live", lambda: self.reader.newer_version(old_version, changed))
        seconds = since_alarm()
        self.say(f"version {version} is live, {seconds:.1f} s after the alarm", "green")
        return seconds

    def _step(self, line: str) -> None:
        self.say(f"  {line}")

    def _inputs(self, day: Day) -> list[str]:
        data = self.project.model(MODEL).data
        left_out = {data.label, data.time_column, *data.ignore}
        return [column for column in day.records.columns if column not in left_out]

    def _newest(self, which: str) -> str | None:
        pipeline = self.names.training_pipeline if which == "train" else self.names.monitor_pipeline
        execution = newest_execution(self.session.client("sagemaker"), pipeline)
        return execution["PipelineExecutionArn"] if execution else None

    def _newer(self, which: str, than: str | None) -> str | None:
        newest = self._newest(which)
        return newest if newest != than else None

    def _last_trigger(self) -> str:
        arn = self._newest("train")
        answer = self.session.client("sagemaker").list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
        return next((p["Value"] for p in answer["PipelineParameters"] if p["Name"] == "Trigger"), "-")

    def _authorized(self) -> dict[str, int]:
        calls: dict[str, int] = self.local.authorization.report()["calls_by_principal"]
        return {arn.rsplit("/", 1)[-1]: count for arn, count in calls.items() if ":role/" in arn}

    def _report_uri(self) -> str:
        execution = (self._newest("monitor") or "").rsplit("/", 1)[-1]
        return f"s3://{self.session.names.bucket('artifacts')}/{MODEL}/monitor/{execution}/report.html"

    def _post(self, what: str, **body: Any) -> None:
        """Move the embedded AWS's time: a schedule's tick, or the end of a data capture interval."""
        environment = self.session.environment
        self.local.post(what, **{"account": environment.account, "region": environment.region} | body)


@contextmanager
def embedded_aws(port: int = 0) -> Iterator[LocalAws]:
    """An embedded AWS that leaves neither processes nor files behind."""
    state = Path(tempfile.mkdtemp(prefix="model-factory-"))
    try:
        with LocalAws(state, port) as local:
            yield local
    except CdkError as error:
        raise UsageError(str(error)) from None
    finally:
        shutil.rmtree(state, ignore_errors=True)


def run(console: Console) -> Result:
    """Run the whole demo: a new repository with the example model, from `cdk bootstrap` to the table."""
    with embedded_aws() as local, tempfile.TemporaryDirectory(prefix="model-factory-demo-") as folder:
        init(Path(folder), "acme", example=True)
        demo = Demo(Project(Path(folder)), local, console)
        demo.say(f"embedded AWS at {local.endpoint_url}")
        demo.deploy()
        return demo.live(days(demo.project.root / "models" / MODEL / "data"))
