"""What a function returns to the Lambda step that invoked it, and the error of all steps."""

import json
from typing import Any

from ...json_api import Record


class StepFailed(Exception):
    """A step ended the execution; the message is its failure reason."""


def function_outputs(step: Record, function: str, answer: Record) -> dict[str, Any]:
    """The output parameters in a function's answer. Raises StepFailed."""
    content = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        raise StepFailed(f"{function} failed: {json.dumps(content)}")
    names = [output["OutputName"] for output in step.get("OutputParameters", [])]
    if missing := [name for name in names if not isinstance(content, dict) or name not in content]:
        raise StepFailed(f"{function} did not return {', '.join(missing)}")
    return {name: content[name] for name in names}
