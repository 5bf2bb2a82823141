"""CloudWatch and its logs."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from .. import clock
from ..checks import found, matching, none_of, size
from ..rule import Check, Entry, NotEnforced, Request, Values, table

PUT = "CloudWatch API reference: PutMetricData"
DATUM = "CloudWatch API reference: MetricDatum"
STATISTICS = "CloudWatch API reference: GetMetricStatistics"
EVENTS = "CloudWatch Logs API reference: PutLogEvents"
rule = table("cloudwatch", "InvalidParameterValue", PUT)
logs = table("logs", "InvalidParameterException", EVENTS)

NOW = datetime.now(UTC)
MILLISECONDS = int(NOW.timestamp() * 1000)
LARGEST = 2.0**360


def data(*datums: dict[str, Any], namespace: str = "ModelFactory") -> dict[str, Any]:
    """Parameters of PutMetricData."""
    return {
        "Namespace": namespace,
        "MetricData": [{"MetricName": "m", "Value": 1.0, **datum} for datum in datums or ({},)],
    }


def _datum(test: Any) -> Check:
    """A datum is wrong. Values: index (from 1), datum."""

    def check(request: Request) -> Values | None:
        for index, datum in enumerate(found(request.params, "MetricData[]"), 1):
            if test(datum):
                return {"index": index, "datum": datum, "value": datum.get("Value")}
        return None

    return check


def timestamp(value: Any) -> datetime:
    """A timestamp of a request: of JSON (seconds), of text, or a datetime."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    parsed = datetime.fromisoformat(value) if isinstance(value, str) else value
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _later(delta: timedelta) -> Any:
    return lambda datum: "Timestamp" in datum and timestamp(datum["Timestamp"]) > clock.now() + delta


def _earlier(delta: timedelta) -> Any:
    # By the machine's time: a control lets time pass for one model, and another's days may be earlier.
    return lambda datum: "Timestamp" in datum and timestamp(datum["Timestamp"]) < datetime.now(UTC) - delta


def _beyond_range(datum: Any) -> bool:
    values = [*found(datum, "Value"), *found(datum, "Values[]")]
    return any(not math.isfinite(float(value)) or abs(float(value)) > LARGEST for value in values)


def _statistics(**more: Any) -> dict[str, Any]:
    return {
        "Namespace": "n",
        "MetricName": "m",
        "StartTime": NOW - timedelta(hours=1),
        "EndTime": NOW,
        "Period": 60,
        "Statistics": ["Sum"],
        **more,
    }


def _datapoints(request: Request) -> Values | None:
    span = timestamp(request.params["EndTime"]) - timestamp(request.params["StartTime"])
    points = math.ceil(span.total_seconds() / request.params["Period"])
    return {"count": points} if points > 1440 else None


def _wrong_period(request: Request) -> Values | None:
    period = request.params["Period"]
    return {"value": period} if period not in (1, 5, 10, 20, 30) and (period < 60 or period % 60) else None


def _log(*events: tuple[int, str]) -> dict[str, Any]:
    made = [{"timestamp": time, "message": text} for time, text in events]
    return {"logGroupName": "g", "logStreamName": "s", "logEvents": made}


def _times(request: Request) -> list[int]:
    return list(found(request.params, "logEvents[].timestamp"))


def _batch_too_large(request: Request) -> Values | None:
    total = sum(size(message) + 26 for message in found(request.params, "logEvents[].message"))
    return {"count": total} if total > 1048576 else None


METRICS: tuple[Entry, ...] = (
    rule(
        "PutMetricData",
        "A request has at most 1,000 metrics.",
        "The collection MetricData must not have a size greater than 1000.",
        lambda request: len(request.params.get("MetricData") or []) > 1000,
        data(),
        data(*[{}] * 1001),
    ),
    rule(
        "PutMetricData",
        "A datum has at most 150 values.",
        "The collection MetricData.member.{index}.Values must not have a size greater than 150.",
        _datum(lambda datum: len(datum.get("Values") or []) > 150),
        data(),
        {"Namespace": "n", "MetricData": [{"MetricName": "m", "Values": [float(value) for value in range(151)]}]},
        source=DATUM,
    ),
    rule(
        "PutMetricData",
        "There are as many counts as values.",
        "The parameters MetricData.member.{index}.Values and MetricData.member.{index}.Counts must be of the same size.",
        _datum(lambda datum: datum.get("Counts") and len(datum["Counts"]) != len(datum.get("Values") or [])),
        {"Namespace": "n", "MetricData": [{"MetricName": "m", "Values": [1.0], "Counts": [2.0]}]},
        {"Namespace": "n", "MetricData": [{"MetricName": "m", "Values": [1.0], "Counts": [2.0, 3.0]}]},
        source=DATUM,
    ),
    rule(
        "PutMetricData",
        "A datum has a value, values or statistics.",
        "At least one of the parameters MetricData.member.{index}.Value, MetricData.member.{index}.Values or "
        "MetricData.member.{index}.StatisticValues must be specified.",
        _datum(lambda datum: not {"Value", "Values", "StatisticValues"} & datum.keys()),
        data(),
        {"Namespace": "n", "MetricData": [{"MetricName": "m"}]},
        code="MissingParameter",
        source=DATUM,
        inferred=True,
    ),
    rule(
        "PutMetricData",
        "A datum has only one of a value, values and statistics.",
        "The parameters MetricData.member.{index}.Value and MetricData.member.{index}.Values are mutually exclusive and you "
        "have specified both.",
        _datum(lambda datum: len({"Value", "Values", "StatisticValues"} & datum.keys()) > 1),
        data(),
        data({"Values": [1.0]}),
        code="InvalidParameterCombination",
        source=DATUM,
    ),
    rule(
        "PutMetricData",
        "Values are numbers between -2^360 and 2^360.",
        "The value {value} for parameter MetricData.member.{index}.Value is invalid.",
        _datum(_beyond_range),
        data({"Value": -1.5}),
        data({"Value": 1e300}),
    ),
    rule(
        "PutMetricData",
        "A time is at most two weeks ago.",
        "The parameter MetricData.member.{index}.Timestamp must specify a time no more than two weeks in the past.",
        _datum(_earlier(timedelta(weeks=2))),
        data({"Timestamp": NOW - timedelta(days=13)}),
        data({"Timestamp": NOW - timedelta(days=15)}),
        source=DATUM,
    ),
    rule(
        "PutMetricData",
        "A time is at most two hours ahead.",
        "The parameter MetricData.member.{index}.Timestamp must specify a time within the next two hours.",
        _datum(_later(timedelta(hours=2))),
        data({"Timestamp": NOW + timedelta(hours=1)}),
        data({"Timestamp": NOW + timedelta(hours=3)}),
        source=DATUM,
    ),
    rule(
        "PutMetricData",
        "The resolution of a metric is 1 or 60 seconds.",
        "The value for parameter MetricData.member.{index}.StorageResolution must be 1 or 60.",
        _datum(lambda datum: datum.get("StorageResolution", 60) not in (1, 60)),
        data({"StorageResolution": 60}),
        data({"StorageResolution": 30}),
        source=DATUM,
        inferred=True,
    ),
    rule(
        "PutMetricData",
        "Names and values of dimensions are ASCII with a character that is no space.",
        "The value for parameter MetricData.member.{index}.Dimensions contains characters that are not ASCII.",
        _datum(
            lambda datum: any(
                not text.isascii() or not text.strip()
                for dimension in datum.get("Dimensions") or []
                for text in (dimension["Name"], dimension["Value"])
            )
        ),
        data({"Dimensions": [{"Name": "Feature", "Value": "age"}]}),
        data({"Dimensions": [{"Name": "Feature", "Value": "größe"}]}),
        source="CloudWatch API reference: Dimension",
        inferred=True,
    ),
    rule(
        "PutMetricData",
        "Namespaces that begin with AWS/ belong to AWS's services.",
        "The value {value} for parameter Namespace is invalid.",
        lambda request: None if request.service else matching(r"^AWS/", "Namespace")(request),
        data(),
        data(namespace="AWS/SageMaker"),
    ),
    rule(
        "GetMetricStatistics",
        "A response has at most 1,440 data points.",
        "You have requested up to {count} datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested "
        "by increasing Period, or decreasing the time range.",
        _datapoints,
        _statistics(),
        _statistics(StartTime=NOW - timedelta(days=3)),
        code="InvalidParameterCombination",
        source=STATISTICS,
    ),
    rule(
        "GetMetricStatistics",
        "A period is 1, 5, 10, 20, 30 or a multiple of 60 seconds.",
        "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.",
        _wrong_period,
        _statistics(),
        _statistics(Period=90),
        source=STATISTICS,
        inferred=True,
    ),
    rule(
        "GetMetricStatistics",
        "A request has Statistics or ExtendedStatistics.",
        "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
        none_of("Statistics[]", "ExtendedStatistics[]"),
        _statistics(),
        {name: value for name, value in _statistics().items() if name != "Statistics"},
        code="MissingParameter",
        source=STATISTICS,
        inferred=True,
    ),
    rule(
        "GetMetricStatistics",
        "The start is before the end.",
        "The parameter StartTime must be less than the parameter EndTime.",
        lambda request: timestamp(request.params["StartTime"]) >= timestamp(request.params["EndTime"]),
        _statistics(),
        _statistics(StartTime=NOW, EndTime=NOW - timedelta(hours=1)),
        source=STATISTICS,
    ),
    NotEnforced(
        "cloudwatch",
        "PutMetricData",
        "A request has at most 1 MB.",
        PUT,
        "A thousand metrics of ours are less than half of it, and they are counted.",
    ),
)

LOGS: tuple[Entry, ...] = (
    logs(
        "PutLogEvents",
        "The events of a batch are in chronological order.",
        "Log events in a single PutLogEvents request must be in chronological order.",
        lambda request: _times(request) != sorted(_times(request)),
        _log((MILLISECONDS, "a"), (MILLISECONDS + 1, "b")),
        _log((MILLISECONDS, "a"), (MILLISECONDS - 1, "b")),
    ),
    logs(
        "PutLogEvents",
        "A batch spans at most 24 hours.",
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        lambda request: max(_times(request)) - min(_times(request)) > 86_400_000,
        _log((MILLISECONDS, "a")),
        _log((MILLISECONDS - 90_000_000, "a"), (MILLISECONDS, "b")),
    ),
    logs(
        "PutLogEvents",
        "A batch has at most 1,048,576 bytes: its messages, and 26 bytes for each.",
        "Upload too large: {count} bytes exceeds limit of 1048576",
        _batch_too_large,
        _log((MILLISECONDS, "a")),
        _log((MILLISECONDS, "x" * 600_000), (MILLISECONDS, "y" * 600_000)),
    ),
)
ENTRIES: tuple[Entry, ...] = (*METRICS, *LOGS)
