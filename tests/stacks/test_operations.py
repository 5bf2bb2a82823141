"""The list of operations, whose rules docs/reference/fidelity.md has, against the policies of the templates."""

import json

from tools import operations


def test_list_has_every_operation_that_policies_allow(templates):
    allowed = operations.allowed_in(json.loads(path.read_text()) for path in templates)
    unlisted = allowed - operations.listed()
    assert not unlisted, "run python -m tools.operations with the folder of the templates"
    assert "sagemaker:CreateTrainingJob" in allowed
