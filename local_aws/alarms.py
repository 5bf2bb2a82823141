"""Evaluation of CloudWatch alarms: on new metric data, and on demand, for missing data.

An alarm's clock is the newest datapoint of its metrics (or the time given to `POST /_local/alarms`), so that tests can
replay a week of datapoints; on AWS it is the wall clock.
"""

import json
import math
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, Statistics, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from . import deliveries
from .events import emit
from .interfaces import EmbeddedAws

COMPARE = {
    "GreaterThanThreshold": (lambda value, limit: value > limit, "greater than"),
    "GreaterThanOrEqualToThreshold": (lambda value, limit: value >= limit, "greater than or equal to"),
    "LessThanThreshold": (lambda value, limit: value < limit, "less than"),
    "LessThanOrEqualToThreshold": (lambda value, limit: value <= limit, "less than or equal to"),
}
_lock = threading.Lock()


def evaluate(
    local: EmbeddedAws, account: str, region: str, now: datetime, names: Iterable[str] | None = None
) -> list[str]:
    """Evaluate the alarms called `names` (default: all) as of `now`; returns the names of those whose state changed."""
    backend = cloudwatch_backends[account][region]
    changed: list[str] = []
    with _lock:
        for alarm in list(backend.alarms.values()):
            if (names is None or alarm.name in names) and alarm.rule is None:
                points = _points(backend, alarm, now)
                state, reason, data = _judge(alarm, points, now)
                if state != alarm.state_value:
                    _change(local, account, region, alarm, state, reason, data)
                    changed.append(alarm.name)
    return changed


def _points(backend: CloudWatchBackend, alarm: Any, now: datetime) -> list[float | None]:
    """Values of the last evaluation periods, newest first; None where a period has no data."""
    dimensions = {(d.name, d.value) for d in alarm.dimensions}
    data = [
        datum
        for datum in backend.get_all_metrics()
        if (datum.namespace, datum.name) == (alarm.namespace, alarm.metric_name)
        and {(d.name, d.value) for d in datum.dimensions} == dimensions
    ]
    values: list[float | None] = []
    for back in range(int(alarm.evaluation_periods)):
        start = _floor(now, int(alarm.period)) - timedelta(seconds=int(alarm.period) * back)
        end = start + timedelta(seconds=int(alarm.period))
        within = Statistics([alarm.statistic or ""], start)
        within.metric_data = [datum for datum in data if start <= _aware(datum.timestamp) < end]
        values.append(_value(within, alarm) if within.metric_data else None)
    return values


def _value(within: Statistics, alarm: Any) -> float:
    """The alarm's statistic of a period's data; a percentile is the smallest value with that share at or below it."""
    if alarm.statistic:
        return float(within.get_statistics_for_type(alarm.statistic) or 0.0)
    if not alarm.extended_statistic.startswith("p"):
        raise ValueError(f"{alarm.name}: the embedded AWS does not support the statistic {alarm.extended_statistic}")
    ordered = sorted(within.metric_single_values_list)
    rank = math.ceil(float(alarm.extended_statistic[1:]) / 100 * len(ordered))
    return ordered[max(rank, 1) - 1]


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _judge(alarm: Any, points: list[float | None], now: datetime) -> tuple[str, str, dict[str, Any]]:
    """The state with CloudWatch's wording, by 'M of N datapoints' and the treatment of missing data."""
    breaches, words = COMPARE[alarm.comparison_operator]
    limit, needed = float(alarm.threshold), int(alarm.datapoints_to_alarm or alarm.evaluation_periods)
    present = [point for point in points if point is not None]
    missing = alarm.treat_missing_data or "missing"
    breaching = sum(breaches(point, limit) for point in present)
    if missing == "breaching":
        breaching += len(points) - len(present)
    data = {
        "version": "1.0",
        "queryDate": now.isoformat(),
        "statistic": alarm.statistic or alarm.extended_statistic,
        "period": int(alarm.period),
        "recentDatapoints": present,
        "threshold": limit,
    }
    if not present and missing == "missing":
        return "INSUFFICIENT_DATA", "Insufficient Data: no datapoints were received", data
    if not present and missing == "ignore":
        return alarm.state_value, alarm.state_reason, data
    shown = ", ".join(f"{point} ({now:%d/%m/%y %H:%M:%S})" for point in present) or "no datapoints were received"
    count = breaching if breaching >= needed else max(1, len(points) - breaching)
    relation, change = ("was", "OK -> ALARM") if breaching >= needed else ("was not", "ALARM -> OK")
    reason = (
        f"Threshold Crossed: {count} out of the last {len(points)} datapoints [{shown}] {relation} {words} the "
        f"threshold ({limit}) (minimum {needed} datapoint{'s' if needed > 1 else ''} for {change} transition)."
    )
    return ("ALARM" if breaching >= needed else "OK"), reason, data


def _change(
    local: EmbeddedAws, account: str, region: str, alarm: Any, state: str, reason: str, data: dict[str, Any]
) -> None:
    previous = {
        "value": alarm.state_value,
        "reason": alarm.state_reason,
        "timestamp": _stamp(alarm.state_updated_timestamp),
    }
    alarm.update_state(reason, json.dumps(data), state)
    dimensions = {dimension.name: dimension.value for dimension in alarm.dimensions}
    metric = {"namespace": alarm.namespace, "name": alarm.metric_name, "dimensions": dimensions}
    stat = {"metric": metric, "period": int(alarm.period), "stat": alarm.statistic or alarm.extended_statistic}
    now = _stamp(datetime.now(UTC))
    detail = {
        "alarmName": alarm.name,
        "configuration": {
            "description": alarm.description,
            "metrics": [{"id": "m1", "metricStat": stat, "returnData": True}],
        },
        "previousState": previous,
        "state": {"value": state, "reason": reason, "reasonData": json.dumps(data), "timestamp": now},
    }
    emit(account, region, "aws.cloudwatch", "CloudWatch Alarm State Change", detail, [alarm.alarm_arn])
    actions = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}.get(state, alarm.insufficient_data_actions)
    if not alarm.actions_enabled:
        return
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "NewStateValue": state,
        "NewStateReason": reason,
        "OldStateValue": previous["value"],
        "StateChangeTime": now,
        "AlarmArn": alarm.alarm_arn,
        "Trigger": {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "Dimensions": [{"name": name, "value": value} for name, value in dimensions.items()],
            "Threshold": float(alarm.threshold),
        },
    }
    sns = local.accounts.client("sns", account, region)
    for action in actions or []:
        if ":sns:" in action:
            subject = f'{state}: "{alarm.name}"'[:100]
            content = {"TopicArn": action, "Subject": subject, "Message": json.dumps(message)}
            if deliveries.check(local, deliveries.CLOUDWATCH, alarm.alarm_arn, "sns", "Publish", content, region):
                sns.publish(**content)


def _stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _floor(time: datetime, period: int) -> datetime:
    return datetime.fromtimestamp(time.timestamp() // period * period, UTC)


def install(local: EmbeddedAws) -> None:
    """Evaluate a metric's alarms when data arrives for it; serve `POST /_local/alarms {account, region, time?}`."""
    put = CloudWatchBackend.put_metric_data

    def put_and_evaluate(self: Any, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        put(self, namespace, metric_data)
        watching = {
            alarm.name: _newest(metric_data, alarm.metric_name)
            for alarm in list(self.alarms.values())
            if alarm.namespace == namespace and any(_same(alarm, datum) for datum in metric_data)
        }
        for name, now in watching.items():
            threading.Thread(
                target=evaluate, args=(local, self.account_id, self.region_name, now, [name]), daemon=True
            ).start()

    local.replace(CloudWatchBackend, "put_metric_data", put_and_evaluate)
    local.replace(CloudWatchResponse, "describe_alarms", _describe_by_state_too)

    def control(body: dict[str, Any]) -> Any:
        time = datetime.fromisoformat(body["time"]) if body.get("time") else datetime.now(UTC)
        return evaluate(local, body["account"], body["region"], time)

    local.control("alarms", control)


def _describe_by_state_too(
    self: CloudWatchResponse, describe: Any = CloudWatchResponse.describe_alarms
) -> ActionResult:
    """DescribeAlarms with the filter StateValue, which moto ignores when there are names or a prefix."""
    found = describe(self).result
    wanted = self._get_param("StateValue")
    kinds = ("MetricAlarms", "CompositeAlarms")
    return ActionResult({kind: [a for a in found[kind] if wanted in (None, a.state_value)] for kind in kinds})


def _same(alarm: Any, datum: dict[str, Any]) -> bool:
    dimensions = {(d["Name"], d["Value"]) for d in datum.get("Dimensions") or []}
    return datum["MetricName"] == alarm.metric_name and dimensions == {(d.name, d.value) for d in alarm.dimensions}


def _newest(metric_data: list[dict[str, Any]], name: str) -> datetime:
    times = [datum["Timestamp"] for datum in metric_data if datum["MetricName"] == name and datum.get("Timestamp")]
    parsed = [datetime.fromisoformat(time) if isinstance(time, str) else time for time in times]
    newest = max(parsed, default=datetime.now(UTC))
    return _aware(newest)
