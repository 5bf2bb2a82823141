"""Event patterns: what PutRule refuses, and which events match, by EventBridge's guide and Event Ruler."""

import json

import pytest

from local_aws.eventbridge.matching import matches
from local_aws.eventbridge.patterns import PatternError, parse

ANYTHING_BUT = "Value of anything-but must be an array or single string/number value."
AFFIX = "prefix/suffix match pattern must be a string"
STRING = "match pattern must be a string"
MIXED = "Inside anything but list, either all values are number or string, mixed type is not supported"


def value(expression):
    return {"detail": {"state": [expression]}}


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ([], "Filter is not an object"),
        ({}, "Empty objects are not allowed"),
        ({"detail": {}}, "Empty objects are not allowed"),
        ({"source": "shop"}, '"source" must be an object or an array'),
        ({"source": None}, '"source" must be an object or an array'),
        ({"source": []}, "Empty arrays are not allowed"),
        ({"source": [["shop"]]}, "Match value must be String, number, true, false, or null"),
        (value({}), "Match expression name not found"),
        (value({"anything_but": "OK"}), "Unrecognized match type anything_but"),
        (value({"EXISTS": True}), "Unrecognized match type EXISTS"),
        (value({"prefix": "a", "suffix": "b"}), "Only one key allowed in match expression"),
        (value({"prefix": 3}), f"prefix {STRING}"),
        (value({"prefix": ["a"]}), f"prefix {STRING}"),
        (value({"prefix": {}}), "Prefix expression name not found"),
        (value({"prefix": {"suffix": "a"}}), "Unsupported prefix pattern: suffix"),
        (value({"suffix": {"equals-ignore-case": 3}}), f"equals-ignore-case {STRING}"),
        (value({"suffix": {"equals-ignore-case": "a", "prefix": "b"}}), "Only one key allowed in match expression"),
        (value({"suffix": None}), f"suffix {STRING}"),
        (value({"equals-ignore-case": ["a"]}), f"equals-ignore-case {STRING}"),
        (value({"wildcard": True}), f"wildcard {STRING}"),
        (value({"wildcard": "a**b"}), "Consecutive wildcard characters at pos 2"),
        (value({"wildcard": "a\\b"}), "Invalid escape character at pos 2"),
        (
            value({"wildcard": "*:*:*:*:*:event-bus/*"}),
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a "
            "wildcard character",
        ),
        (value({"exists": "true"}), "exists match pattern must be either true or false."),
        (value({"cidr": 10}), f"prefix {STRING}"),
        (value({"cidr": "10.0.0.0"}), "Malformed CIDR, one '/' required"),
        (value({"cidr": "10.0.0.0/x"}), "Malformed CIDR, mask bits must be an integer"),
        (value({"cidr": "10.0.0.0/-1"}), "Malformed CIDR, mask bits must not be negative"),
        (value({"cidr": "10.0.0.0/32"}), "IPv4 mask bits must be < 32"),
        (value({"cidr": "2001:db8::/128"}), "IPv6 mask bits must be < 128"),
        (value({"cidr": "10.0.0.299/24"}), "Invalid IP address: 10.0.0.299"),
        (value({"cidr": "host/24"}), "Nonstandard IP address: host"),
        (value({"numeric": "="}), "Value of numeric must be an array."),
        (value({"numeric": []}), "Invalid member in numeric match: ]"),
        (value({"numeric": [5]}), "Invalid member in numeric match: 5"),
        (value({"numeric": ["=>", 5]}), "Unrecognized numeric range operator: =>"),
        (value({"numeric": ["=", "5"]}), "Value of equals must be numeric"),
        (value({"numeric": ["<"]}), "Value of < must be numeric"),
        (value({"numeric": ["<", 5, ">", 1]}), "Too many elements in numeric expression"),
        (value({"numeric": [">", 0, 5]}), "Bad value in numeric range: 5"),
        (value({"numeric": [">", 0, ">", 5]}), "Bad numeric range operator: >"),
        (value({"numeric": [">", 0, "<", True]}), "Value of < must be numeric"),
        (value({"numeric": [">", 0, "<", 5, "<", 6]}), "Too many terms in numeric range expression"),
        (value({"numeric": [">", 5, "<", 5]}), "Bottom must be less than top"),
        (value({"anything-but": None}), ANYTHING_BUT),
        (value({"anything-but": True}), ANYTHING_BUT),
        (value({"anything-but": []}), MIXED),
        (value({"anything-but": ["a", 1]}), MIXED),
        (value({"anything-but": ["a", None]}), "Inside anything but list, start|null|boolean is not supported."),
        (value({"anything-but": {}}), "Anything-But expression name not found"),
        (value({"anything-but": {"numeric": ["=", 1]}}), "Unsupported anything-but pattern: numeric"),
        (value({"anything-but": {"prefix": {"equals-ignore-case": "a"}}}), ANYTHING_BUT),
        (value({"anything-but": {"prefix": 3}}), AFFIX),
        (value({"anything-but": {"suffix": ["a", 3]}}), AFFIX),
        (value({"anything-but": {"prefix": ""}}), "Null prefix/suffix not allowed"),
        (value({"anything-but": {"wildcard": [3]}}), f"wildcard {STRING}"),
        (
            value({"anything-but": {"equals-ignore-case": [3]}}),
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
        ),
        (value({"anything-but": "a", "exists": True}), "Too many elements in numeric expression"),
        (
            value({"anything-but": {"prefix": "a", "suffix": "b"}}),
            "Too many elements in numeric expression",
        ),
        ({"$or": {"source": ["a"]}}, "It must be an Array followed with $or."),
        ({"$or": [{"source": ["a"]}]}, "There must have at least 2 Objects in $or relationship."),
        ({"$or": ["a", "b"]}, "Only JSON object is allowed in array of $or relationship."),
        (
            {"$or": [{"prefix": ["a"]}, {"source": ["b"]}]},
            "prefix is Ruler reserved fieldName which cannot be used inside $or.",
        ),
    ],
)
def test_invalid_pattern_is_refused(pattern, reason):
    with pytest.raises(PatternError) as refusal:
        parse(json.dumps(pattern))
    assert str(refusal.value) == reason


def test_pattern_without_json_is_refused():
    with pytest.raises(PatternError, match="Invalid JSON"):
        parse("{")


@pytest.mark.parametrize(
    ("expression", "matching", "others"),
    [
        ("OK", ["OK", ["OK", "ALARM"]], ["ok", "", None, [], {"OK": 1}]),
        ("", [""], [None, "a"]),
        (None, [None, [None]], ["", "null", 0, False]),
        (300, [300, 300.0], ["300", 301, True]),
        (True, [True], ["true", 1, False]),
        ({"exactly": "a"}, ["a"], ["b"]),
        ({"prefix": "al"}, ["alarm", "al", ["x", "al"]], ["Alarm", "", 3, None]),
        ({"prefix": ""}, ["", "a"], [3, None]),
        ({"prefix": {"equals-ignore-case": "AL"}}, ["alarm"], ["xalarm"]),
        ({"suffix": ".png"}, ["a.png"], ["a.PNG", "png"]),
        ({"suffix": {"equals-ignore-case": ".png"}}, ["a.PNG"], ["a.jpg"]),
        ({"equals-ignore-case": "alarm"}, ["ALARM", "alarm"], ["alarms", None]),
        ({"wildcard": "dir/*.png"}, ["dir/a.png", "dir/.png", "dir/a/b.png"], ["dir/a.jpg", "x/dir/a.png"]),
        ({"wildcard": "a\\*b"}, ["a*b"], ["axb"]),
        ({"wildcard": "a\\\\*"}, ["a\\x"], ["a*"]),
        ({"anything-but": "OK"}, ["ALARM", "", 3, None, True, ["OK", "ALARM"]], ["OK", ["OK"], []]),
        ({"anything-but": ["a", "b"]}, ["c"], ["a", "b"]),
        ({"anything-but": [1, 2]}, [3, "1", True], [1, 2.0]),
        ({"anything-but": 0}, [1, False], [0]),
        ({"anything-but": {"prefix": "in"}}, ["out", 3, None], ["init"]),
        ({"anything-but": {"prefix": ["in", "out"]}}, ["over"], ["init", "outer"]),
        ({"anything-but": {"suffix": ".txt"}}, ["a.md"], ["a.txt"]),
        ({"anything-but": {"equals-ignore-case": ["a", "b"]}}, ["c"], ["A", "b"]),
        ({"anything-but": {"wildcard": "*/lib/*"}}, ["/bin/a"], ["/lib/a"]),
        ({"numeric": ["=", 5]}, [5, 5.0], [4, "5"]),
        ({"numeric": [">", 0, "<=", 5]}, [1, 5], [0, 5.1, True, None]),
        ({"numeric": [">=", 3]}, [3, 1e9], [2.9]),
        ({"numeric": ["<", 3]}, [-1], [3]),
        ({"cidr": "10.0.0.0/24"}, ["10.0.0.255"], ["10.0.1.0", "host", "2001:db8::1"]),
        ({"cidr": "2001:db8::/32"}, ["2001:db8::1"], ["2001:db9::1"]),
        ({"exists": True}, ["", None, 0, ["a"]], [[], {"a": 1}]),
        ({"exists": False}, [[], {"a": 1}], ["", None]),
    ],
)
def test_value_matches_as_documented(expression, matching, others):
    pattern = parse(json.dumps(value(expression)))
    assert [state for state in matching if not matches(pattern, {"detail": {"state": state}})] == []
    assert [state for state in others if matches(pattern, {"detail": {"state": state}})] == []


@pytest.mark.parametrize("expression", ["OK", {"anything-but": "OK"}, {"prefix": ""}, {"exists": True}, None])
def test_absent_field_matches_only_exists_false(expression):
    assert not matches(parse(json.dumps(value(expression))), {"detail": {}})
    assert matches(parse(json.dumps(value({"exists": False}))), {"detail": {}})


PARTS = {"parts": [{"name": "disk", "size": 1}, {"name": "fan", "size": 2}]}


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        ({"source": ["a"], "detail": {"x": [1]}}, {"source": "a", "detail": {"x": 1, "y": 2}}, True),
        ({"source": ["a"], "detail": {"x": [1]}}, {"source": "a", "detail": {"x": 2}}, False),
        ({"detail.x": [1]}, {"detail": {"x": 1}}, True),
        ({"parts": {"name": ["disk"], "size": [1]}}, PARTS, True),
        ({"parts": {"name": ["disk"], "size": [2]}}, PARTS, False),
        ({"$or": [{"x": [1]}, {"y": [2]}]}, {"y": 2}, True),
        ({"$or": [{"x": [1]}, {"y": [2]}], "z": [3]}, {"y": 2}, False),
        ({"d": {"$or": [{"x": [1]}, {"$or": [{"y": [2]}, {"z": [3]}]}]}}, {"d": {"z": 3}}, True),
    ],
)
def test_fields_match_together(pattern, event, expected):
    assert matches(parse(json.dumps(pattern)), event) is expected
