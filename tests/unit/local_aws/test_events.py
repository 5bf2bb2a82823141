"""EventBridge's input transformer, by the examples of its guide."""

import json

import pytest

from local_aws.events import transform

EVENT = {"detail": {"instance": "i-0123", "state": 'the "RUNNING" one', "tags": {"a": [1, 2]}}}
PATHS = {"instance": "$.detail.instance", "state": "$.detail.state", "tags": "$.detail.tags"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('"instance <instance> is in <state>"', 'instance i-0123 is in the "RUNNING" one'),
        ('{"instance": <instance>, "tags": <tags>}', {"instance": "i-0123", "tags": {"a": [1, 2]}}),
        ('{"text": "it is <instance>", "gone": <missing>}', {"text": "it is i-0123", "gone": None}),
        ('"tags <tags>"', 'tags {"a": [1, 2]}'),
        (r'"<state> \"said\" <instance>"', 'the "RUNNING" one "said" i-0123'),
    ],
)
def test_input_transformer_inserts_values(template, expected):
    assert json.loads(transform({"InputTemplate": template, "InputPathsMap": PATHS}, EVENT)) == expected
