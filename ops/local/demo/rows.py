"""The rows of the demo's table: every number is read from AWS."""

from dataclasses import dataclass
from datetime import datetime

from ...operations.reader import Reader
from ...operations.versions import gate_metric


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


def read_row(reader: Reader, day: int, traffic: str, at: datetime, trigger: str) -> Row:
    """The table's row for one day; `at`: the time of the monitor's schedule."""
    package = reader.live_package()
    metadata = package["CustomerMetadataProperties"] if package else {}
    rows, drifted = reader.metric("RowsObserved", at), reader.metric("DriftedFeatures", at)
    return Row(
        day=day,
        traffic=traffic,
        rows=None if rows is None else int(rows),
        drifted=None if drifted is None else int(drifted),
        alarm=reader.drift_alarm()["StateValue"],
        trigger=trigger,
        version=package["ModelPackageVersion"] if package else None,
        evaluation=gate_metric(metadata) or "-",
        ground_truth=reader.ground_truth_interval(at),
        endpoint=reader.endpoint()["EndpointStatus"],
    )
