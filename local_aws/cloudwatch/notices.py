"""What an alarm says of itself: in the event of a changed state, and in the message of its actions.

Source: CloudWatch user guide, "Alarm events and EventBridge".
"""

from typing import Any

from .queries import described


def configuration(alarm: Any) -> dict[str, Any]:
    """The event's `configuration`."""
    found = {"description": alarm.description}
    if alarm.rule is not None:
        return found | {"alarmRule": alarm.rule}
    if alarm.metric_data_queries:
        return found | {"metrics": list(described(alarm))}
    metric = {"namespace": alarm.namespace, "name": alarm.metric_name, "dimensions": _dimensions(alarm)}
    stat = {"metric": metric, "period": int(alarm.period), "stat": alarm.statistic or alarm.extended_statistic}
    return found | {"metrics": [{"id": "m1", "metricStat": stat, "returnData": True}]}


def trigger(alarm: Any) -> dict[str, Any]:
    """What the message of an action says of the alarm."""
    if alarm.rule is not None:
        return {"AlarmRule": alarm.rule}
    if alarm.metric_data_queries:
        metrics = [
            {"Id": each.id, "Expression": each.expression, "Label": each.label} for each in alarm.metric_data_queries
        ]
        return {"Trigger": {"Metrics": metrics, "Threshold": float(alarm.threshold)}}
    dimensions = [{"name": name, "value": value} for name, value in _dimensions(alarm).items()]
    metric = {"MetricName": alarm.metric_name, "Namespace": alarm.namespace, "Dimensions": dimensions}
    return {"Trigger": metric | {"Threshold": float(alarm.threshold)}}


def _dimensions(alarm: Any) -> dict[str, str]:
    return {dimension.name: dimension.value for dimension in alarm.dimensions}
