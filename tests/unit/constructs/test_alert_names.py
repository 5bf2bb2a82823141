"""Names that rules and functions share: constructs must not import the functions' code, which imports boto3."""

import ast
from pathlib import Path

import pytest

from model_factory.core import names

LAMBDA = Path(__file__).parents[3] / "lambda"


@pytest.mark.parametrize(
    ("constant", "file", "name"),
    [
        ("ALERT_SOURCE", "shared/alerts.py", "SOURCE"),
        ("ALERT_DETAIL_TYPE", "shared/alerts.py", "DETAIL_TYPE"),
        ("VARIANT", "shared/endpoints.py", "VARIANT"),
        ("BACKLOG_ALARM", "shared/endpoints.py", "BACKLOG_ALARM"),
        ("NOTIFICATION_DETAIL_TYPE", "alerts/notifications.py", "NOTIFICATION_DETAIL_TYPE"),
    ],
)
def test_functions_use_the_names_of_the_rules(constant, file, name):
    assignments = {
        target.id: node.value
        for node in ast.parse((LAMBDA / file).read_text()).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert getattr(names, constant) == ast.literal_eval(assignments[name])
