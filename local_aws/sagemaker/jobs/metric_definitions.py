"""Metrics of training jobs: what the regular expressions of `MetricDefinitions` find in the output of a container.

Source: SageMaker developer guide, "Define metrics and environment variables".
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...json_api import Record, now

EMITTED = "_emitted"
"""Member of a training job's record: the values of each metric, in the order in which the container wrote them."""


def emitted(definitions: Sequence[Record], *logs: Path) -> dict[str, list[float]]:
    """The values of each metric in the output of the containers so far, one after the other, by its name."""
    if not definitions:
        return {}
    lines = [line for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines()]
    return {each["Name"]: list(values(each["Regex"], lines)) for each in definitions}


def record_metrics(record: Record, logs: Sequence[Path]) -> None:
    """Record the metrics of containers that have ended: `FinalMetricDataList` has the last value of each."""
    record[EMITTED] = emitted(record["AlgorithmSpecification"].get("MetricDefinitions", []), *logs)
    last = {name: found[-1] for name, found in record[EMITTED].items() if found}
    if last:
        record["FinalMetricDataList"] = [
            {"MetricName": name, "Value": value, "Timestamp": now()} for name, value in last.items()
        ]


def values(regex: str, lines: Sequence[str]) -> Iterator[float]:
    """The numbers that the first group of an expression matches, or all of it without a group, in the order of the lines."""
    pattern = re.compile(regex)
    for line in lines:
        for match in pattern.finditer(line):
            try:
                yield float(match[1] if pattern.groups else match[0])
            except (TypeError, ValueError):
                continue


def objective(record: Record, name: str) -> float | None:
    """The last value of a metric of a training job that has ended."""
    return next((each["Value"] for each in record.get("FinalMetricDataList", []) if each["MetricName"] == name), None)
