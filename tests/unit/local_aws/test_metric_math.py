"""Metric math and rules of composite alarms."""

import pytest

from local_aws.cloudwatch.alarm_rule import AlarmRule, RuleError
from local_aws.cloudwatch.metric_math import Expression, MathError

M1, M2 = [6.0, None, 2.0], [3.0, 1.0, 0.0]
"""Newest first."""


def evaluate(text, length=3):
    metrics = {"m1": M1, "m2": M2}
    return Expression(text, metrics, metrics, 60, length).series()


@pytest.mark.parametrize(
    ("text", "series"),
    [
        ("m1 / m2", [2, None, None]),
        ("1 + 2 * m2 ^ 2", [19, 3, 1]),
        ("-(m1 - m2)", [-3, None, -2]),
        ("FILL(m1, 0) + m2", [9, 1, 2]),
        ("FILL(m1, REPEAT)", [6, 2, 2]),
        ("FILL(m1, LINEAR)", [6, 4, 2]),
        ("FILL(METRICS(), 0) / 2", None),
        ("SUM([m1, m2])", [9, 1, 2]),
        ("SUM(METRICS())", [9, 1, 2]),
        ('MAX(METRICS("m2"))', [3, 1, 0]),
        ("AVG(METRICS())", [4.5, 0.5, 1]),
        ("MIN([m1, m2])", [3, 1, 0]),
        ("AVG(m2) * m2", [4, 4 / 3, 0]),
        ("IF(m2 >= 1 AND m1 > 0, 100 * m1, 0)", [600, None, 0]),
        ("IF(FILL(m1, 0) == 0 || m2 > 2, 1, 0)", [1, 1, 0]),
        ("CEIL(m2 / PERIOD(m2))", [1, 1, 0]),
        ("TIME_SERIES(7)", [7, 7, 7]),
        ("METRIC_COUNT(METRICS())", [2, 2, 2]),
        ("1 / 0", [None, None, None]),
    ],
)
def test_expression_gives_series_of_periods(text, series):
    if series is None:
        with pytest.raises(MathError, match="must return a single time series"):
            evaluate(text)
        return
    assert evaluate(text) == pytest.approx(series)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("m1 +", "incomplete"),
        ("m3", "unexpected 'm3'"),
        ("m1 m2", "unexpected 'm2'"),
        ("SUM(m1", "is missing"),
        ("m1 ? 2", "unexpected '?'"),
        ("ANOMALY_DETECTION_BAND(m1)", "does not support the metric math function ANOMALY_DETECTION_BAND"),
        ("IF(m1)", "wrong arguments of IF"),
        ("METRICS()", "single time series"),
    ],
)
def test_expression_that_is_not_evaluated_says_why(text, message):
    with pytest.raises(MathError) as refused:
        evaluate(text)
    assert message in str(refused.value)


STATES = {"a": "ALARM", "b": "OK", "c d": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("ALARM(a)", True),
        ('ALARM("a") AND OK("b")', True),
        ("ALARM(a) AND NOT OK(b)", False),
        ('ALARM(b) OR INSUFFICIENT_DATA("c d")', True),
        ("NOT (ALARM(a) OR ALARM(b))", False),
        ("ALARM(b) OR ALARM(a) AND FALSE", False),
        ("TRUE", True),
        ("ALARM(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a)", True),
    ],
)
def test_rule_holds_by_states(text, holds):
    assert AlarmRule(text).holds(lambda name: STATES.get(name, "OK")) == holds


@pytest.mark.parametrize("text", ["", "ALARM(a) AND", "ALARM(a) ALARM(b)", "(ALARM(a)", "RED(a)", "ALARM(a) XOR OK(b)"])
def test_text_that_is_no_rule_is_refused(text):
    with pytest.raises(RuleError):
        AlarmRule(text)
