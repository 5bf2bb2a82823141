"""The metrics of an alarm, whether it has one or a list with expressions, and their values over its periods."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from .evaluation import EXTRA_PERIODS, period_of, points
from .metric_math import Expression, MathError, Series, Value

STANDARD = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
type Key = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions of a metric."""


def keys_of(alarm: Any) -> list[Key]:
    """The metrics that the alarm reads."""
    if not alarm.metric_data_queries:
        return [] if alarm.rule else [(alarm.namespace, alarm.metric_name, _dimensions(alarm.dimensions))]
    return [_key(each.metric_stat.metric) for each in alarm.metric_data_queries if each.metric_stat]


def key_of_datum(namespace: str, datum: dict[str, Any]) -> Key:
    """The metric of a datum of PutMetricData."""
    return namespace, datum["MetricName"], frozenset((d["Name"], d["Value"]) for d in datum.get("Dimensions") or [])


def values(alarm: Any, data: Callable[[Key], Iterable[Any]], now: datetime) -> list[float | None]:
    """Values of the alarm's periods, newest first. `data`: the data of a metric. Raises MathError."""
    if not alarm.metric_data_queries:
        return points(data(keys_of(alarm)[0]), alarm, now)
    metrics = {
        each.id: points(data(_key(each.metric_stat.metric)), _one_metric(alarm, each.metric_stat), now)
        for each in alarm.metric_data_queries
        if each.metric_stat
    }
    return _result(alarm, metrics)


def check(alarm: Any) -> None:
    """Raise MathError for expressions that cannot be evaluated here."""
    periods = {int(each.metric_stat.period) for each in alarm.metric_data_queries if each.metric_stat}
    if len(periods) != 1:
        raise MathError(f"the embedded AWS evaluates metrics of one period, not of {sorted(periods) or 'none'}")
    length = int(alarm.evaluation_periods) + EXTRA_PERIODS
    _result(alarm, {each.id: [1.0] * length for each in alarm.metric_data_queries if each.metric_stat})


def described(alarm: Any) -> Iterator[dict[str, Any]]:
    """The alarm's metrics, as its events have them."""
    for each in alarm.metric_data_queries:
        if each.metric_stat:
            metric = each.metric_stat.metric
            named = {
                "namespace": metric.namespace,
                "name": metric.metric_name,
                "dimensions": dict(_dimensions(metric.dimensions)),
            }
            stat = {"metric": named, "period": int(each.metric_stat.period), "stat": each.metric_stat.stat}
            yield {"id": each.id, "metricStat": stat, "returnData": _returned(each)}
        else:
            yield {"id": each.id, "expression": each.expression, "label": each.label, "returnData": _returned(each)}


def _result(alarm: Any, metrics: dict[str, Series]) -> Series:
    """The series of the one query that returns data."""
    expressions = {each.id: each.expression for each in alarm.metric_data_queries if not each.metric_stat}
    found: dict[str, Value] = dict(metrics)
    length = len(next(iter(metrics.values())))

    def evaluate(name: str, on_the_way: tuple[str, ...]) -> None:
        if name in on_the_way:
            raise MathError(f"the expressions {', '.join(on_the_way)} refer to each other")
        for other in expressions:
            if other not in found and other != name and other in expressions[name]:
                evaluate(other, (*on_the_way, name))
        found[name] = Expression(expressions[name], found, metrics, period_of(alarm), length).value()

    returned = next(each for each in alarm.metric_data_queries if _returned(each)).id
    if returned in metrics:
        return metrics[returned]
    evaluate(returned, ())
    return Expression(returned, found, metrics, period_of(alarm), length).series()


def _one_metric(alarm: Any, stat: Any) -> Any:
    """An alarm on one metric of a list, for `points`."""
    standard = stat.stat in STANDARD
    return SimpleNamespace(
        name=alarm.name,
        period=stat.period,
        evaluation_periods=alarm.evaluation_periods,
        statistic=stat.stat if standard else None,
        extended_statistic=None if standard else stat.stat,
    )


def _key(metric: Any) -> Key:
    return metric.namespace, metric.metric_name, _dimensions(metric.dimensions)


def _dimensions(dimensions: Iterable[Any]) -> frozenset[tuple[str, str]]:
    return frozenset((each.name, each.value) for each in dimensions)


def _returned(query: Any) -> bool:
    return str(query.return_data).lower() != "false"
