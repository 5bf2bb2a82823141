"""A live version of the small project, its captured requests and their labels, in moto's S3."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jobs.columns import Column
from jobs.drift.profile import Builder
from jobs.monitoring import live_version, monitor
from jobs.monitoring.live_version import LiveVersion

from ..conftest import BUCKET

COLUMNS = [Column("x", "number"), Column("colour")]
NOW = datetime.now(UTC).replace(microsecond=0)
BINARY = {"problem": "binary_classification", "classes": [0, 1], "metrics": {"auc": {"value": 0.9}}}


def live_version_of(rows: pd.DataFrame, scores: np.ndarray, version: int = 3, **more: Any) -> LiveVersion:
    """A live version that was trained on `rows`."""
    builder, score = Builder({"x": "number", "colour": "string"}), Builder({"score": "number"})
    builder.update(rows)
    score.update(pd.DataFrame({"score": scores}))
    baseline = (builder.build(), score.build(), {"x": 0.7, "colour": 0.3}, COLUMNS, builder.rows(5000))
    return LiveVersion(version, NOW, *baseline, **({"evaluation": BINARY} | more))


def line(identifier: str, body: str, answer: str, kind: str = "text/csv", mine: bool = True, **meta: Any) -> str:
    """A captured request in SageMaker's format; `mine`: the caller gave the id."""
    encoding = "CSV" if kind == "text/csv" else "JSON"
    side = {"observedContentType": kind, "encoding": encoding}
    event = {"eventId": f"event-{identifier}", "inferenceTime": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"} | meta
    event |= {"inferenceId": identifier} if mine else {"eventId": identifier}
    captured = {
        "endpointInput": side | {"mode": "INPUT", "data": body},
        "endpointOutput": {"observedContentType": "text/csv", "encoding": "CSV", "mode": "OUTPUT", "data": answer},
    }
    return json.dumps({"captureData": captured, "eventMetadata": event, "eventVersion": "0"})


def requests(rows: pd.DataFrame, scores: np.ndarray, name: str, size: int = 1, kind: str = "text/csv") -> list[str]:
    """Requests of `size` records each, called <name>-0, <name>-1, …"""
    lines = []
    inputs = rows[["x", "colour"]]
    for number, start in enumerate(range(0, len(rows), size)):
        some = inputs[start : start + size]
        body = some.to_csv(index=False, header=False)
        if kind != "text/csv":
            body = json.dumps({"instances": some.to_dict("records")})
        answer = "".join(f"{score!r}\n" for score in scores[start : start + size].tolist())
        lines.append(line(f"{name}-{number}", body, answer, kind))
    return lines


@dataclass
class Monitored:
    """An endpoint whose monitor runs on the objects in S3; reads the outputs and the CloudWatch metrics of a run."""

    s3: Any
    cloudwatch: Any
    ml: Path
    patch: pytest.MonkeyPatch
    live: LiveVersion | None
    at: datetime = NOW
    approved: int | None = None

    def capture(self, lines: list[str], name: str = "a", variant: str = "AllTraffic") -> str:
        key = f"sales/captured/sales/{variant}/2026/11/24/09/{name}.jsonl"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body="".join(each + "\n" for each in lines).encode())
        return key

    def labels(self, content: str | bytes, name: str = "labels.csv") -> str:
        key = f"sales/ground-truth/dt=2026-11-24/{name}"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content.encode() if isinstance(content, str) else content)
        return key

    def run(self, at: datetime | None = None) -> dict[str, Any]:
        """One run of the job, an hour after the last one if no time is given; its report.json."""
        self.at = at or self.at + timedelta(hours=1)
        self.patch.setattr(live_version, "find", lambda endpoint: self.live)
        self.patch.setattr(live_version, "approved", lambda group: self.live)
        self.patch.setattr(live_version, "newest_approved", lambda group: self.approved)
        self.patch.setenv("SCHEDULED_TIME", self.at.isoformat())
        self.patch.setenv("PIPELINE_EXECUTION_ID", f"run{self.at:%d%H}")
        monitor.run()
        return self.output("report.json")

    def output(self, name: str) -> Any:
        return json.loads((self.ml / "processing/output/report" / name).read_text())

    @property
    def published(self) -> dict[str, float]:
        """The model's metrics of the last run."""
        values = {}
        for metric in self.cloudwatch.list_metrics(Namespace="ModelFactory")["Metrics"]:
            if len(metric["Dimensions"]) == 2:
                window = {"StartTime": self.at, "EndTime": self.at + timedelta(minutes=1), "Period": 60}
                found = self.cloudwatch.get_metric_statistics(**metric, **window, Statistics=["Maximum"])["Datapoints"]
                if found:
                    values[metric["MetricName"]] = found[0]["Maximum"]
        return values
