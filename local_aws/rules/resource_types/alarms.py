"""CloudWatch alarms."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from ..checks import more_than, together
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import every, number, repeated, true

_ALARM = "CloudWatch API reference, PutMetricAlarm"
_MATH = "CloudWatch user guide, Create a CloudWatch alarm based on a metric math expression"
_alarm = partial(Rule, CLOUDFORMATION, "AWS::CloudWatch::Alarm", code="ValidationError")


def _metrics(request: Request) -> list[dict[str, Any]]:
    return every(request.params.get("Metrics"))


def _periods(request: Request) -> Iterator[float]:
    if "Period" in request.params:
        yield number(request.params, "Period")
    yield from (number(each["MetricStat"], "Period") for each in _metrics(request) if "MetricStat" in each)


def _period(request: Request) -> bool:
    allowed = (10, 20, 30) if "Period" in request.params else (1, 5, 10, 20, 30)
    return any(each not in allowed and (each < 60 or each % 60) for each in _periods(request))


def _longest(request: Request) -> tuple[float, float]:
    """The longest period, and it times the number of periods."""
    period = max(_periods(request), default=0)
    return period, period * number(request.params, "EvaluationPeriods", 1)


def _over_a_day(request: Request) -> bool:
    period, seconds = _longest(request)
    return period < 3600 and seconds > 86400


def _over_a_week(request: Request) -> bool:
    return _longest(request)[1] > 604800


def _datapoints(request: Request) -> bool:
    return number(request.params, "DatapointsToAlarm") > number(request.params, "EvaluationPeriods", 1)


def _returned(request: Request) -> bool:
    returned = [each for each in _metrics(request) if true(each.get("ReturnData", True))]
    return bool(_metrics(request)) and len(returned) != 1


def _both_forms(request: Request) -> bool:
    singles = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
    return bool(_metrics(request)) and any(name in request.params for name in singles)


def _no_statistic(request: Request) -> bool:
    given = request.params
    return "MetricName" in given and not ("Statistic" in given or "ExtendedStatistic" in given)


def _no_period(request: Request) -> bool:
    return "MetricName" in request.params and "Period" not in request.params


def _no_threshold(request: Request) -> bool:
    given = request.params
    return not any(name in given for name in ("Threshold", "ThresholdMetricId", "EvaluationCriteria"))


def _same_id(request: Request) -> Values | None:
    found = repeated([str(each.get("Id")) for each in _metrics(request)])
    return {"id": found} if found else None


def _wrong_id(request: Request) -> Values | None:
    ids = [str(each.get("Id")) for each in _metrics(request)]
    return next(({"id": each} for each in ids if not re.fullmatch("[a-z][a-zA-Z0-9_]*", each)), None)


def _unknown_id(request: Request) -> Values | None:
    known = {each.get("Id") for each in _metrics(request)}
    for each in _metrics(request):
        # Text in quotes names metrics and expressions of the search language; ids begin with a small letter.
        words = re.sub(r"'[^']*'|\"[^\"]*\"", "", str(each.get("Expression", "")))
        for word in re.findall(r"(?<![\w.])[a-z]\w*", words):
            if word not in known:
                return {"id": each.get("Id"), "word": word}
    return None


def _two_sources(request: Request) -> bool:
    return any(("Expression" in each) == ("MetricStat" in each) for each in _metrics(request))


def _search(request: Request) -> bool:
    return any("SEARCH(" in str(each.get("Expression")) for each in _metrics(request))


def _percentile(request: Request) -> Values | None:
    statistic = str(request.params.get("ExtendedStatistic", "p99"))
    fits = re.fullmatch(r"(p|tm|wm|tc|ts)\d{1,3}(\.\d+)?|IQM|(TM|WM|PR|TC|TS)\(.*\)", statistic)
    return None if fits else {"statistic": statistic}


_ONE = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1}
_SIMPLE = _ONE | {"MetricName": "Drift", "Namespace": "ModelFactory", "Statistic": "Maximum", "Period": 60}
_STAT = {"Metric": {"MetricName": "Drift", "Namespace": "ModelFactory"}, "Period": 60, "Stat": "Sum"}


def _math(*changes: dict[str, Any], expression: str = "m1 / 2") -> dict[str, Any]:
    metric = {"Id": "m1", "MetricStat": _STAT, "ReturnData": False}
    return _ONE | {"Metrics": [{"Id": "e1", "Expression": expression}, metric, *changes]}


ENTRIES: tuple[Entry, ...] = (
    _alarm(
        says="A period is 10, 20 or 30 seconds or a multiple of 60.",
        source=_ALARM,
        message="Period must be 10, 20, 30 or a multiple of 60",
        inferred=True,
        check=_period,
        accepted=_SIMPLE | {"Period": "86400"},
        refused=_SIMPLE | {"Period": 90},
    ),
    _alarm(
        says="With a period of less than an hour an alarm looks at one day at most.",
        source=_ALARM,
        message="Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).",
        check=_over_a_day,
        accepted=_SIMPLE | {"Period": 1800, "EvaluationPeriods": 48},
        refused=_SIMPLE | {"Period": 1800, "EvaluationPeriods": 49},
    ),
    _alarm(
        says="An alarm looks at seven days at most.",
        source=f"{_ALARM}; words: errors of `terraform apply` in public repositories",
        message="Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800) for alarms "
        "using period >= 3600",
        check=_over_a_week,
        accepted=_SIMPLE | {"Period": 86400, "EvaluationPeriods": 7},
        refused=_SIMPLE | {"Period": 86400, "EvaluationPeriods": 8},
    ),
    _alarm(
        says="No more data points than evaluation periods can breach.",
        source=_ALARM,
        message="DatapointsToAlarm must be less than or equal to EvaluationPeriods",
        check=_datapoints,
        accepted=_SIMPLE | {"DatapointsToAlarm": 1},
        refused=_SIMPLE | {"DatapointsToAlarm": 2},
    ),
    _alarm(
        says="One element of the metrics returns data.",
        source="CloudWatch API reference, MetricDataQuery",
        message="Exactly one element of the metrics list should return data.",
        check=_returned,
        accepted=_math(),
        refused=_math({"Id": "e2", "Expression": "m1"}),
    ),
    _alarm(
        says="An alarm has a metric or a list of metrics, not both.",
        source=_ALARM,
        message="Parameters MetricName, Namespace, Dimensions, Period, Unit, Statistic and ExtendedStatistic cannot be specified "
        "together with Metrics",
        inferred=True,
        check=_both_forms,
        accepted=_math(),
        refused=_math() | {"Period": 60},
    ),
    _alarm(
        says="An alarm on a metric has a statistic.",
        source=_ALARM,
        message="Must specify either Statistic or ExtendedStatistic",
        inferred=True,
        check=_no_statistic,
        accepted=_SIMPLE,
        refused=_ONE | {"MetricName": "Drift", "Namespace": "ModelFactory", "Period": 60},
    ),
    _alarm(
        says="An alarm has one statistic.",
        source=_ALARM,
        message="Only one of Statistic or ExtendedStatistic can be specified",
        inferred=True,
        check=together("Statistic", "ExtendedStatistic"),
        accepted=_SIMPLE,
        refused=_SIMPLE | {"ExtendedStatistic": "p99"},
    ),
    _alarm(
        says="An extended statistic is a percentile, a trimmed mean or one of its like.",
        source="CloudWatch user guide, CloudWatch statistics definitions",
        message="The value {statistic} for parameter ExtendedStatistic is not supported.",
        inferred=True,
        check=_percentile,
        accepted=_SIMPLE | {"ExtendedStatistic": "p99.9"},
        refused=_SIMPLE | {"ExtendedStatistic": "99"},
    ),
    _alarm(
        says="An alarm on a metric has a period.",
        source=_ALARM,
        message="The parameter Period must be specified when MetricName is set",
        inferred=True,
        check=_no_period,
        accepted=_SIMPLE,
        refused=_ONE | {"MetricName": "Drift", "Namespace": "ModelFactory", "Statistic": "Sum"},
    ),
    _alarm(
        says="An alarm has a threshold.",
        source=_ALARM,
        message="The parameter Threshold must be specified for alarms based on static thresholds",
        inferred=True,
        check=_no_threshold,
        accepted=_SIMPLE,
        refused={name: value for name, value in _SIMPLE.items() if name != "Threshold"},
    ),
    _alarm(
        says="Ids of metrics are unique.",
        source="CloudWatch API reference, MetricDataQuery",
        message="The values for parameter id in metrics must be unique: {id}",
        inferred=True,
        check=_same_id,
        accepted=_math(),
        refused=_math({"Id": "m1", "MetricStat": _STAT, "ReturnData": False}),
    ),
    _alarm(
        says="Ids of metrics begin with a lowercase letter and have letters, digits and underscores.",
        source="CloudWatch API reference, MetricDataQuery",
        message="The value {id} for parameter id in metrics is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
        inferred=True,
        check=_wrong_id,
        accepted=_math(),
        refused=_math({"Id": "M2", "MetricStat": _STAT, "ReturnData": False}),
    ),
    _alarm(
        says="An expression names ids of the alarm only.",
        source=_MATH,
        message="Error in expression '{id}' [Undefined variable {word}]",
        inferred=True,
        check=_unknown_id,
        accepted=_math(expression="IF(FILL(m1, 0) > 1, 1, 0)"),
        refused=_math(expression="m1 / m2"),
    ),
    _alarm(
        says="An element of the metrics is a metric or an expression.",
        source="CloudWatch API reference, MetricDataQuery",
        message="Exactly one of MetricStat or Expression must be specified in each element of the metrics list.",
        inferred=True,
        check=_two_sources,
        accepted=_math(),
        refused=_math({"Id": "m2", "ReturnData": False}),
    ),
    _alarm(
        says="An alarm has no search expression.",
        source="CloudWatch user guide, Using search expressions in graphs; words: errors of deployments in public repositories",
        message="SEARCH is not supported on Metric Alarms",
        check=_search,
        accepted=_math(),
        refused=_math(expression="SUM(SEARCH('{ModelFactory}', 'Sum', 60))"),
    ),
    _alarm(
        says="An alarm has up to 10 metrics.",
        source=_MATH,
        message="The collection Metrics must not have a size greater than 10.",
        inferred=True,
        check=more_than(10, "Metrics"),
        accepted=_math(),
        refused=_math(*({"Id": f"m{n}", "MetricStat": _STAT, "ReturnData": False} for n in range(2, 11))),
    ),
)
