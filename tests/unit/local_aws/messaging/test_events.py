"""What the targets of EventBridge rules receive, by the guide's examples and recorded answers of AWS."""

import json

import pytest

from local_aws.eventbridge.transformers import InvalidInputError, check, target_input, transform

EVENT = {
    "version": "0",
    "detail-type": "Change",
    "time": "2026-11-24T12:00:00Z",
    "detail": {"instance": "i-0123", "state": 'the "RUNNING" one', "tags": {"a": ["x", "y"]}, "ready": True, "n": 3},
}
PATHS = {name: f"$.detail.{name}" for name in ("instance", "state", "tags", "ready", "n", "missing")}
PATHS |= {"list": "$.detail.tags.a", "type": "$.detail-type"}
RULE = "arn:aws:events:us-east-1:123456789012:rule/orders"


def transformed(template):
    return transform({"InputTemplate": template, "InputPathsMap": PATHS}, EVENT, RULE, "2026-11-24T12:00:01Z")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('"instance <instance> is <ready>, <n>"', '"instance i-0123 is true, 3"'),
        ('"a <type> of <missing>."', '"a Change of ."'),
        ('"tags <tags>, <list>"', '"tags {a:[x,y]}, [x,y]"'),
        (r'"<instance> \"said\""', r'"i-0123 \"said\""'),
        ('"it is <state>"', '"it is the "RUNNING" one"'),
        ('"<instance>"\n"<type>"', '"i-0123"\n"Change"'),
        ('"<aws.events.rule-name> of <aws.events.rule-arn>"', f'"orders of {RULE}"'),
        ('"at <aws.events.event.ingestion-time>"', '"at 2026-11-24T12:00:01Z"'),
    ],
)
def test_text_template_inserts_values(template, expected):
    assert transformed(template) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"instance": <instance>, "tags": <tags>}', {"instance": "i-0123", "tags": {"a": ["x", "y"]}}),
        ('{"path": "of/<instance>/<instance>", "n": <n>}', {"path": "of/i-0123/i-0123", "n": 3}),
        ('{"state": <state>, "ready": <ready>}', {"state": 'the "RUNNING" one', "ready": True}),
        ('{"gone": <missing>, "text": "of <missing>."}', {"gone": "", "text": "of ."}),
        ('{"list": [<instance>, 9]}', {"list": ["i-0123", 9]}),
        ('{"rule": <aws.events.rule-name>}', {"rule": "orders"}),
        ('{"all": <aws.events.event.json>}', {"all": EVENT}),
        (
            '{"most": <aws.events.event>}',
            {"most": {"version": "0", "detailType": "Change", "time": "2026-11-24T12:00:00Z"}},
        ),
    ],
)
def test_json_template_inserts_values(template, expected):
    assert json.loads(transformed(template)) == expected


@pytest.mark.parametrize(
    "template", ['{"tags": "<tags>"}', '{"list": "<list>"}', '{"state": "<state>"}', "<instance> without quotes"]
)
def test_transformed_text_without_valid_json_is_not_delivered(template):
    with pytest.raises(InvalidInputError):
        transformed(template)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({}, EVENT),
        ({"Input": '{"a": 1}'}, {"a": 1}),
        ({"InputPath": "$.detail.tags"}, {"a": ["x", "y"]}),
        ({"InputPath": "$.detail.instance"}, "i-0123"),
        ({"InputPath": "$.detail.missing"}, None),
    ],
)
def test_target_input_is_whole_event_constant_or_part(target, expected):
    assert json.loads(target_input(target, EVENT, RULE, "")) == expected


@pytest.mark.parametrize(
    ("inputs", "refusal"),
    [
        ({}, None),
        ({"InputTransformer": {"InputTemplate": '"<aws.events.rule-name> <aws.events.event.json>"'}}, None),
        ({"InputTransformer": {"InputPathsMap": {"a": "$.a"}, "InputTemplate": '"<a>"'}}, None),
        (
            {"InputTransformer": {"InputPathsMap": {"a": "$.a"}, "InputTemplate": '"<b>"'}},
            "InputTemplate for target T contains invalid placeholder b.",
        ),
        (
            {"InputTransformer": {"InputPathsMap": {"aws.x": "$.a"}, "InputTemplate": '"x"'}},
            "InputPathsMap for target T contains reserved key aws.x.",
        ),
        (
            {"Input": "{}", "InputPath": "$.a"},
            "Only one of Input, InputPath, or InputTransformer must be provided for target T.",
        ),
        ({"Input": "{"}, "JSON syntax error in Input for target T."),
    ],
)
def test_target_with_invalid_input_is_refused(inputs, refusal):
    assert check({"Id": "T", **inputs}) == refusal
