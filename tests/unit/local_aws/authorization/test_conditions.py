"""Condition operators, after the tables of IAM's user guide."""

import pytest

from local_aws.authorization.conditions import Context, UnknownConditionError, holds
from local_aws.authorization.policies import parse

from .conftest import allow, document


def condition_holds(operator, key, wanted, context):
    parsed = parse("p", document(allow("*", "*", Condition={operator: {key: wanted}})))
    return holds(parsed.statements[0], context)


@pytest.mark.parametrize(
    ("operator", "wanted", "given_value", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["b", "a"], "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "abc", False),
        ("StringNotEquals", ["b", "a"], "a", False),
        ("StringNotEquals", ["b", "c"], "a", True),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringNotEqualsIgnoreCase", "a", "A", False),
        ("StringLike", "a*", "abc", True),
        ("StringNotLike", "a*", "abc", False),
        ("NumericEquals", "10", "10.0", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThanEquals", "10", "11", False),
        ("NumericGreaterThan", "9", "10", True),
        ("NumericGreaterThanEquals", 10, "10", True),
        ("NumericNotEquals", "1", "2", True),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", True),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", False),
        ("DateEquals", "1767225600", "2026-01-01T00:00:00Z", True),
        ("Bool", "true", "true", True),
        ("Bool", True, "false", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", ["192.0.2.0/24", "2001:db8::/32"], "10.1.2.3", False),
        ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", False),
        ("ArnLike", "arn:aws:events:*:111122223333:rule/*", "arn:aws:events:eu-west-1:111122223333:rule/r", True),
        ("ArnEquals", "arn:aws:events:*:111122223333:rule/*", "arn:aws:events:eu-west-1:111122223333:rule/r", True),
        ("ArnEquals", "arn:aws:events:*:rule/*", "arn:aws:events:eu-west-1:111122223333:rule/r", False),
        ("ArnNotLike", "arn:aws:events:*:111122223333:rule/*", "arn:aws:s3:::b", True),
        ("ArnNotEquals", "arn:aws:s3:::b", "arn:aws:s3:::b", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("Null", "true", "here", False),
        ("Null", "false", "here", True),
        ("StringEqualsIfExists", "a", "b", False),
    ],
)
def test_operators(operator, wanted, given_value, expected):
    assert condition_holds(operator, "aws:Key", wanted, Context.of({"aws:key": given_value})) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringLike", False),
        ("Bool", False),
        ("IpAddress", False),
        ("StringNotEquals", True),
        ("ArnNotLike", True),
        ("NotIpAddress", True),
        ("StringEqualsIfExists", True),
        ("BoolIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
    ],
)
def test_operators_on_an_absent_key(operator, expected):
    assert condition_holds(operator, "aws:Key", "10.0.0.1", Context.of({"aws:Key": None})) is expected
    assert condition_holds("Null", "aws:Key", "true", Context.of({}, ["aws:Key"]))


@pytest.mark.parametrize(
    ("operator", "given_values", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "c"], False),
        ("ForAnyValue:StringEquals", ["a", "c"], True),
        ("ForAnyValue:StringEquals", ["c", "d"], False),
        ("ForAllValues:StringNotEquals", ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["a", "d"], False),
        ("ForAnyValue:StringNotEquals", ["a", "d"], True),
        ("StringEquals", ["a", "b"], False),
    ],
)
def test_set_operators(operator, given_values, expected):
    assert condition_holds(operator, "aws:TagKeys", ["a", "b"], Context.of({"aws:TagKeys": given_values})) is expected


@pytest.mark.parametrize("operator", ["StringSimilar", "ForSomeValues:StringEquals"])
def test_unknown_operator_is_error(operator):
    with pytest.raises(UnknownConditionError, match=f"condition operator {operator} is not known"):
        condition_holds(operator, "aws:Key", "a", Context.of({"aws:Key": "a"}))


def test_policy_variables_are_replaced_in_conditions():
    context = Context.of({"aws:SourceAccount": "1", "aws:ResourceAccount": "1"})
    assert condition_holds("StringEquals", "aws:SourceAccount", "${aws:ResourceAccount}", context)
    assert not condition_holds("StringEquals", "aws:SourceAccount", "x${aws:ResourceAccount}", context)
